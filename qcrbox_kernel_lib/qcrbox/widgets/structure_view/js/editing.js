// Editing the model in the picture: what is selected, the buttons that act on it, the list of edits.
import { Vector3 } from "three";
import { copyText } from "../../shared_js/copy.js";
import { element } from "../../shared_js/twin.js";
import { editedScene } from "./edited_scene.js";
import { chosen, EditError, Edits, ELEMENTS, elementOf, elementsOf, freeLabel, lineOf } from "./edits.js";

let made = 0;

// "1 atom", "2 atoms"
export const atoms = (count) => `${count} ${count === 1 ? "atom" : "atoms"}`;

export class Editing {
  constructor(view) {
    this.view = view;
    this.on = false;
    this.boxing = false;
    this.labels = new Set(); // of the selected atoms, as they are called now
    this.peaks = []; // selected difference peaks
    this.id = `qcv-edit-${++made}`;
    this.node = element("div", { class: "qcv-edit", role: "region", "aria-label": "Edit the model", hidden: true });
    this.node.addEventListener("keydown", (e) => this.key(e));
  }

  // ---------------------------------------------------------------- the scene

  // The scene from the kernel as it looks with the edits.
  sceneOf(base) {
    const isOther = this.base && JSON.stringify(base.sites) !== JSON.stringify(this.base.sites);
    this.base = base;
    if (!this.edits || isOther) this.edits = new Edits(base.sites ?? []);
    return this.edited();
  }

  edited() {
    return editedScene(this.base, this.edits.sites, this.edits.lines.length > 0);
  }

  isNew(row) {
    return row >= this.base.count;
  }

  // ---------------------------------------------------------------- selection

  get rows() {
    const { labels } = this.view.scene;
    return labels.flatMap((label, row) => (this.labels.has(label) && !this.view.scene.gone[row] ? [row] : []));
  }

  toggleOn() {
    this.on = !this.on;
    if (this.on) {
      if (this.view.measuring.on) this.view.measuring.end();
      this.view.selected.forEach((row) => this.labels.add(this.view.scene.labels[row]));
      this.view.density.toggleBalls(true);
      // In Lab the tab shows the difference density, and with it the peaks.
      this.node.dispatchEvent(new CustomEvent("qcrbox-edit", { bubbles: true }));
      this.build();
    } else this.boxing = false;
    this.node.hidden = !this.on;
    this.view.node.classList.toggle("editing", this.on);
    this.view.toolbar.draw();
    this.draw();
    this.view.say(this.on ? "Edit: click atoms or peaks; Shift or Ctrl adds, dragging with Ctrl draws a box." : "");
  }

  // true where the click was meant for the selection.
  click(x, y, more) {
    if (!this.on || this.view.measuring.on) return false;
    const row = this.view.stage.pick(x, y);
    const found = row < 0 ? this.view.density.peakAt(x, y) : null;
    if (found) this.takePeak(found.peak, more);
    else if (row < 0) this.select([]);
    else {
      this.view.walked = row;
      more ? this.toggle(row) : this.select([this.view.scene.labels[row]]);
      this.view.describe(row);
    }
    return true;
  }

  toggle(row) {
    const label = this.view.scene.labels[row];
    this.labels.has(label) ? this.labels.delete(label) : this.labels.add(label);
    this.draw();
  }

  // A peak beside the selected atoms: it can become one, or tell one where to go.
  takePeak(peak) {
    this.peaks = this.peaks.includes(peak) ? [] : [peak];
    this.view.say(this.peaks.length ? `${peak.name}: ${peak.height} ${peak.unit}, ${peak.nearest}` : "");
    this.draw();
  }

  // Other peaks are shown, or none.
  otherPeaks() {
    this.peaks = [];
    if (this.on) this.draw();
  }

  select(labels, more = false) {
    this.labels = new Set(more ? [...this.labels, ...labels] : labels);
    if (!more) this.peaks = [];
    this.draw();
  }

  forget() {
    this.labels.clear();
    this.peaks = [];
    if (this.on) this.draw();
  }

  startsBox(event) {
    return this.on && event.button === 0 && (this.boxing || event.ctrlKey || event.metaKey);
  }

  takeBox([x0, y0, x1, y1], more) {
    const { stage, scene } = this.view;
    const inside = [];
    const point = new Vector3();
    for (let row = 0; row < scene.count; row++) {
      if (scene.gone[row]) continue;
      const { x, y } = stage.project(scene.positions, 3 * row, point);
      if (x >= Math.min(x0, x1) && x <= Math.max(x0, x1) && y >= Math.min(y0, y1) && y <= Math.max(y0, y1)) inside.push(scene.labels[row]);
    }
    this.select(inside, more);
    this.view.say(`${atoms(this.labels.size)} selected`);
  }

  // ---------------------------------------------------------------- acts

  // Runs `act` and shows what is refused where it was asked; answers whether nothing was.
  attempt(act) {
    this.problem.hidden = true;
    try {
      act();
      return true;
    } catch (error) {
      if (!(error instanceof EditError)) throw error;
      this.refuse(error);
      return false;
    }
  }

  refuse({ what, why, next }) {
    this.problem.replaceChildren(element("b", {}, what), why ? ` ${why}` : "", next ? ` ${next}` : "");
    this.problem.hidden = false;
  }

  act(line) {
    return this.attempt(() => {
      const before = new Set(this.edits.sites.map((site) => site.label));
      this.edits.add(line());
      // What was renamed or made stays selected under its name.
      const now = this.edits.sites.map((site) => site.label);
      const fresh = now.filter((label) => !before.has(label));
      this.labels = new Set([...this.labels, ...fresh].filter((label) => now.includes(label)));
      this.changed();
    });
  }

  get some() {
    if (!this.labels.size) throw new EditError("No atom is selected.", "", "Click atoms in the picture, or type their names under Select.");
    return this.edits.sites.map((site) => site.label).filter((label) => this.labels.has(label));
  }

  get single() {
    const some = this.some;
    if (some.length > 1) throw new EditError(`${some.length} atoms are selected.`, "This acts on one.", "Select one atom.");
    return some;
  }

  get peak() {
    if (!this.peaks.length) throw new EditError("No difference peak is selected.", "", "Click a brown sphere, or a name in the list of peaks.");
    return this.peaks[0];
  }

  atomFromPeak() {
    const isAdded = this.act(() => {
      const symbol = elementOf(this.newElement.value);
      const label = this.newLabel.value.trim() || freeLabel(this.edits.sites, symbol);
      return lineOf.add(label, symbol, this.peak.fract);
    });
    // What is refused, such as a name that is taken, can be corrected without choosing the peak again.
    if (!isAdded) return;
    this.peaks = [];
    this.newLabel.value = "";
    this.draw();
  }

  changed() {
    this.problem.hidden = true;
    this.view.redrawEdited(this.edited());
    this.draw();
    this.view.say(this.edits.lines.at(-1) ?? "no edits");
  }

  step(how) {
    this.edits[how]();
    this.changed();
  }

  key(event) {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    const how = { z: event.shiftKey ? "redo" : "undo", y: "redo" }[event.key.toLowerCase()];
    // In a field with text, its own undo is meant.
    if (!how || event.target.value) return;
    event.preventDefault();
    this.step(how);
  }

  run(form) {
    const edits = this.edits.text;
    this.node.dispatchEvent(new CustomEvent("qcrbox-refine", { bubbles: true, detail: { edits, form } }));
  }

  // ---------------------------------------------------------------- the panel

  build() {
    if (this.node.childElementCount) return;
    const field = (label, width, more = {}) => element("input", { type: "text", "aria-label": label, placeholder: more.placeholder ?? label, style: `width:${width}em`, autocomplete: "off", spellcheck: "false", ...more });
    const button = (text, title, onclick) => element("button", { type: "button", title, onclick }, text);
    // Enter in a field is its button.
    const pair = (input, text, title, act) => {
      input.addEventListener("keydown", (e) => e.key === "Enter" && (e.preventDefault(), act()));
      return element("span", { class: "qcv-group" }, input, button(text, title, act));
    };
    const group = (...nodes) => element("span", { class: "qcv-group" }, ...nodes);
    const row = (name, ...nodes) => element("div", { class: "qcv-edit-row", role: "group", "aria-label": name }, element("b", {}, name), ...nodes);

    this.names = field("Names to select", 16, { placeholder: "C1 N*, $O, C1 > C6" });
    this.elements = element("select", { "aria-label": "Select an element", onchange: () => this.attempt(() => (this.elements.value && this.select(chosen(this.edits.sites, `$${this.elements.value}`)), (this.elements.value = ""))) });
    this.boxButton = button("Box", "Drag a box around atoms; Shift adds (or drag with Ctrl at any time)", () => ((this.boxing = !this.boxing), this.draw()));
    this.count = element("output", { class: "qcv-edit-count" });
    const byName = () => this.attempt(() => this.select(chosen(this.edits.sites, this.names.value)));
    const known = element("datalist", { id: this.id }, ...ELEMENTS.map((symbol) => element("option", { value: symbol })));
    const symbol = field("Element", 4, { list: this.id });
    const part = field("Part", 3, { inputmode: "numeric" });
    const assembly = field("Assembly", 5);
    const occupancy = field("Occupancy", 6, { inputmode: "decimal" });
    const name = field("New name", 6);
    this.newElement = field("Element of the new atom", 4, { list: this.id, value: "C", placeholder: "C" });
    this.newLabel = field("Name of the new atom", 7, { placeholder: "name: next" });
    this.share = field("Share of the first alternative", 4, { value: "0.5", inputmode: "decimal", placeholder: "0.5" });
    this.peakWords = element("output");
    const own = field("Line of your own", 26, { placeholder: "split C7 0.88 at 0.40 0.69 0.22" });
    this.problem = element("div", { class: "qcv-edit-problem", role: "alert", hidden: true });
    this.list = element("ol", { class: "qcv-edit-lines", "aria-label": "Edits, in this order" });
    this.undoButton = button("Undo", "Undo (Ctrl Z)", () => this.step("undo"));
    this.redoButton = button("Redo", "Redo (Ctrl Shift Z)", () => this.step("redo"));
    this.copyButton = button("Copy as code", "edits=… for a notebook", () => copyText(`edits=${JSON.stringify(this.edits.text)}`).then(() => this.view.say("The edits are on the clipboard.")));
    this.runButtons = [button("Refine with these edits", "Run the next refinement of this structure with its reflections", () => this.run(false)), button("Options first …", "Open the form of the refinement with these edits", () => this.run(true))];
    this.runButtons[0].classList.add("qcv-primary");
    const canRun = Boolean(this.view.model.get("refine"));
    // Empty for the next line; what is refused stays to be corrected.
    const addOwn = () => this.act(() => own.value) && (own.value = "");
    const onAtoms = (how) => () => this.act(() => lineOf[how](this.some));

    this.node.replaceChildren(
      known,
      row("Select", pair(this.names, "Select", "Select by name: * and ? stand for letters, $N for an element, C1 > C6 for a range", byName), this.elements, group(button("All", "Select all atoms", () => this.select(this.edits.sites.map((site) => site.label))), button("None", "Select nothing (Esc)", () => this.select([])), this.boxButton), this.count),
      row(
        "Change",
        pair(symbol, "Set element", "Scatter as this element", () => this.act(() => lineOf.element(this.some, symbol.value))),
        element("span", { class: "qcv-group" }, pair(part, "Set part", "Disorder group; 0 is ordered", () => this.act(() => lineOf.part(this.some, part.value, assembly.value))), assembly),
        pair(occupancy, "Set occupancy", "Above 0 and not above 1", () => this.act(() => lineOf.occupancy(this.some, occupancy.value))),
        group(button("Anisotropic", "Anisotropic displacement parameters", onAtoms("aniso")), button("Isotropic", "Isotropic displacement parameter", onAtoms("iso"))),
        button("Add H", "Add the hydrogen atoms that these atoms lack", onAtoms("hydrogens")),
        pair(name, "Rename", "Rename one atom", () => this.act(() => lineOf.rename(this.single, name.value))),
        button("Delete", "Take the selected atoms out of the model", onAtoms("delete")),
      ),
      row(
        "Peak",
        this.peakWords,
        group(this.newElement, this.newLabel, button("New atom here", "The difference peak becomes an atom", () => this.atomFromPeak())),
        button("Move the atom here", "The selected atom goes to the peak", () => this.act(() => lineOf.move(this.single, this.peak.fract))),
        group(this.share, button("Split the atom to here", "Two alternatives: one where the atom is, one at the peak", () => this.act(() => lineOf.split(this.single, this.share.value, this.peak.fract)))),
      ),
      row("Line", pair(own, "Add", "In the words of edits=", addOwn)),
      this.problem,
      this.list,
      element("div", { class: "qcv-edit-row" }, this.undoButton, this.redoButton, this.copyButton, ...(canRun ? this.runButtons : [])),
    );
  }

  draw() {
    if (!this.edits) return;
    this.tell();
    if (!this.on) return;
    const { view, edits } = this;
    const some = edits.sites.map((site) => site.label).filter((label) => this.labels.has(label));
    this.count.textContent = some.length ? `${some.length} selected: ${some.slice(0, 8).join(", ")}${some.length > 8 ? " …" : ""}` : "nothing selected";
    this.elements.replaceChildren(element("option", { value: "" }, "element …"), ...elementsOf(edits.sites).map((symbol) => element("option", { value: symbol }, symbol)));
    this.boxButton.setAttribute("aria-pressed", String(this.boxing));
    const [peak] = this.peaks;
    const none = view.density.peaks?.length ? "none selected" : "no difference density is shown";
    this.peakWords.textContent = peak ? `${peak.name} ${peak.height} ${peak.unit}, ${peak.nearest}` : none;
    this.list.replaceChildren(
      ...edits.lines.map((line, k) => element("li", {}, element("code", {}, line), " ", element("button", { type: "button", "aria-label": `Take out: ${line}`, title: "Take this line out", onclick: () => this.attempt(() => (edits.remove(k), this.changed())) }, "×"))),
    );
    this.undoButton.disabled = !edits.canUndo;
    this.redoButton.disabled = !edits.canRedo;
    for (const each of [this.copyButton, ...this.runButtons]) each.disabled = !edits.lines.length;
    view.selected = this.rows;
    view.density.markOnly(this.peaks);
    if (view.stage?.model) view.refreshMarks();
  }

  // A notebook reads them: view.selected, view.edits.
  tell() {
    const state = JSON.stringify([[...this.labels], this.edits.text]);
    if (state === (this.told ?? '[[],""]')) return;
    this.told = state;
    this.view.kernel.tell({ do: "edits", selected: [...this.labels], text: this.edits.text });
  }
}
