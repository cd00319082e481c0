// The same atoms and bonds drawn cheaply while they move: a point for each atom, shaded as a sphere of the volume of its
// ellipsoid, and a line for each bond. Without a graphics card a frame of many atoms takes the time of its vertices: here
// 3 for an atom with a bond, in the full picture 18.
import * as THREE from "three";
import { sketchAtomMaterial, sketchBondMaterial } from "./materials.js";

export class Sketch {
  constructor(model) {
    this.model = model;
    this.group = new THREE.Group();
    this.group.visible = false;
    this.group.add(this.makeAtoms(), this.makeBonds());
    this.paint();
  }

  makeAtoms() {
    const { scene, colours, flags } = this.model;
    const size = new Float32Array(2 * scene.count);
    for (let i = 0; i < scene.count; i++) {
      if (this.model.isLeftOut(i)) continue;
      if (scene.fixed[i] > 0) size[2 * i] = scene.fixed[i];
      else size[2 * i + 1] = meanRadius(scene.axes, i);
    }
    const geometry = new THREE.BufferGeometry();
    geometry.setAttribute("position", new THREE.BufferAttribute(scene.positions, 3));
    geometry.setAttribute("aSize", new THREE.BufferAttribute(size, 2));
    geometry.setAttribute("aColour", new THREE.BufferAttribute(colours, 3));
    geometry.setAttribute("aFlags", new THREE.BufferAttribute(flags, 4));
    this.atoms = new THREE.Points(geometry, sketchAtomMaterial());
    this.atoms.frustumCulled = false;
    return this.atoms;
  }

  // One line for each bond, from the colour of one atom to that of the other.
  makeBonds() {
    const { scene, ends } = this.model;
    const places = new Float32Array(3 * ends.length);
    ends.forEach((row, end) => places.set(scene.positions.subarray(3 * row, 3 * row + 3), 3 * end));
    const geometry = new THREE.BufferGeometry();
    geometry.setAttribute("position", new THREE.BufferAttribute(places, 3));
    geometry.setAttribute("aColour", new THREE.BufferAttribute(new Float32Array(3 * ends.length), 3));
    this.bonds = new THREE.LineSegments(geometry, sketchBondMaterial());
    this.bonds.frustumCulled = false;
    return this.bonds;
  }

  paint() {
    const colours = this.bonds.geometry.attributes.aColour;
    this.model.bondColours.forEach((side, end) => {
      for (let b = 0; b < side.length / 3; b++) colours.array.set(side.subarray(3 * b, 3 * b + 3), 6 * b + 3 * end);
    });
    colours.needsUpdate = true;
    this.atoms.geometry.attributes.aColour.needsUpdate = true;
  }

  mark() {
    this.atoms.geometry.attributes.aFlags.needsUpdate = true;
  }
}

// Of an ellipsoid at probability scale 1: the cube root of the product of its axes, so that the volume is the same.
function meanRadius(axes, row) {
  let product = 1;
  for (let k = 0; k < 3; k++) product *= Math.hypot(axes[9 * row + 3 * k], axes[9 * row + 3 * k + 1], axes[9 * row + 3 * k + 2]);
  return Math.cbrt(product);
}
