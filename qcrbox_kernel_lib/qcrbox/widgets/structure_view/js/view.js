// The view: one canvas, one overlay, one bar; everything a key or button does is a method here.
import { isDark, watchTheme } from "../../shared_js/theme.js";
import { element } from "../../shared_js/twin.js";
import { png, save } from "./export.js";
import { DensityPanel } from "./density_panel.js";
import { atoms, Editing } from "./editing.js";
import { Fingerprint } from "./fingerprint.js";
import { Kernel } from "./kernel.js";
import { HELP, onKey } from "./keyboard.js";
import { Measuring } from "./measuring.js";
import { Model, unpack } from "./model.js";
import { Overlay } from "./overlay.js";
import { listen } from "./pointer.js";
import { PropertySurface } from "./surface.js";
import { Stage } from "./stage.js";
import { Toolbar } from "./toolbar.js";

const STYLES = { octants: 0, rings: 1, plain: 2 };
const QUIET_MS = 900; // delay after the last movement before the camera is sent to the kernel

export class View {
  constructor(model, el) {
    this.model = model;
    this.kernel = new Kernel(model);
    this.scene = unpack(model.get("scene"));
    this.options = { ...this.scene.options };
    this.selected = [];
    this.hovered = -1;
    this.walked = -1;
    this.left = false;
    this.measuring = new Measuring(this);
    this.density = new DensityPanel(this);
    this.editing = new Editing(this);
    this.build(el);
    this.stage = new Stage(this.canvas, (stage) => this.overlay.draw(stage));
    this.overlay.labels = this.options.labels;
    this.stage.perspective = this.options.perspective;
    this.toolbar = new Toolbar(this);
    this.node.prepend(this.toolbar.node);
    this.takeScene(this.scene, true);
    this.takeDensity(model.get("density"));
    this.takeSurface(model.get("surface"));
    this.watchSize();
    this.unwatch = watchTheme(() => this.themeChanged());
    listen(this);
    this.joinOthers(model.get("link"));
    this.told = (message) => {
      if (!Array.isArray(message.highlight)) return;
      this.selected = message.highlight.filter((row) => row < this.scene.count);
      this.refreshMarks();
      this.say(this.selected.map((row) => this.scene.labels[row]).join(", "));
    };
    model.on("msg:custom", this.told);
  }

  // Coupled views follow each other; only the camera is sent.
  joinOthers(link) {
    if (!link) return;
    const name = `qcrbox-camera-${link}`;
    this.followed = (e) => {
      if (e.detail.from === this) return;
      const { turn, half, pan } = e.detail;
      this.stage.turn.copy(turn);
      this.stage.half = half;
      this.stage.pan.copy(pan);
      this.stage.isFitted = false;
      this.stage.quiet = true;
      this.stage.draw();
    };
    window.addEventListener(name, this.followed);
    this.leaveOthers = () => window.removeEventListener(name, this.followed);
    this.stage.onTurn = ({ turn, half, pan }) =>
      window.dispatchEvent(new CustomEvent(name, { detail: { from: this, turn, half, pan } }));
  }

  build(el) {
    this.canvas = element("canvas", { class: "qcv-canvas", tabindex: "0", role: "application", "aria-roledescription": "structure view" });
    this.overlay = new Overlay(element("canvas", { class: "qcv-overlay", "aria-hidden": "true" }));
    this.help = element("div", { class: "qcv-help", role: "dialog", "aria-label": "Keys", hidden: true });
    const rows = HELP.map(([keys, does]) => element("tr", {}, element("td", {}, element("kbd", {}, keys)), element("td", {}, does)));
    this.help.append(element("b", {}, "Keys, while the view has the focus"), element("table", {}, ...rows));
    this.holder = element("div", { class: "qcv-scene", style: `height:${Number(this.options.height) || 440}px` }, this.canvas, this.overlay.canvas, this.help);
    this.says = element("span", { role: "status", "aria-live": "polite" });
    this.counts = element("span");
    this.warning = element("div", { class: "qcv-warn", hidden: true });
    this.table = element("div", { class: "qcv-table" });
    this.twin = element("details", { ontoggle: () => this.twin.open && this.fillTable() }, element("summary", {}, "Atoms as a table"), this.table);
    this.surfaceText = element("div", { class: "qcv-bar", hidden: true });
    this.refining = element("div", { class: "qcv-bar", role: "status", hidden: true }, "A finer mesh is being computed …");
    this.node = element("section", { class: "qcv" }, this.editing.node, this.density.node, this.surfaceText, this.refining, this.holder, element("div", { class: "qcv-status" }, this.says, this.counts), this.warning, this.density.picture, this.density.list, this.twin);
    // Otherwise the notebook would take the letters as its own shortcuts.
    this.node.dataset.lmSuppressShortcuts = "true";
    this.node.addEventListener("keydown", (e) => {
      const onCanvas = e.target === this.canvas;
      if (onCanvas && onKey(this, e)) return this.cameraMoved();
      // After a click in the picture the keyboard is here, and Ctrl Z means the edits.
      if (onCanvas && this.editing.on) this.editing.key(e);
      e.stopPropagation();
    });
    this.canvas.addEventListener("focus", () => (this.left = false));
    el.append(this.node);
  }

  watchSize() {
    this.sizes = new ResizeObserver(() => {
      const { clientWidth, clientHeight } = this.holder;
      if (!clientWidth || !clientHeight) return;
      const first = !this.stage.width;
      this.stage.resize(clientWidth, clientHeight);
      if (first) this.reset(false);
    });
    this.sizes.observe(this.holder);
  }

  // ---------------------------------------------------------------- scenes

  takeScene(base, first = false) {
    const scene = this.editing.sceneOf(base);
    this.scene = scene;
    if (!first) this.options = { ...scene.options, labels: this.overlay.labels, palette: this.options.palette, ellipsoids: this.options.ellipsoids, cell: scene.options.cell, style: this.options.style };
    this.clearPicks();
    this.drawModel();
    if (!first) this.stage.fit();
    this.canvas.setAttribute("aria-label", `${scene.title}. ${scene.summary} Press ? for keys.`);
    this.counts.textContent = this.atomsInWords();
    this.warning.hidden = !scene.warnings.length;
    const said = scene.warnings.map((w) => element("div", {}, `⚠ ${w}`));
    const rest = said.splice(1);
    if (rest.length) said.push(element("details", {}, element("summary", {}, `${rest.length} more ${rest.length === 1 ? "note" : "notes"}`), ...rest));
    this.warning.replaceChildren(...said);
    if (this.twin.open) this.fillTable();
    this.toolbar?.draw();
    this.editing.draw();
  }

  // Without those that an edit deletes.
  atomsInWords() {
    return atoms(this.scene.count - this.scene.gone.reduce((sum, one) => sum + one, 0));
  }

  drawModel() {
    const old = this.stage.model;
    const model = new Model(this.scene);
    model.paint(this.options.palette);
    model.cell.visible = Boolean(this.options.cell);
    model.atoms.material.uniforms.uStyle.value = STYLES[this.options.style] ?? 0;
    model.scale = this.scaleOf(this.options.ellipsoids);
    this.stage.setModel(model);
    old?.dispose();
  }

  // The same atoms with other edits: the camera stays.
  redrawEdited(scene) {
    this.scene = scene;
    this.overlay.picked = [];
    this.counts.textContent = this.atomsInWords();
    this.drawModel();
    this.refreshMarks();
  }

  takeDensity(said) {
    this.density.take(said);
  }

  takeSurface(said) {
    const kept = this.fingerprint?.state();
    this.fingerprint?.close();
    this.fingerprint = null;
    this.surface?.dispose();
    this.surface = said?.vertices ? new PropertySurface(said, this.options.palette) : null;
    this.surfaceText.hidden = !this.surface;
    this.watchSurface(Boolean(said?.finer));
    if (this.surface) {
      this.stage.root.add(this.surface.mesh);
      this.surfaceText.textContent = this.surface.words();
      if (said.fingerprint) this.fingerprint = new Fingerprint(this, this.surface, kept);
    }
    const room = this.surface ? 2.2 : 0.8;
    if (room !== this.stage.room) {
      this.stage.room = room;
      if (this.stage.width) this.stage.fit();
    }
    this.stage.draw();
  }

  // The kernel computes a finer mesh while it is looked at.
  watchSurface(on) {
    this.refining.hidden = !on;
    if (on !== Boolean(this.watching)) this.kernel.tell({ do: "watch surface", on });
    this.watching = on;
  }

  scaleOf(probability) {
    return this.scene.scales[String(Math.min(99, Math.max(1, Math.round(100 * probability))))];
  }

  askFor(options) {
    this.say("…");
    Object.assign(this.options, options);
    this.kernel.ask({ do: "set", options }).then(() => this.say(""), (error) => this.say(error.message));
    this.toolbar.draw();
  }

  // What only this side draws differently: Python's picture has to know.
  note(options) {
    Object.assign(this.options, options);
    this.kernel.tell({ do: "note", options });
    this.toolbar.draw();
  }

  showNeighbours(which) {
    this.say("…");
    this.kernel.ask({ do: "neighbours", which }).then(() => this.say(this.atomsInWords()), (error) => this.say(error.message));
  }

  grow() {
    this.say("…");
    this.kernel.ask({ do: "grow", mode: "bond" }).then(() => this.say(this.atomsInWords()), (error) => this.say(error.message));
  }

  // ---------------------------------------------------------------- looks

  cycleLabels() {
    this.overlay.labels = { false: "heavy", heavy: true, true: false }[String(this.overlay.labels)];
    this.note({ labels: this.overlay.labels });
    this.stage.draw();
  }

  cycleHydrogens() {
    this.askFor({ hydrogens: { spheres: "displacement", displacement: "none", none: "spheres" }[this.options.hydrogens] });
  }

  cycleDisorder() {
    if (!this.scene.disordered) return this.say("There is no disorder.");
    this.askFor({ disorder: { all: "major", major: "minor", minor: "all" }[this.options.disorder] ?? "all" });
  }

  toggleHydrogenBonds() {
    this.askFor({ hydrogen_bonds: !this.options.hydrogen_bonds });
  }

  toggleCell() {
    this.stage.model.cell.visible = !this.stage.model.cell.visible;
    this.note({ cell: this.stage.model.cell.visible });
    this.stage.fit();
  }

  togglePerspective() {
    this.stage.perspective = !this.stage.perspective;
    this.note({ perspective: this.stage.perspective });
    this.stage.draw();
  }

  setProbability(p) {
    const probability = Math.min(0.99, Math.max(0.01, p));
    this.stage.model.scale = this.scaleOf(probability);
    this.options.ellipsoids = Math.round(probability * 100) / 100;
    clearTimeout(this.noting);
    this.noting = setTimeout(() => this.note({ ellipsoids: this.options.ellipsoids }), 300);
    this.toolbar.draw();
    this.stage.draw();
  }

  setPalette(name) {
    this.stage.model.paint(name);
    this.note({ palette: name });
    this.density.draw();
    if (this.surface) {
      this.surface.setPalette(name);
      this.surfaceText.textContent = this.surface.words();
      this.fingerprint?.apply();
    }
    this.stage.draw();
  }

  lookAlong(name) {
    this.stage.lookAlong(this.scene.directions[name]);
    this.say(`view along ${name}`);
    this.cameraMoved();
  }

  reset(tell = true) {
    this.stage.lookAlong(this.scene.directions[this.options.along] ?? this.scene.directions.best);
    if (tell) this.cameraMoved();
  }

  cameraMoved() {
    clearTimeout(this.moving);
    this.moving = setTimeout(() => {
      const { stage } = this;
      const across = stage.width * stage.angstromPerPixel;
      this.kernel.tell({ do: "camera", rotation: stage.rotation(), across, shift: [stage.pan.x, stage.pan.y] });
    }, QUIET_MS);
  }

  // ---------------------------------------------------------------- atoms

  say(text) {
    this.says.textContent = text;
  }

  async describe(row) {
    this.say(this.scene.descriptions?.[row] ?? this.scene.labels[row]);
    if (this.scene.descriptions || this.editing.isNew(row)) return;
    try {
      this.say((await this.kernel.ask({ do: "describe", row })).text);
    } catch {
      // The label is there already.
    }
  }

  // Once a frame, at the newest place: the pointer may leave in the frame of its last move.
  hover(...place) {
    this.pointed = place;
    this.hovering ||= requestAnimationFrame(() => {
      this.hovering = 0;
      const [x, y] = this.pointed;
      this.fingerprint?.hover(x, y);
      const row = x < 0 ? -1 : this.stage.pick(x, y);
      if (row === this.hovered) return;
      this.hovered = row;
      this.canvas.title = row < 0 ? "" : this.scene.labels[row];
      this.stage.model.mark(this.selected, row);
      this.stage.draw();
    });
  }

  click(x, y, more) {
    if (this.editing.click(x, y, more)) return;
    const row = this.stage.pick(x, y);
    if (row < 0) {
      if (!this.measuring.on) this.clearPicks();
      return;
    }
    this.walked = row;
    if (this.measuring.on || more) this.measuring.take(row);
    else {
      this.selected = [row];
      this.overlay.picked = [];
      this.refreshMarks();
      this.describe(row);
    }
  }

  walk(step) {
    if (this.left) return false;
    const n = this.scene.count;
    let next = this.walked + step;
    while (this.scene.gone[next]) next += step;
    if (next < 0 || next >= n) return (this.left = true), false;
    this.walked = next;
    if (!this.measuring.on && !this.editing.on) this.selected = [next];
    this.refreshMarks([...this.selected, next]);
    this.describe(next);
  }

  takeWalked() {
    if (this.walked < 0) return false;
    if (this.editing.on && !this.measuring.on) return this.editing.toggle(this.walked);
    this.measuring.take(this.walked);
  }

  escape() {
    if (!this.help.hidden) return this.toggleHelp();
    if (!this.selected.length && !this.overlay.measurements.length && !this.measuring.on) {
      this.left = true;
      this.say("Tab leaves the view.");
      return true;
    }
    if (this.measuring.on) this.measuring.end();
    this.clearPicks();
    this.say("cleared");
    return true;
  }

  clearPicks() {
    this.selected = [];
    this.editing.forget();
    this.walked = -1;
    this.measuring.clear();
    if (this.stage?.model) this.refreshMarks();
  }

  refreshMarks(rows = this.selected) {
    this.stage.model.mark(rows, this.hovered);
    this.stage.draw();
  }

  // ---------------------------------------------------------------- out

  toggleHelp() {
    this.help.hidden = !this.help.hidden;
  }

  get fileName() {
    return (this.scene.title || "structure").replace(/[^\w.-]+/g, "_").slice(0, 60);
  }

  // Ranges and levels go with the picture: without them its colours say nothing.
  legend() {
    return [this.density.shape?.words(), this.surface?.words()].filter(Boolean);
  }

  async savePng() {
    save(await png(this.stage, this.overlay, this.legend()), `${this.fileName}.png`);
    this.say("PNG saved, 300 dpi.");
  }

  async saveSvg() {
    const { stage } = this;
    const across = stage.width * stage.angstromPerPixel;
    this.kernel.tell({ do: "camera", rotation: stage.rotation(), across, shift: [stage.pan.x, stage.pan.y] });
    try {
      const { svg } = await this.kernel.ask({ do: "svg", width: Math.round(stage.width), height: Math.round(stage.height) });
      save(new Blob([svg], { type: "image/svg+xml" }), `${this.fileName}.svg`);
      this.say("SVG saved.");
    } catch (error) {
      this.say(error.message);
    }
  }

  async fillTable() {
    try {
      const { heads, rows } = await this.kernel.ask({ do: "table" });
      const line = (cells, tag) => element("tr", {}, ...cells.map((cell) => element(tag, tag === "th" ? { scope: "col" } : {}, cell)));
      this.table.replaceChildren(element("table", {}, element("thead", {}, line(heads, "th")), element("tbody", {}, ...rows.map((row) => line(row, "td")))));
    } catch (error) {
      this.table.textContent = error.message;
    }
  }

  themeChanged() {
    this.overlay.dark = isDark();
    this.stage.setPaper();
    this.fingerprint?.apply();
    this.stage.draw();
  }

  close() {
    this.watchSurface(false);
    this.unwatch();
    this.sizes.disconnect();
    this.leaveOthers?.();
    this.model.off("msg:custom", this.told);
    this.kernel.close();
    this.stage.dispose();
  }
}
