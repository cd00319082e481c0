// One pair of axes on a canvas: tens of thousands of points stay quick.
import { ink, paper } from "../../shared_js/theme.js";
import { element } from "../../shared_js/twin.js";
import { Scale, floats, text } from "./scale.js";

const [LEFT, RIGHT, TOP, BOTTOM, HEIGHT] = [58, 12, 24, 44, 310];
const NEAR = 14; // px from the pointer within which a point is meant

export class Panel {
  constructor(said, onPoint, onTake, alt) {
    Object.assign(this, { said, onPoint, onTake });
    this.series = said.series.map((one) => ({ ...one, x: floats(one.x), y: floats(one.y), labels: one.labels ? one.labels.split("\n") : [] }));
    this.x = new Scale(said.x, this.series.flatMap((one) => [...one.x]));
    this.y = new Scale(said.y, [...this.series.flatMap((one) => [...one.y]), ...said.levels.map(([value]) => value)]);
    this.taken = [];
    this.canvas = element("canvas", { tabindex: "0", role: "application", "aria-roledescription": "chart", "aria-label": `${said.title || said.y.label}. ${alt} Arrows walk from point to point.` });
    this.canvas.style.height = `${HEIGHT}px`;
    this.node = element("div", { class: "qch-panel" }, this.canvas, this.legend());
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(this.canvas);
    this.listen();
  }

  // Below the canvas, where it covers no point.
  legend() {
    const items = this.series.filter((series) => series.name).map((series) => {
      const key = element("canvas", { width: 56, height: 28, style: "width:28px;height:14px", "aria-hidden": "true" });
      const c = key.getContext("2d");
      c.scale(2, 2);
      c.strokeStyle = c.fillStyle = ink(series.colour);
      c.lineWidth = 1.5;
      if (series.kind !== "points") {
        c.setLineDash(series.dashed ? [3, 4] : []);
        c.beginPath();
        c.moveTo(2, 7);
        c.lineTo(26, 7);
        c.stroke();
        c.setLineDash([]);
      }
      if (series.kind !== "line") this.drawMarker(c, series, 14, 7);
      return element("span", {}, key, series.name);
    });
    return element("div", { class: "qch-legend" }, ...items);
  }

  // ---------------------------------------------------------------- drawing

  resize() {
    this.width = this.canvas.clientWidth;
    if (!this.width) return;
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    Object.assign(this.canvas, { width: this.width * ratio, height: HEIGHT * ratio });
    this.context = this.canvas.getContext("2d");
    this.context.scale(ratio, ratio);
    if (this.said.square) this.makeSquare();
    this.draw();
  }

  // One unit is as long across as upwards: the axis with room to spare shows more.
  makeSquare() {
    const { left, right, top, bottom } = this.box;
    const [wide, high] = [right - left, bottom - top];
    const unit = Math.max((this.x.whole[1] - this.x.whole[0]) / wide, (this.y.whole[1] - this.y.whole[0]) / high);
    for (const [scale, length] of [[this.x, wide], [this.y, high]]) {
      const middle = (scale.whole[0] + scale.whole[1]) / 2;
      scale.whole = [middle - (unit * length) / 2, middle + (unit * length) / 2];
      scale.shown = [...scale.whole];
    }
  }

  get box() {
    const top = this.said.top ? TOP + 22 : TOP;
    return { left: LEFT, right: this.width - RIGHT, top, bottom: HEIGHT - BOTTOM };
  }

  at(series, i) {
    const { left, right, top, bottom } = this.box;
    return [this.x.pixel(series.x[i], left, right), this.y.pixel(series.y[i], bottom, top)];
  }

  draw() {
    const c = this.context;
    if (!c) return;
    const { left, right, top, bottom } = this.box;
    c.fillStyle = paper();
    c.fillRect(0, 0, this.width, HEIGHT);
    this.drawAxes(c);
    c.save();
    c.beginPath();
    c.rect(left, top, right - left, bottom - top);
    c.clip();
    for (const [value, words] of this.said.levels) this.drawLevel(c, value, words);
    for (const series of this.series) this.drawSeries(c, series);
    this.drawMarks(c);
    c.restore();
    if (this.zoomed) {
      const [a, b] = this.zoomed;
      c.strokeStyle = ink("#0b62c4");
      c.setLineDash([4, 3]);
      c.strokeRect(Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.abs(a[0] - b[0]), Math.abs(a[1] - b[1]));
      c.setLineDash([]);
    }
  }

  drawAxes(c) {
    const { left, right, top, bottom } = this.box;
    c.strokeStyle = ink("#555");
    c.fillStyle = ink("#333");
    c.lineWidth = 1;
    c.font = "11px sans-serif";
    c.strokeRect(left + 0.5, top + 0.5, right - left, bottom - top);
    c.textAlign = "center";
    for (const [value, words] of this.x.ticks()) {
      const px = this.x.pixel(value, left, right);
      if (px < left - 1 || px > right + 1) continue;
      c.fillRect(px, bottom, 1, 4);
      c.fillText(words, px, bottom + 15);
    }
    for (const [value, words] of this.said.top?.ticks ?? []) {
      const px = this.x.pixel(value, left, right);
      if (px < left - 1 || px > right + 1) continue;
      c.fillRect(px, top - 4, 1, 4);
      c.fillText(words, px, top - 7);
    }
    if (this.said.top) c.fillText(this.said.top.label, (left + right) / 2, top - 20);
    c.textAlign = "right";
    for (const [value, words] of this.y.ticks()) {
      const py = this.y.pixel(value, bottom, top);
      if (py < top - 1 || py > bottom + 1) continue;
      c.fillRect(left - 4, py, 4, 1);
      c.fillText(words, left - 7, py + 4);
    }
    c.font = "12px sans-serif";
    c.textAlign = "center";
    c.fillText(this.said.x.label, (left + right) / 2, HEIGHT - 10);
    if (this.said.title) c.fillText(this.said.title, (left + right) / 2, 14);
    c.save();
    c.translate(13, (top + bottom) / 2);
    c.rotate(-Math.PI / 2);
    c.fillText(this.said.y.label, 0, 0);
    c.restore();
  }

  drawLevel(c, value, words) {
    const { left, right, top, bottom } = this.box;
    const py = this.y.pixel(value, bottom, top);
    c.strokeStyle = ink("#777");
    c.setLineDash([2, 3]);
    c.beginPath();
    c.moveTo(left, py);
    c.lineTo(right, py);
    c.stroke();
    c.setLineDash([]);
    c.fillStyle = ink("#555");
    c.font = "11px sans-serif";
    c.textAlign = "right";
    c.fillText(words, right - 4, py - 4);
  }

  drawSeries(c, series) {
    c.strokeStyle = c.fillStyle = ink(series.colour);
    c.lineWidth = 1.5;
    if (series.kind !== "points") {
      c.setLineDash(series.dashed ? [3, 4] : []);
      c.beginPath();
      let pen = false;
      for (let i = 0; i < series.x.length; i++) {
        const [px, py] = this.at(series, i);
        if (!Number.isFinite(px + py)) pen = false;
        else if (pen) c.lineTo(px, py);
        else {
          c.moveTo(px, py);
          pen = true;
        }
      }
      c.stroke();
      c.setLineDash([]);
      if (series.kind === "line") return;
    }
    const many = series.marker === ".";
    if (many) c.globalAlpha = 0.6;
    for (let i = 0; i < series.x.length; i++) {
      const [px, py] = this.at(series, i);
      if (!Number.isFinite(px + py)) continue;
      if (many) c.fillRect(px - 1.2, py - 1.2, 2.4, 2.4);
      else this.drawMarker(c, series, px, py);
    }
    c.globalAlpha = 1;
  }

  drawMarker(c, { marker, ring }, x, y) {
    c.beginPath();
    if (marker === "s") c.rect(x - 3.5, y - 3.5, 7, 7);
    else if (marker === "^" || marker === "v") {
      const up = marker === "^" ? -1 : 1;
      c.moveTo(x, y + 4.5 * up);
      c.lineTo(x + 4.5, y - 3.5 * up);
      c.lineTo(x - 4.5, y - 3.5 * up);
      c.closePath();
    } else c.arc(x, y, ring ? 5 : 4, 0, 7);
    ring ? c.stroke() : c.fill();
  }

  drawMarks(c) {
    const rings = [];
    for (const series of this.series)
      if (this.taken.length) series.labels.forEach((label, i) => this.taken.includes(label) && rings.push([series, i, "#b3261e"]));
    if (this.chosen) rings.push([this.chosen.series, this.chosen.i, "#000"]);
    for (const [series, i, colour] of rings) {
      const [px, py] = this.at(series, i);
      c.strokeStyle = ink(colour);
      c.lineWidth = 2;
      c.beginPath();
      c.arc(px, py, 7, 0, 7);
      c.stroke();
    }
  }

  // ---------------------------------------------------------------- reading

  listen() {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (e) => {
      canvas.focus();
      canvas.setPointerCapture(e.pointerId);
      this.zoomed = [[e.offsetX, e.offsetY], [e.offsetX, e.offsetY]];
    });
    canvas.addEventListener("pointermove", (e) => {
      if (this.zoomed) this.zoomed[1] = [e.offsetX, e.offsetY];
      else this.choose(this.nearest(e.offsetX, e.offsetY));
      this.draw();
    });
    canvas.addEventListener("pointerup", () => this.release());
    // A finger that scrolls the page: no zoom, and no box that stays.
    canvas.addEventListener("pointercancel", () => {
      this.zoomed = null;
      this.draw();
    });
    canvas.addEventListener("pointerleave", () => !this.zoomed && document.activeElement !== canvas && this.choose(null));
    canvas.addEventListener("dblclick", () => this.everything());
    canvas.addEventListener("keydown", (e) => this.key(e));
  }

  release() {
    const [a, b] = this.zoomed ?? [];
    this.zoomed = null;
    if (!a) return;
    const { left, right, top, bottom } = this.box;
    if (Math.abs(a[0] - b[0]) > 8 && Math.abs(a[1] - b[1]) > 8) {
      this.x.shown = [Math.min(a[0], b[0]), Math.max(a[0], b[0])].map((px) => this.x.value(px, left, right));
      this.y.shown = [Math.max(a[1], b[1]), Math.min(a[1], b[1])].map((py) => this.y.value(py, bottom, top));
    } else {
      this.choose(this.nearest(...b));
      if (this.chosen) this.onTake(this.described());
    }
    this.draw();
  }

  everything() {
    this.x.shown = [...this.x.whole];
    this.y.shown = [...this.y.whole];
    this.draw();
  }

  // Series whose points can be read; rings only point at others.
  get readable() {
    return this.series.filter((series) => series.kind !== "line" && !series.ring);
  }

  nearest(x, y) {
    let [best, distance] = [null, NEAR * NEAR];
    for (const series of this.readable)
      for (let i = 0; i < series.x.length; i++) {
        const [px, py] = this.at(series, i);
        const d = (px - x) ** 2 + (py - y) ** 2;
        if (d < distance) [best, distance] = [{ series, i }, d];
      }
    return best;
  }

  choose(point) {
    this.chosen = point;
    this.onPoint(point && this.described());
  }

  described() {
    const { series, i } = this.chosen;
    const label = series.labels[i] ?? "";
    const values = `${this.said.x.label}: ${text(series.x[i])}, ${series.name || this.said.y.label}: ${text(series.y[i])}`;
    return { label, words: label ? `${label} – ${values}` : values };
  }

  key(e) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
    const other = { ArrowUp: -1, ArrowDown: 1 }[e.key];
    if (step || other) this.walk(step ?? 0, other ?? 0);
    else if (e.key === "Enter" && this.chosen) this.onTake(this.described());
    else if (e.key === "0") this.everything();
    else if (e.key === "Escape") this.choose(null);
    else return;
    e.preventDefault();
    e.stopPropagation();
    this.draw();
  }

  // Left and right along a series in order of x, up and down from series to series.
  walk(step, other) {
    const { readable } = this;
    if (!readable.length) return;
    const now = this.chosen ?? { series: readable[0], i: this.inOrder(readable[0])[0] };
    const series = readable[(readable.indexOf(now.series) + other + readable.length) % readable.length];
    const order = this.inOrder(series);
    const place = this.chosen ? order.indexOf(now.i) + step : 0;
    const i = order[Math.min(order.length - 1, Math.max(0, place))];
    this.choose({ series, i });
  }

  inOrder(series) {
    return (series.order ??= [...series.x.keys()].sort((a, b) => series.x[a] - series.x[b]));
  }

  mark(labels) {
    this.taken = labels;
    this.draw();
  }

  close() {
    this.sizes.disconnect();
  }
}
