// Labels, cell letters and measurements on a canvas above the picture. No text covers another or an atom.
import * as THREE from "three";
import { ink, isDark, paper } from "../../shared_js/theme.js";

const PLACES = [45, -45, 135, -135, 0, 180, 90, -90].map((d) => [Math.cos((d * Math.PI) / 180), -Math.sin((d * Math.PI) / 180)]);
const CELL = 32; // px, of the grid that finds collisions

class Taken {
  constructor() {
    this.grid = new Map();
  }
  *cells(box) {
    for (let x = Math.floor(box[0] / CELL); x <= Math.floor(box[2] / CELL); x++)
      for (let y = Math.floor(box[1] / CELL); y <= Math.floor(box[3] / CELL); y++) yield x * 65536 + y;
  }
  add(box, owner) {
    const entry = [...box, owner];
    for (const key of this.cells(box)) this.grid.has(key) ? this.grid.get(key).push(entry) : this.grid.set(key, [entry]);
  }
  free(box, owner) {
    for (const key of this.cells(box))
      for (const other of this.grid.get(key) ?? [])
        if (other[4] !== owner && box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3]) return false;
    return true;
  }
}

export class Overlay {
  constructor(canvas) {
    this.canvas = canvas;
    this.dark = isDark();
    this.labels = false; // false, true or "heavy"
    this.measurements = []; // {rows, text}
    this.picked = [];
    this.peaks = []; // {name, place} of a density that are marked
    this.named = []; // peaks that carry their name where there is room
    this.box = null; // [x, y, x, y] in CSS px while a box is drawn
  }

  draw(stage, ratio = Math.min(window.devicePixelRatio || 1, 2), context = null) {
    const c = context ?? this.canvas.getContext("2d");
    if (!context) {
      this.canvas.width = Math.round(stage.width * ratio);
      this.canvas.height = Math.round(stage.height * ratio);
      c.setTransform(ratio, 0, 0, ratio, 0, 0);
    }
    const { scene } = stage.model;
    const v = new THREE.Vector3();
    c.font = "12px sans-serif";
    c.textAlign = "center";
    c.textBaseline = "middle";
    c.lineJoin = "round";
    const taken = new Taken();
    this.drawMeasurements(c, stage, v, taken);
    this.drawPeaks(c, stage, v, taken);
    const drawn = this.labels ? this.drawLabels(c, stage, scene, v, taken) : 0;
    this.canvas.dataset.labels = drawn; // how many found a place
    this.namePeaks(c, stage, v, taken);
    if (stage.model.cell.visible) this.drawCell(c, stage, scene, v);
    if (this.box) this.drawBox(c);
  }

  drawBox(c) {
    const [x0, y0, x1, y1] = this.box;
    c.setLineDash([4, 3]);
    c.lineWidth = 1.2;
    c.strokeStyle = ink("#0b62c4", this.dark);
    c.fillStyle = "rgba(11,98,196,.1)";
    c.fillRect(x0, y0, x1 - x0, y1 - y0);
    c.strokeRect(x0, y0, x1 - x0, y1 - y0);
    c.setLineDash([]);
  }

  namePeaks(c, stage, v, taken) {
    for (const peak of this.named) {
      if (this.peaks.includes(peak)) continue;
      const { x, y } = stage.project(peak.place, 0, v);
      const box = [x - 10, y - 18, x + 10, y - 6];
      if (!taken.free(box, -2)) continue;
      taken.add(box, -1);
      this.text(c, peak.name, x, y - 12, "#6a3d00");
    }
  }

  text(c, text, x, y, colour) {
    c.strokeStyle = paper(this.dark);
    c.lineWidth = 3;
    c.strokeText(text, x, y);
    c.fillStyle = ink(colour, this.dark);
    c.fillText(text, x, y);
  }

  drawPeaks(c, stage, v, taken) {
    for (const { name, place } of this.peaks) {
      const { x, y } = stage.project(place, 0, v);
      c.beginPath();
      [[0, -5], [5, 0], [0, 5], [-5, 0]].forEach(([dx, dy], k) => (k ? c.lineTo(x + dx, y + dy) : c.moveTo(x + dx, y + dy)));
      c.closePath();
      c.fillStyle = ink("#6a3d00", this.dark);
      c.fill();
      this.text(c, name, x, y - 13, "#6a3d00");
      taken.add([x - 12, y - 20, x + 12, y + 6], -1);
    }
  }

  drawLabels(c, stage, scene, v, taken) {
    let drawn = 0;
    const scale = stage.model.scale;
    const places = [];
    for (let i = 0; i < scene.count; i++) {
      stage.project(scene.positions, 3 * i, v);
      const r = (stage.reach(scene, i, scale) * 0.85) / stage.angstromPerPixel;
      places.push([v.x, v.y, v.z, r, i]);
      if (scene.count < 3000) taken.add([v.x - r * 0.8, v.y - r * 0.8, v.x + r * 0.8, v.y + r * 0.8], i);
    }
    places.sort((one, other) => other[2] - one[2]); // front first
    for (const [x, y, , r, i] of places) {
      if (scene.gone?.[i] || (this.labels === "heavy" && scene.hydrogen[i])) continue;
      if (x < 0 || y < 0 || x > stage.width || y > stage.height) continue;
      const text = scene.labels[i];
      const w = c.measureText(text).width;
      for (const [dx, dy] of PLACES) {
        const [tx, ty] = [x + dx * (r + 3 + w / 2), y + dy * (r + 9)];
        const box = [tx - w / 2, ty - 6, tx + w / 2, ty + 6];
        if (!taken.free(box, i)) continue;
        taken.add(box, -1);
        this.text(c, text, tx, ty, "#111111");
        drawn += 1;
        break;
      }
    }
    return drawn;
  }

  drawCell(c, stage, scene, v) {
    c.font = "italic 14px serif";
    ["a", "b", "c"].forEach((name, k) => {
      const at = 6 * k;
      const e = scene.cell_edges;
      const end = [0, 1, 2].map((x) => e[at + 3 + x] + 0.04 * (e[at + 3 + x] - e[at + x]));
      stage.project(end, 0, v);
      this.text(c, name, v.x, v.y, ["#b3261e", "#1b7f3b", "#1f4fb5"][k]);
    });
    stage.project(scene.cell_edges, 0, v);
    c.font = "12px sans-serif";
    this.text(c, "0", v.x - 9, v.y + 9, "#555555");
  }

  drawMeasurements(c, stage, v, taken) {
    for (const { rows, text, plane } of [...this.measurements, { rows: this.picked, text: "" }]) {
      if (rows.length < 2) continue;
      const points = rows.map((i) => stage.project(stage.model.scene.positions, 3 * i, v).clone());
      for (const [colour, width] of [[paper(this.dark), 4], [ink("#b34700", this.dark), 1.8]]) {
        c.strokeStyle = colour;
        c.lineWidth = width;
        c.setLineDash(width < 3 ? [5, 4] : []);
        c.beginPath();
        points.forEach((p, k) => (k ? c.lineTo(p.x, p.y) : c.moveTo(p.x, p.y)));
        if (plane) c.closePath();
        c.stroke();
      }
      c.setLineDash([]);
      if (!text) continue;
      const middle = plane ? { x: mean(points, "x"), y: mean(points, "y") + 14 } : rows.length === 3 ? points[1] : { x: (points[0].x + points.at(-1).x) / 2, y: (points[0].y + points.at(-1).y) / 2 };
      const w = c.measureText(text).width;
      const y = middle.y - 14;
      taken.add([middle.x - w / 2, y - 8, middle.x + w / 2, y + 8], -1);
      this.text(c, text, middle.x, y, "#8a3600");
    }
  }
}

const mean = (points, axis) => points.reduce((sum, p) => sum + p[axis], 0) / points.length;
