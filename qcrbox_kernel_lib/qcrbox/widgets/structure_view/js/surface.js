// A surface with a property in red – white – blue, its range printed beside it.
import * as THREE from "three";

// Lower end, middle, upper end, and what they are called. Grey has one direction only: dark is low.
const SCALES = {
  cpk: [[0.79, 0.1, 0.1], [0.97, 0.97, 0.97], [0.13, 0.3, 0.75], ["red", "white", "blue"]],
  "okabe-ito": [[0.835, 0.369, 0], [0.97, 0.97, 0.97], [0, 0.447, 0.698], ["orange", "white", "blue"]],
  grey: [[0.1, 0.1, 0.1], [0.55, 0.55, 0.55], [0.98, 0.98, 0.98], ["black", "grey", "white"]],
};

// dnorm has its middle colour at 0, shorter contacts the lower one; other properties in the middle of their range.
export function colourOf(value, low, high, middle, palette = "cpk") {
  const [below, centre, above] = SCALES[palette] ?? SCALES.cpk;
  const [from, to, t] = value < middle ? [below, centre, (value - low) / (middle - low || 1)] : [centre, above, (value - middle) / (high - middle || 1)];
  const share = Math.min(1, Math.max(0, t));
  return [0, 1, 2].map((k) => from[k] + share * (to[k] - from[k]));
}

const vertex = `
in vec3 color; out vec3 vColour; out vec3 vNormal2;
void main() { vColour = color; vNormal2 = normalize(mat3(modelViewMatrix) * normal); gl_Position = projectionMatrix * modelViewMatrix * vec4(position, 1.0); }`;
const fragment = `
uniform float uOpacity; in vec3 vColour; in vec3 vNormal2; out vec4 outColour;
void main() {
  float facing = abs(normalize(vNormal2).z);
  outColour = vec4(vColour * (0.5 + 0.5 * facing), mix(min(1.0, uOpacity + 0.35), uOpacity, facing));
}`;

function array(view, Kind) {
  return new Kind(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}

export class PropertySurface {
  constructor(said, palette = "cpk") {
    this.said = said;
    this.palette = palette;
    this.values = array(said.values, Float32Array);
    const geometry = new THREE.BufferGeometry();
    geometry.setAttribute("position", new THREE.BufferAttribute(array(said.vertices, Float32Array), 3));
    geometry.setIndex(new THREE.BufferAttribute(array(said.faces, Uint32Array), 1));
    geometry.setAttribute("color", new THREE.BufferAttribute(new Float32Array(3 * this.values.length), 3));
    geometry.computeVertexNormals();
    const material = new THREE.ShaderMaterial({
      glslVersion: THREE.GLSL3, vertexShader: vertex, fragmentShader: fragment, uniforms: { uOpacity: { value: 0.6 } },
      transparent: true, depthWrite: false, side: THREE.DoubleSide,
      forceSinglePass: false, // the far side first, else near and far triangles mix in patches
    });
    this.mesh = new THREE.Mesh(geometry, material);
    this.mesh.frustumCulled = false;
    this.paint();
  }

  setProperty(name, { values, low, high, unit }) {
    this.values = values;
    this.said = { ...this.said, name, low, high, unit };
    this.paint();
  }

  setPalette(name) {
    this.palette = name;
    this.paint();
  }

  // `other(i)` may give a vertex another colour than that of its value.
  paint(other = () => null) {
    const { low, high } = this.said;
    const middle = low < 0 && high > 0 ? 0 : (low + high) / 2;
    const colours = this.mesh.geometry.attributes.color;
    this.values.forEach((value, i) => colours.array.set(other(i) ?? colourOf(value, low, high, middle, this.palette), 3 * i));
    colours.needsUpdate = true;
  }

  dispose() {
    this.mesh.geometry.dispose();
    this.mesh.material.dispose();
    this.mesh.removeFromParent();
  }

  words() {
    const { name, low, high, unit, area } = this.said;
    const end = (x) => `${x.toFixed(2).replace("-", "−")}${unit ? ` ${unit}` : ""}`;
    const [below, centre, above] = (SCALES[this.palette] ?? SCALES.cpk)[3];
    return `${name.replace("_", " ")}: ${below} ${end(low)} – ${centre} – ${above} ${end(high)}; ${area.toFixed(1)} Å²`;
  }
}
