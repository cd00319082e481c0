// A surface with a property in red – white – blue, its range printed beside it.
import * as THREE from "three";

// Lower end, middle, upper end, and what they are called. Grey has one direction only: dark is low.
const SCALES = {
  cpk: [[0.79, 0.1, 0.1], [0.97, 0.97, 0.97], [0.13, 0.3, 0.75], ["red", "white", "blue"]],
  "okabe-ito": [[0.835, 0.369, 0], [0.97, 0.97, 0.97], [0, 0.447, 0.698], ["orange", "white", "blue"]],
  grey: [[0.1, 0.1, 0.1], [0.55, 0.55, 0.55], [0.98, 0.98, 0.98], ["black", "grey", "white"]],
};

// Of a property: lower end, middle, upper end, and their colours. dnorm has its middle colour at 0, shorter contacts the lower
// one; other properties in the middle of their range.
export function scaleOf({ low, high }, palette = "cpk") {
  const [uBelow, uCentre, uAbove] = SCALES[palette] ?? SCALES.cpk;
  return { uLow: low, uMiddle: low < 0 && high > 0 ? 0 : (low + high) / 2, uHigh: high, uBelow, uCentre, uAbove };
}

function uniforms() {
  const vectors = Object.fromEntries(["uBelow", "uCentre", "uAbove"].map((name) => [name, { value: new THREE.Vector3() }]));
  return { uOpacity: { value: 0.6 }, uLow: { value: 0 }, uMiddle: { value: 0 }, uHigh: { value: 1 }, ...vectors };
}

// The scale is read in each pixel from the value there: colours mixed between vertices would show the triangles.
const vertex = `
in float value; in vec4 own; out float vValue; out vec4 vOwn; out vec3 vNormal2;
void main() { vValue = value; vOwn = own; vNormal2 = normalize(mat3(modelViewMatrix) * normal); gl_Position = projectionMatrix * modelViewMatrix * vec4(position, 1.0); }`;
const fragment = `
uniform float uOpacity, uLow, uMiddle, uHigh; uniform vec3 uBelow, uCentre, uAbove;
in float vValue; in vec4 vOwn; in vec3 vNormal2; out vec4 outColour;
void main() {
  float below = clamp((uMiddle - vValue) / max(uMiddle - uLow, 1e-6), 0.0, 1.0);
  float above = clamp((vValue - uMiddle) / max(uHigh - uMiddle, 1e-6), 0.0, 1.0);
  vec3 scale = mix(mix(uCentre, uBelow, below), uAbove, above);
  vec3 colour = mix(scale, vOwn.rgb / max(vOwn.a, 1e-6), vOwn.a);
  float facing = abs(normalize(vNormal2).z);
  outColour = vec4(colour * (0.5 + 0.5 * facing), mix(min(1.0, uOpacity + 0.35), uOpacity, facing));
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
    geometry.setAttribute("value", new THREE.BufferAttribute(new Float32Array(this.values.length), 1));
    geometry.setAttribute("own", new THREE.BufferAttribute(new Float32Array(4 * this.values.length), 4));
    geometry.computeVertexNormals();
    const material = new THREE.ShaderMaterial({
      glslVersion: THREE.GLSL3, vertexShader: vertex, fragmentShader: fragment, uniforms: uniforms(),
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

  // `other(i)` may give a vertex a colour of its own instead of that of its value.
  paint(other = () => null) {
    const { uniforms: to } = this.mesh.material;
    const { value, own } = this.mesh.geometry.attributes;
    Object.entries(scaleOf(this.said, this.palette)).forEach(([name, x]) => (to[name].value = Array.isArray(x) ? new THREE.Vector3(...x) : x));
    value.array.set(this.values);
    for (let i = 0; i < this.values.length; i++) {
      const colour = other(i);
      own.array.set(colour ? [...colour, 1] : [0, 0, 0, 0], 4 * i);
    }
    value.needsUpdate = own.needsUpdate = true;
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
    return `${name.replaceAll("_", " ")}: ${below} ${end(low)} – ${centre} – ${above} ${end(high)}; ${area.toFixed(1)} Å²`;
  }
}
