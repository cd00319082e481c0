// Density at ± a level: positive as a clear solid, negative as a net, so that the sign shows without colour.
import * as THREE from "three";
import { edgeTable, triTable } from "three/examples/jsm/objects/MarchingCubes.js";

const COLOURS = { cpk: [0x1a8f3a, 0xc62828], "okabe-ito": [0x0072b2, 0xd55e00], grey: [0x444444, 0x888888] };
// The corners of a cube cell in the order of the tables, and the edges between them.
const CORNERS = [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1]];
const EDGES = [[0, 1], [1, 2], [2, 3], [3, 0], [4, 5], [5, 6], [6, 7], [7, 4], [0, 4], [1, 5], [2, 6], [3, 7]];

// Triangles of the surface at `level` (of `sign` times the values) in units of the grid: [x, y, z, …].
export function march(values, [nx, ny, nz], level, sign = 1) {
  const at = (i, j, k) => sign * values[(i * ny + j) * nz + k];
  const found = [];
  const corner = new Float32Array(8);
  const points = Array.from({ length: 12 }, () => [0, 0, 0]);
  for (let i = 0; i < nx - 1; i++)
    for (let j = 0; j < ny - 1; j++)
      for (let k = 0; k < nz - 1; k++) {
        let bits = 0;
        for (let c = 0; c < 8; c++) {
          const [x, y, z] = CORNERS[c];
          corner[c] = at(i + x, j + y, k + z);
          if (corner[c] < level) bits |= 1 << c;
        }
        const cut = edgeTable[bits];
        if (!cut) continue;
        for (let e = 0; e < 12; e++) {
          if (!(cut & (1 << e))) continue;
          const [a, b] = EDGES[e];
          const t = (level - corner[a]) / (corner[b] - corner[a]);
          for (let axis = 0; axis < 3; axis++) points[e][axis] = [i, j, k][axis] + CORNERS[a][axis] + t * (CORNERS[b][axis] - CORNERS[a][axis]);
        }
        for (let t = 16 * bits; triTable[t] !== -1; t++) found.push(...points[triTable[t]]);
      }
  return found;
}

const vertex = `
out vec3 vNormal2;
void main() { vNormal2 = normalize(mat3(modelViewMatrix) * normal); gl_Position = projectionMatrix * modelViewMatrix * vec4(position, 1.0); }`;
const fragment = `
uniform vec3 uColour; in vec3 vNormal2; out vec4 outColour;
void main() {
  float facing = abs(normalize(vNormal2).z);
  outColour = vec4(uColour * (0.55 + 0.45 * facing), mix(0.75, 0.32, facing));
}`;

export class Isosurface {
  constructor(said) {
    this.said = said;
    this.values = new Float32Array(said.values.buffer.slice(said.values.byteOffset, said.values.byteOffset + said.values.byteLength));
    this.group = new THREE.Group();
    this.level = said.level;
  }

  // Grid units to Å; the triangles' corners are shared so that normals are smooth.
  geometry(sign) {
    const flat = march(this.values, this.said.shape, this.level * this.said.sigma, sign);
    const { origin: o, steps: s } = this.said;
    const index = [];
    const positions = [];
    const known = new Map();
    for (let n = 0; n < flat.length; n += 3) {
      const [i, j, k] = [flat[n], flat[n + 1], flat[n + 2]];
      const key = `${i.toFixed(3)},${j.toFixed(3)},${k.toFixed(3)}`;
      if (!known.has(key)) {
        known.set(key, positions.length / 3);
        positions.push(o[0] + i * s[0] + j * s[3] + k * s[6], o[1] + i * s[1] + j * s[4] + k * s[7], o[2] + i * s[2] + j * s[5] + k * s[8]);
      }
      index.push(known.get(key));
    }
    const made = new THREE.BufferGeometry();
    made.setAttribute("position", new THREE.Float32BufferAttribute(positions, 3));
    made.setIndex(index);
    made.computeVertexNormals();
    return made;
  }

  draw(palette) {
    this.clear();
    const [positive, negative] = COLOURS[palette] ?? COLOURS.cpk;
    const uColour = { value: new THREE.Color().setHex(positive, THREE.LinearSRGBColorSpace) };
    const solid = new THREE.Mesh(
      this.geometry(1),
      new THREE.ShaderMaterial({ glslVersion: THREE.GLSL3, vertexShader: vertex, fragmentShader: fragment, uniforms: { uColour }, transparent: true, depthWrite: false, side: THREE.DoubleSide, forceSinglePass: false }),
    );
    const below = this.geometry(-1);
    const net = new THREE.LineSegments(new THREE.WireframeGeometry(below), new THREE.LineBasicMaterial({ color: new THREE.Color().setHex(negative, THREE.LinearSRGBColorSpace) }));
    below.dispose();
    for (const one of [solid, net]) one.frustumCulled = false;
    this.group.add(solid, net);
    this.counts = [solid.geometry.index.count / 3, net.geometry.attributes.position.count / 6];
  }

  clear() {
    for (const one of [...this.group.children]) {
      one.geometry.dispose();
      one.material.dispose();
      this.group.remove(one);
    }
  }

  words() {
    const { sigma, maximum, minimum, kind, unit } = this.said;
    const edge = this.level * sigma;
    return `${kind}: ±${this.level.toFixed(1)} σ = ±${edge.toFixed(2)} ${unit} (positive solid, negative net; highest ${maximum.toFixed(2)}, deepest ${minimum.toFixed(2).replace("-", "−")})`;
  }
}
