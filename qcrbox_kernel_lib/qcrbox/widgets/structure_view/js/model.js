// A scene from the kernel as typed arrays, and as the objects three.js draws.
import * as THREE from "three";
import { atomMaterial, bondMaterial, cubeMaterial } from "./materials.js";
import { SKETCH } from "./pace.js";
import { Sketch } from "./sketch.js";

export const CUBE = 2;
const BOND_RADIUS = 0.07; // Å
const AXIS_COLOURS = [0xb3261e, 0x1b7f3b, 0x1f4fb5];

function floats(view) {
  return new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}
function words(view) {
  return new Uint32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}
function bytes(view) {
  return new Uint8Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}

export function unpack(said) {
  return {
    ...said,
    positions: floats(said.positions),
    axes: floats(said.axes),
    fixed: floats(said.fixed),
    kinds: bytes(said.kinds),
    hollow: bytes(said.hollow),
    hydrogen: bytes(said.hydrogen),
    element: bytes(said.element),
    site: said.site ? words(said.site) : new Uint32Array(said.count),
    bonds: words(said.bonds),
    contacts: words(said.contacts),
    cell_edges: floats(said.cell_edges),
  };
}

function colourTable(scene, palette) {
  return scene.palettes[palette].map((text) => {
    const n = parseInt(text.slice(1), 16);
    return [(n >> 16) / 255, ((n >> 8) & 255) / 255, (n & 255) / 255];
  });
}

export class Model {
  constructor(scene) {
    this.scene = scene;
    this.group = new THREE.Group();
    this.atoms = this.makeAtoms();
    this.group.add(this.atoms, this.makeBonds(), this.makeCell());
    const cubes = this.makeCubes();
    if (cubes) this.group.add(cubes);
  }

  // Not among the atoms: cubes are drawn on their own.
  isLeftOut(row) {
    return this.scene.kinds[row] === CUBE || Boolean(this.scene.gone?.[row]);
  }

  // In full, or cheaply while it moves; the sketch is made when it is first needed.
  set level(level) {
    const sketched = level === SKETCH;
    if (sketched && !this.sketch) {
      this.sketch = new Sketch(this);
      this.group.add(this.sketch.group);
    }
    this.atoms.visible = this.bonds.visible = !sketched;
    if (this.sketch) this.sketch.group.visible = sketched;
  }

  // [greater row, lesser row, share] of the sites that two atoms share and both are still there.
  get pies() {
    const { shared = [], gone } = this.scene;
    return shared.filter(([i, j]) => !gone?.[i] && !gone?.[j]);
  }

  makeAtoms() {
    const { scene } = this;
    const n = scene.count;
    const geometry = new THREE.InstancedBufferGeometry();
    geometry.setAttribute("position", new THREE.Float32BufferAttribute([-1, -1, 0, 1, -1, 0, 1, 1, 0, -1, 1, 0], 3));
    geometry.setIndex([0, 1, 2, 0, 2, 3]);
    geometry.instanceCount = n;
    const part = (k) => {
      const made = new Float32Array(3 * n);
      for (let i = 0; i < n; i++) for (let x = 0; x < 3; x++) made[3 * i + x] = scene.axes[9 * i + 3 * k + x];
      return made;
    };
    const put = (name, array, size) => geometry.setAttribute(name, new THREE.InstancedBufferAttribute(array, size));
    put("iPosition", scene.positions, 3);
    put("iA", part(0), 3);
    put("iB", part(1), 3);
    put("iC", part(2), 3);
    // Atoms that are left out get almost no size.
    put("iFixed", scene.fixed.map((r, i) => (this.isLeftOut(i) ? 1e-3 : r)), 1);
    this.colours = new Float32Array(3 * n);
    put("iColour", this.colours, 3);
    this.flags = new Float32Array(4 * n);
    for (let i = 0; i < n; i++) {
      this.flags[4 * i] = scene.kinds[i] === 0 ? 1 : 0;
      this.flags[4 * i + 1] = scene.hollow[i];
    }
    put("iFlags", this.flags, 4);
    // Of a shared site: colour and share of the other atom.
    this.other = new Float32Array(4 * n);
    for (const [greater, , share] of this.pies) this.other[4 * greater + 3] = share;
    put("iOther", this.other, 4);
    const mesh = new THREE.Mesh(geometry, atomMaterial());
    mesh.frustumCulled = false;
    return mesh;
  }

  makeBonds() {
    const { scene } = this;
    const bonds = scene.bonds.length / 2;
    const all = bonds + scene.contacts.length / 2;
    const geometry = new THREE.CylinderGeometry(1, 1, 1, all > 6000 ? 6 : all > 1200 ? 8 : 16, 1, true);
    const mesh = new THREE.InstancedMesh(geometry, bondMaterial(), all);
    mesh.frustumCulled = false;
    const [from, to, up, along] = [new THREE.Vector3(), new THREE.Vector3(), new THREE.Vector3(0, 1, 0), new THREE.Vector3()];
    const [turn, matrix, size] = [new THREE.Quaternion(), new THREE.Matrix4(), new THREE.Vector3()];
    this.bondColours = [new Float32Array(3 * all), new Float32Array(3 * all)];
    this.ends = new Uint32Array(2 * all);
    const flags = new Float32Array(2 * all);
    const reach = new Float32Array(4 * all);
    for (let b = 0; b < all; b++) {
      const dashed = b >= bonds;
      const list = dashed ? scene.contacts : scene.bonds;
      const [i, j] = [list[2 * (dashed ? b - bonds : b)], list[2 * (dashed ? b - bonds : b) + 1]];
      from.fromArray(scene.positions, 3 * i);
      to.fromArray(scene.positions, 3 * j);
      along.subVectors(to, from);
      const length = along.length();
      turn.setFromUnitVectors(up, along.normalize());
      [i, j].forEach((atom, side) => {
        const fixed = scene.fixed[atom];
        reach[4 * b + side] = fixed > 0 ? 0 : this.radiusAlong(atom, along);
        reach[4 * b + 2 + side] = scene.kinds[atom] === CUBE ? 0 : fixed;
      });
      size.set(dashed ? 0.035 : BOND_RADIUS, length, dashed ? 0.035 : BOND_RADIUS);
      matrix.compose(from.add(to).multiplyScalar(0.5), turn, size);
      mesh.setMatrixAt(b, matrix);
      this.ends.set([i, j], 2 * b);
      flags[2 * b] = scene.hollow[i] || scene.hollow[j] ? 1 : 0;
      flags[2 * b + 1] = dashed ? 1 : 0;
    }
    geometry.setAttribute("iColourA", new THREE.InstancedBufferAttribute(this.bondColours[0], 3));
    geometry.setAttribute("iColourB", new THREE.InstancedBufferAttribute(this.bondColours[1], 3));
    geometry.setAttribute("iFlags", new THREE.InstancedBufferAttribute(flags, 2));
    geometry.setAttribute("iReach", new THREE.InstancedBufferAttribute(reach, 4));
    this.bonds = mesh;
    this.solidBonds = bonds;
    return mesh;
  }

  // Radius of an ellipsoid along a direction, at probability scale 1.
  radiusAlong(atom, direction) {
    let sum = 0;
    for (let k = 0; k < 3; k++) {
      const [x, y, z] = this.scene.axes.subarray(9 * atom + 3 * k, 9 * atom + 3 * k + 3);
      const length2 = x * x + y * y + z * z || 1e-9;
      sum += (direction.x * x + direction.y * y + direction.z * z) ** 2 / (length2 * length2);
    }
    return sum > 0 ? 1 / Math.sqrt(sum) : 0;
  }

  set scale(value) {
    this.atoms.material.uniforms.uScale.value = value;
    this.bonds.material.uniforms.uScale.value = value;
  }

  get scale() {
    return this.atoms.material.uniforms.uScale.value;
  }

  makeCubes() {
    const { scene } = this;
    const rows = [...scene.kinds.keys()].filter((i) => scene.kinds[i] === CUBE && !scene.gone?.[i]);
    if (!rows.length) return null;
    const mesh = new THREE.InstancedMesh(new THREE.BoxGeometry(2, 2, 2), cubeMaterial(), rows.length);
    mesh.frustumCulled = false;
    rows.forEach((i, k) => {
      const r = scene.fixed[i];
      const matrix = new THREE.Matrix4().makeScale(r, r, r).setPosition(...scene.positions.slice(3 * i, 3 * i + 3));
      mesh.setMatrixAt(k, matrix);
    });
    return mesh;
  }

  makeCell() {
    const edges = this.scene.cell_edges;
    const geometry = new THREE.BufferGeometry();
    geometry.setAttribute("position", new THREE.BufferAttribute(edges, 3));
    const colours = new Float32Array(edges.length);
    const colour = new THREE.Color();
    for (let v = 0; v < edges.length / 3; v++) {
      colour.setHex(v < 6 ? AXIS_COLOURS[v >> 1] : 0x777777, THREE.LinearSRGBColorSpace).toArray(colours, 3 * v);
    }
    geometry.setAttribute("color", new THREE.BufferAttribute(colours, 3));
    this.cell = new THREE.LineSegments(geometry, new THREE.LineBasicMaterial({ vertexColors: true }));
    this.cell.visible = false;
    this.cell.frustumCulled = false;
    return this.cell;
  }

  paint(palette) {
    const table = colourTable(this.scene, palette);
    for (let i = 0; i < this.scene.count; i++) this.colours.set(table[this.scene.element[i]], 3 * i);
    for (let b = 0; b < this.ends.length / 2; b++) {
      for (const side of [0, 1]) {
        const colour = b < this.solidBonds ? table[this.scene.element[this.ends[2 * b + side]]] : [0.23, 0.43, 0.65];
        this.bondColours[side].set(colour, 3 * b);
      }
    }
    for (const [greater, lesser] of this.pies) this.other.set(table[this.scene.element[lesser]], 4 * greater);
    this.atoms.geometry.attributes.iOther.needsUpdate = true;
    this.atoms.geometry.attributes.iColour.needsUpdate = true;
    this.bonds.geometry.attributes.iColourA.needsUpdate = true;
    this.bonds.geometry.attributes.iColourB.needsUpdate = true;
    this.sketch?.paint();
  }

  mark(selected, hovered) {
    for (let i = 0; i < this.scene.count; i++) {
      this.flags[4 * i + 2] = 0;
      this.flags[4 * i + 3] = i === hovered ? 1 : 0;
    }
    for (const i of selected) this.flags[4 * i + 2] = 1;
    // Bit 1 is the atom itself, bit 2 the other one of its site.
    for (const [greater, lesser] of this.pies) {
      for (const k of [2, 3]) this.flags[4 * greater + k] += 2 * this.flags[4 * lesser + k];
    }
    this.atoms.geometry.attributes.iFlags.needsUpdate = true;
    this.sketch?.mark();
  }

  dispose() {
    this.group.traverse((one) => {
      one.geometry?.dispose();
      one.material?.dispose();
    });
  }
}
