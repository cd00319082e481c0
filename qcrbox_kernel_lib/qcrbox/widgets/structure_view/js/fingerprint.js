// The fingerprint of a Hirshfeld surface, de against di by share of area, bound to the surface both ways:
// what is chosen in the diagram keeps its colour on the surface, what the pointer meets there is marked here.
import { ink, paper } from "../../shared_js/theme.js";
import * as THREE from "three";
import { element } from "../../shared_js/twin.js";
import { binned } from "./fingerprint_bins.js";

const [LOW, HIGH, BINS] = [0.4, 3.0, 260]; // Å; bins of 0.01 Å
const [SIZE, MARGIN] = [296, 30]; // CSS px; a bin is one wide
const DARKEST = 0.00024; // of the surface in a bin: fixed, so that diagrams can be compared
const STEP = 0.1; // Å that an arrow key moves or widens the choice
const SURFACE_GREY = [0.82, 0.82, 0.82];
const NAMES = { shape_index: "shape index" };

function floats(view) {
  return new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}
function shorts(view) {
  return new Uint16Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}
const number = (x) => x.toFixed(2).replace("-", "−");
const pixel = (x) => MARGIN + ((x - LOW) / (HIGH - LOW)) * (SIZE - MARGIN - 6);
const length = (p) => LOW + ((p - MARGIN) / (SIZE - MARGIN - 6)) * (HIGH - LOW);

export class Fingerprint {
  constructor(view, surface, kept = null) {
    this.view = view;
    this.surface = surface;
    const said = surface.said.fingerprint;
    Object.assign(this, { said, di: floats(said.di), de: floats(said.de), areas: floats(said.areas), pair: shorts(said.pair), touch: shorts(said.touch) });
    this.total = this.areas.reduce((sum, a) => sum + a, 0);
    this.properties = Object.fromEntries(Object.entries(said.properties).map(([name, p]) => [name, { ...p, values: floats(p.values) }]));
    this.property = surface.said.name;
    this.shown = -1; // number of the pair of elements, -1 for all
    // What was chosen stays chosen when more or fewer molecules are shown around the surface.
    Object.assign(this, kept ?? {});
    this.build();
    this.setProperty(this.property);
  }

  state() {
    const { choice, shown, property } = this;
    return { choice, shown, property };
  }

  build() {
    const choices = Object.keys(this.properties).map((name) => element("option", { value: name, selected: name === this.property }, NAMES[name] ?? name));
    const property = element("select", { "aria-label": "Property on the surface", onchange: (e) => this.setProperty(e.target.value) }, ...choices);
    const pairs = this.said.pairs.map(([name, share], i) => element("option", { value: i, selected: i === this.shown }, `${name}  ${share.toFixed(1)} %`));
    const pair = element("select", { "aria-label": "Elements that meet, inside first", onchange: (e) => this.setPair(Number(e.target.value)) }, element("option", { value: -1 }, "all contacts"), ...pairs);
    const around = [["none", "none"], ["all", `all ${this.said.neighbours.length}`], ...this.said.neighbours.map((words, i) => [String(i), words])];
    const shown = around.map(([value, words]) => element("option", { value, selected: value === String(this.said.neighbour) }, words));
    const neighbours = element("select", { "aria-label": "Neighbouring molecules shown", onchange: (e) => this.view.showNeighbours(e.target.value) }, ...shown);
    this.canvas = element("canvas", { class: "qcv-finger", tabindex: "0", role: "application", "aria-label": "Fingerprint: de against di. Arrows move the choice, with Shift they widen it, Escape takes it away." });
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    Object.assign(this.canvas, { width: SIZE * ratio, height: SIZE * ratio });
    this.canvas.style.cssText = `width:${SIZE}px;height:${SIZE}px;touch-action:none;cursor:crosshair`;
    this.context = this.canvas.getContext("2d");
    this.context.scale(ratio, ratio);
    this.chosen = element("div", { role: "status" });
    this.met = element("div", { "aria-live": "polite" });
    const rows = element("div", { style: "flex:1;min-width:220px" }, element("label", {}, "Colour ", property), " ", element("label", {}, "Contacts ", pair), " ", element("label", {}, "Neighbours ", neighbours), this.chosen, this.met, element("div", { style: "opacity:.8" }, this.said.note));
    this.node = element("div", { class: "qcv-bar qcv-fingerprint", style: "align-items:flex-start" }, this.canvas, rows);
    this.listen();
    this.view.holder.after(this.node);
  }

  listen() {
    const place = (e) => [length(e.offsetX), length(SIZE - e.offsetY)];
    this.canvas.addEventListener("pointerdown", (e) => {
      this.canvas.setPointerCapture(e.pointerId);
      this.from = place(e);
    });
    this.canvas.addEventListener("pointermove", (e) => {
      if (!this.from) return;
      const to = place(e);
      this.choose([0, 1].flatMap((k) => [Math.min(this.from[k], to[k]), Math.max(this.from[k], to[k])]));
    });
    this.canvas.addEventListener("pointerup", (e) => {
      const [x, y] = place(e);
      if (this.from && Math.hypot(x - this.from[0], y - this.from[1]) < 0.03) this.choose(null);
      this.from = null;
    });
    this.canvas.addEventListener("keydown", (e) => {
      const move = { ArrowLeft: [0, -STEP], ArrowRight: [0, STEP], ArrowDown: [2, -STEP], ArrowUp: [2, STEP] }[e.key];
      if (e.key === "Escape") this.choose(null);
      if (!move) return;
      e.preventDefault();
      e.stopPropagation();
      const now = this.choice ? [...this.choice] : [0.9, 1.3, 0.9, 1.3];
      if (this.choice) {
        now[move[0] + 1] += move[1];
        if (!e.shiftKey) now[move[0]] += move[1];
      }
      this.choose(now);
    });
  }

  // [di from, to, de from, to] in Å, or null for everything.
  choose(choice) {
    this.choice = choice;
    this.apply();
  }

  setPair(number) {
    this.shown = number;
    this.counts = null;
    this.apply();
  }

  setProperty(name) {
    this.property = name;
    this.surface.setProperty(name, this.properties[name]);
    this.view.surfaceText.textContent = this.surface.words();
    this.apply();
  }

  isChosen(i) {
    if (this.shown >= 0 && this.pair[i] !== this.shown) return false;
    const c = this.choice;
    return !c || (this.di[i] >= c[0] && this.di[i] <= c[1] && this.de[i] >= c[2] && this.de[i] <= c[3]);
  }

  apply() {
    let [area, least] = [0, Infinity];
    this.surface.paint((i) => {
      if (!this.isChosen(i)) return SURFACE_GREY;
      area += this.areas[i];
      least = Math.min(least, this.di[i] + this.de[i]);
      return null;
    });
    this.share = (100 * area) / this.total;
    const closest = area ? `; closest di + de = ${number(least)} Å` : "";
    const where = this.choice ? ` with di ${number(this.choice[0])}–${number(this.choice[1])}, de ${number(this.choice[2])}–${number(this.choice[3])} Å` : "";
    this.chosen.textContent = `Chosen${where}: ${area.toFixed(1)} Å², ${this.share.toFixed(1)} %${closest}`;
    this.draw();
    this.view.stage.draw();
  }

  counted() {
    const { position } = this.surface.mesh.geometry.attributes;
    const corners = [0, 1, 2].map(() => new THREE.Vector3());
    const triangle = new THREE.Triangle(...corners);
    const area = (...abc) => {
      corners.forEach((corner, k) => corner.fromBufferAttribute(position, abc[k]));
      return triangle.getArea();
    };
    const belongs = (i) => this.shown < 0 || this.pair[i] === this.shown;
    const { di, de } = this;
    return binned({ di, de, faces: this.surface.mesh.geometry.index.array, area, belongs }, { low: LOW, high: HIGH, bins: BINS });
  }

  draw() {
    const c = this.context;
    const counts = (this.counts ??= this.counted());
    c.fillStyle = paper();
    c.fillRect(0, 0, SIZE, SIZE);
    const width = (SIZE - MARGIN - 6) / BINS;
    const scale = (DARKEST * this.total) || 1;
    for (let b = 0; b < counts.length; b++) {
      if (!counts[b]) continue;
      const t = Math.min(1, counts[b] / scale);
      c.fillStyle = `hsl(${225 - 40 * t} 75% ${78 - 50 * t}%)`;
      c.fillRect(MARGIN + (b % BINS) * width, SIZE - MARGIN - (Math.floor(b / BINS) + 1) * width, width + 0.4, width + 0.4);
    }
    this.drawAxes(c);
    if (this.choice) {
      const [a, b, d, e] = this.choice.map(pixel);
      c.strokeStyle = ink("#b3261e");
      c.lineWidth = 1.5;
      c.strokeRect(a, SIZE - e, b - a, e - d);
    }
    if (this.mark !== undefined) {
      c.strokeStyle = ink("#000");
      c.lineWidth = 2;
      c.beginPath();
      c.arc(pixel(this.di[this.mark]), SIZE - pixel(this.de[this.mark]), 5, 0, 7);
      c.stroke();
    }
  }

  drawAxes(c) {
    c.strokeStyle = ink("#777");
    c.fillStyle = ink("#333");
    c.lineWidth = 1;
    c.font = "11px sans-serif";
    c.strokeRect(MARGIN, 6, SIZE - MARGIN - 6, SIZE - MARGIN - 6);
    for (let x = 0.6; x < HIGH - 0.1; x += 0.4) {
      c.textAlign = "center";
      c.fillText(x.toFixed(1), pixel(x), SIZE - MARGIN + 13);
      c.textAlign = "right";
      c.fillText(x.toFixed(1), MARGIN - 4, SIZE - pixel(x) + 4);
    }
    c.textAlign = "right";
    c.fillText("di / Å", SIZE - 8, SIZE - 3);
    c.textAlign = "left";
    c.fillText("de / Å", MARGIN + 5, 18);
  }

  // The vertex of the surface under a point of the scene's canvas (CSS px).
  hover(x, y) {
    const { stage } = this.view;
    const ray = new THREE.Raycaster();
    ray.setFromCamera(new THREE.Vector2((2 * x) / stage.width - 1, 1 - (2 * y) / stage.height), stage.lastCamera ?? stage.camera());
    const hit = x < 0 ? null : ray.intersectObject(this.surface.mesh, false)[0];
    const mark = hit ? this.nearest(hit) : undefined;
    if (mark === this.mark) return;
    this.mark = mark;
    this.met.textContent = mark === undefined ? "" : this.described(mark);
    this.draw();
  }

  nearest({ face, point }) {
    const place = this.surface.mesh.worldToLocal(point.clone());
    const at = this.surface.mesh.geometry.attributes.position;
    const away = (i) => Math.hypot(at.getX(i) - place.x, at.getY(i) - place.y, at.getZ(i) - place.z);
    return [face.a, face.b, face.c].sort((i, j) => away(i) - away(j))[0];
  }

  described(i) {
    const values = Object.entries(this.properties).map(([name, p]) => `${NAMES[name] ?? name} ${number(p.values[i])}`);
    return `${this.said.touches[this.touch[i]]}: ${values.join(", ")}`;
  }

  close() {
    this.node.remove();
  }
}
