// Files as boxes, calculations round; arrows walk, Enter chooses; one chosen is opened, two files are compared.
import { ink, tint, watchTheme } from "../../shared_js/theme.js";
import { copyText } from "../../shared_js/copy.js";
import { coverTwin, element, installStyle } from "../../shared_js/twin.js";
import css from "./lineage.css";

const [COLUMN, ROW, WIDE, HIGH] = [190, 58, 150, 34];
const DOUBT = "⚠";
const MARK = { successful: "✓", failed: "✗", cancelled: "⊘", running: "▶", submitted: "◷" };
const NAMES = "http://www.w3.org/2000/svg";

function svg(tag, attributes, ...children) {
  const made = document.createElementNS(NAMES, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// Each picture has an arrow of its own: one shared by name is lost with the first picture that is hidden.
let pictures = 0;

class Lineage {
  constructor(model, el) {
    this.model = model;
    this.graph = model.get("graph");
    this.chosen = [];
    this.arrow = `qcl-arrow-${++pictures}`;
    this.says = element("div", { class: "qcl-says", role: "status", "aria-live": "polite" }, this.hint());
    this.code = element("code");
    const copy = element("button", { type: "button", onclick: async () => this.say((await copyText(this.code.textContent)) ? "copied" : "Select the line and copy it.") }, "Copy as code");
    this.codeBar = element("span", { hidden: true }, this.code, " ", copy);
    const save = element("button", { type: "button", onclick: () => this.save() }, "Save SVG");
    this.node = element("section", { class: "qcl" }, element("div", { class: "qcl-scroll" }, this.draw()), this.says, element("div", { class: "qcl-tools" }, this.codeBar, save));
    this.node.dataset.lmSuppressShortcuts = "true";
    el.append(this.node);
  }

  redraw() {
    this.chosen = [];
    this.codeBar.hidden = true;
    this.node.querySelector(".qcl-scroll").replaceChildren(this.draw());
  }

  hint() {
    return `${this.graph.nodes.length} files and calculations${this.graph.truncated ? ", more are not shown" : ""}. Arrows walk, Enter or a click chooses; two chosen files are compared.`;
  }

  say(text) {
    this.says.textContent = text;
  }

  draw() {
    const { nodes, edges } = this.graph;
    const place = new Map(nodes.map((n) => [n.id, [n.column * COLUMN + WIDE / 2 + 8, n.row * ROW + HIGH / 2 + 8]]));
    const width = (Math.max(0, ...nodes.map((n) => n.column)) + 1) * COLUMN + 10;
    const height = (Math.max(0, ...nodes.map((n) => n.row)) + 1) * ROW + 10;
    const lines = edges.filter((e) => place.has(e.source) && place.has(e.target)).map((e) => {
      const [[x1, y1], [x2, y2]] = [place.get(e.source), place.get(e.target)];
      const [a, b] = [x1 + WIDE / 2, x2 - WIDE / 2 - 3];
      const line = svg("path", { d: `M${a} ${y1}C${(a + b) / 2} ${y1} ${(a + b) / 2} ${y2} ${b} ${y2}`, fill: "none", stroke: ink("#777"), "marker-end": `url(#${this.arrow})` });
      if (e.role) line.append(svg("title", {}, e.role));
      return line;
    });
    this.items = nodes.map((n, i) => this.item(n, i, place.get(n.id)));
    const arrow = svg("marker", { id: this.arrow, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" }, svg("path", { d: "M0 0L8 4L0 8z", fill: ink("#777") }));
    return svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "tree", "aria-label": "Lineage" }, svg("defs", {}, arrow), ...lines, ...this.items);
  }

  item(n, i, [x, y]) {
    const round = n.kind === "calculation" || n.kind === "batch";
    const calculated = n.doubtful ? [tint("#fff3dc"), ink("#8a5a00")] : [tint("#e8f0fb"), ink("#0b62c4")];
    const [fill, stroke] = round ? calculated : n.kind === "hidden" ? [tint("#f2f2f2"), ink("#999")] : [tint("#fffdf5"), ink("#8a6100")];
    const box = svg("rect", { x: x - WIDE / 2, y: y - HIGH / 2, width: WIDE, height: HIGH, rx: round ? HIGH / 2 : 3, fill, stroke, "stroke-width": n.id === this.graph.focus ? 2.6 : 1.2 });
    if (n.status && n.status !== "successful") box.setAttribute("stroke-dasharray", "5 3");
    const text = `${n.doubtful ? DOUBT : (MARK[n.status] ?? "")} ${n.label}`.trim();
    // How it ended stands below the name, which may be cut; the title has both in full.
    const lines = n.verdict ? [[y - 7, text], [y + 8, n.verdict]] : [[y, text]];
    const labels = lines.map(([at, line]) => svg("text", { x, y: at, "text-anchor": "middle", "dominant-baseline": "central", fill: ink("#222") }, line.length > 21 ? `${line.slice(0, 20)}…` : line));
    const item = svg("g", { role: "treeitem", tabindex: i ? -1 : 0, "aria-label": n.words, "aria-level": n.column + 1, "aria-selected": "false" }, svg("title", {}, n.words), box, ...labels);
    item.addEventListener("focus", () => this.tell(n));
    item.addEventListener("pointerenter", () => this.tell(n));
    item.addEventListener("click", () => this.choose(n));
    item.addEventListener("keydown", (e) => this.key(e, n));
    return item;
  }

  tell(n) {
    this.say(n.words);
  }

  choose(n) {
    if (!n.code) return;
    const there = this.chosen.includes(n);
    this.chosen = there ? this.chosen.filter((one) => one !== n) : [...this.chosen, n].slice(-2);
    this.graph.nodes.forEach((one, i) => {
      this.items[i].classList.toggle("chosen", this.chosen.includes(one));
      this.items[i].setAttribute("aria-selected", String(this.chosen.includes(one)));
    });
    const [one, other] = this.chosen;
    this.codeBar.hidden = !one;
    this.code.textContent = other ? `qc.diff(${one.code}, ${other.code})` : (one?.code ?? "");
  }

  key(e, n) {
    if (e.key === "Enter" || e.key === " ") this.choose(n);
    else if (e.key.startsWith("Arrow")) this.walk(e.key, n);
    else return;
    e.preventDefault();
    e.stopPropagation();
  }

  // Along the edges left and right, within a column up and down.
  walk(key, n) {
    const { nodes, edges } = this.graph;
    const ids = { ArrowRight: edges.filter((e) => e.source === n.id).map((e) => e.target), ArrowLeft: edges.filter((e) => e.target === n.id).map((e) => e.source) }[key];
    const step = key === "ArrowDown" ? 1 : -1;
    const column = nodes.filter((one) => one.column === n.column);
    const next = ids ? nodes.find((one) => ids.includes(one.id)) : column[column.indexOf(n) + step];
    if (!next) return;
    this.items.forEach((item, i) => item.setAttribute("tabindex", nodes[i] === next ? 0 : -1));
    this.items[nodes.indexOf(next)].focus();
  }

  save() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([this.model.get("svg")], { type: "image/svg+xml" }));
    link.download = "lineage.svg";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }
}

function render({ model, el }) {
  installStyle("qcrbox-lineage-style", css);
  const lineage = new Lineage(model, el);
  const unwatch = watchTheme(() => lineage.redraw());
  const uncover = coverTwin(model.get("twin"));
  return () => {
    unwatch();
    uncover();
  };
}

export default { render };
