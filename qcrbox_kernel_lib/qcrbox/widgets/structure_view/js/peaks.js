// Difference peaks as small spheres that can be clicked; the higher, the larger.
import * as THREE from "three";
import { peakMaterial } from "./materials.js";

const [SMALLEST, LARGEST] = [0.09, 0.2]; // Å

export class PeakSpheres {
  constructor(peaks) {
    // Holes are no atoms.
    this.peaks = peaks.filter((peak) => peak.name.startsWith("Q"));
    const heights = this.peaks.map((peak) => Math.abs(peak.value));
    const top = Math.max(...heights, 1e-9);
    this.radii = heights.map((height) => SMALLEST + (LARGEST - SMALLEST) * (height / top));
    this.mesh = new THREE.InstancedMesh(new THREE.SphereGeometry(1, 16, 12), peakMaterial(), Math.max(1, this.peaks.length));
    this.mesh.count = this.peaks.length;
    this.mesh.frustumCulled = false;
    this.peaks.forEach(({ place }, k) => {
      const r = this.radii[k];
      this.mesh.setMatrixAt(k, new THREE.Matrix4().makeScale(r, r, r).setPosition(...place));
    });
  }

  // The peak under a point of the canvas (CSS px) in front of `depth`, or null.
  pick(stage, x, y) {
    const v = new THREE.Vector3();
    let best = null;
    this.peaks.forEach((peak, k) => {
      stage.project(peak.place, 0, v);
      const reach = Math.max(7, this.radii[k] / stage.angstromPerPixel);
      if ((v.x - x) ** 2 + (v.y - y) ** 2 < reach * reach && (!best || v.z > best.depth)) best = { peak, depth: v.z };
    });
    return best;
  }

  dispose() {
    this.mesh.removeFromParent();
    this.mesh.geometry.dispose();
    this.mesh.material.dispose();
  }
}
