// The bar of buttons. Each does what its key does and shows its state.
import { element } from "../../shared_js/twin.js";

function button(text, title, action, italic = false) {
  const label = italic ? element("i", {}, text) : text;
  return element("button", { type: "button", title, "aria-label": title, onclick: action }, label);
}

function choice(title, options, value, change) {
  const made = element("select", { title, "aria-label": title, onchange: (e) => change(e.target.value) });
  for (const [key, text] of options) made.append(element("option", { value: key, selected: key === value }, text));
  return made;
}

export class Toolbar {
  constructor(view) {
    this.view = view;
    const o = view.options;
    this.slider = element("input", {
      type: "range", min: 1, max: 99, step: 1, value: Math.round(100 * o.ellipsoids), style: "width:90px",
      "aria-label": "Probability of the displacement ellipsoids in per cent",
      oninput: (e) => view.setProbability(Number(e.target.value) / 100),
    });
    this.percent = element("span", { style: "min-width:2.9em" });
    this.grow = choice(
      "What is shown",
      [["auto", "molecules"], ["none", "asymmetric unit"], ["cell", "cell, all atoms"], ["molecules", "cell, molecules"], ["contacts", "short contacts"], ["radius", "within radius"]],
      o.grow, (value) => view.askFor({ grow: value }),
    );
    this.radius = element("input", {
      type: "number", min: 1, max: 15, step: 0.5, value: o.radius, style: "width:4em", title: "Radius in Å", "aria-label": "Radius in ångström",
      onchange: (e) => view.askFor({ grow: "radius", radius: Number(e.target.value) }),
    });
    // Every group of every assembly by itself, beside the usual choices.
    const parts = view.scene.parts.map(([assembly, group, words]) => [`${assembly}\t${group}`, words]);
    this.disorder = choice("Disorder", [["all", "all parts"], ["major", "major part"], ["minor", "minor part"], ...parts], o.disorder, (value) => {
      const [assembly, group] = value.split("\t");
      view.askFor({ disorder: group === undefined ? value : { [assembly]: Number(group) } });
    });
    this.palette = choice("Colours", [["cpk", "CPK colours"], ["okabe-ito", "colour-blind safe"], ["grey", "grey"]], o.palette, (value) => view.setPalette(value));
    this.toggles = {
      labels: button("Labels", "Labels (L)", () => view.cycleLabels()),
      hydrogens: button("H", "Hydrogen atoms (H)", () => view.cycleHydrogens()),
      cell: button("Cell", "Unit cell (C)", () => view.toggleCell()),
      hbonds: button("H bonds", "Hydrogen bonds (B)", () => view.toggleHydrogenBonds()),
      measure: button("Measure", "Measure distance, angle, torsion (M)", () => view.measuring.toggle("points")),
      edit: button("Edit", "Edit the model: elements, parts, occupancies, atoms from peaks (E)", () => view.editing.toggleOn()),
      plane: button("Plane", "Plane through three or more atoms (F)", () => view.measuring.toggle("plane")),
      perspective: button("Persp.", "Perspective (P)", () => view.togglePerspective()),
    };
    const along = ["a", "b", "c", "a*", "b*", "c*"].map((name) => button(name, `View along ${name}`, () => view.lookAlong(name), true));
    const group = (...nodes) => element("span", { class: "qcv-group" }, ...nodes);
    this.node = element("div", { class: "qcv-bar", role: "toolbar", "aria-label": "Structure view" },
      group(this.grow, this.radius, button("+", "Grow by one bond (G)", () => view.grow())),
      view.scene.disordered ? this.disorder : null,
      group(...Object.values(this.toggles)),
      group(element("label", {}, this.slider), this.percent),
      group("along", ...along, button("⟲", "Reset the view (R)", () => view.reset())),
      this.palette,
      group(button("PNG", "Save a PNG with 300 dpi (X)", () => view.savePng()), button("SVG", "Save an SVG (S)", () => view.saveSvg())),
      button("?", "Keys (?)", () => view.toggleHelp()),
    );
    this.draw();
  }

  draw() {
    const { view } = this;
    const press = (name, on) => this.toggles[name].setAttribute("aria-pressed", String(Boolean(on)));
    press("labels", view.overlay.labels);
    press("hydrogens", view.options.hydrogens !== "none");
    press("cell", view.options.cell);
    press("hbonds", view.options.hydrogen_bonds);
    press("measure", view.measuring.mode === "points");
    press("edit", view.editing.on);
    press("plane", view.measuring.mode === "plane");
    press("perspective", view.stage.perspective);
    this.percent.textContent = `${Math.round(100 * view.options.ellipsoids)} %`;
    this.slider.value = Math.round(100 * view.options.ellipsoids);
    this.grow.value = view.options.grow;
    this.radius.hidden = view.options.grow !== "radius";
    this.disorder.value = view.options.disorder;
    this.palette.value = view.options.palette;
  }
}
