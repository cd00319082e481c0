// What belongs to a density: its level, its peaks and holes as a list, a section through atoms.
import { element } from "../../shared_js/twin.js";
import { Isosurface } from "./isosurface.js";
import { PeakSpheres } from "./peaks.js";

export class DensityPanel {
  constructor(view) {
    this.view = view;
    this.shape = null;
    this.peaks = [];
    this.buttons = new Map();
    this.level = element("input", { type: "range", min: 1.5, max: 8, step: 0.1, style: "width:140px", "aria-label": "Level of the density in sigma", oninput: () => this.setLevel(Number(this.level.value)) });
    this.words = element("span", { role: "status" });
    this.sectionButton = element("button", { type: "button", title: "Contours in the plane of the taken atoms (3 or more)", onclick: () => this.section() }, "Section");
    this.ballsButton = element("button", { type: "button", title: "Difference peaks as spheres that can be clicked", "aria-pressed": "false", onclick: () => this.toggleBalls() }, "Peaks");
    this.node = element("div", { class: "qcv-bar", hidden: true }, this.level, this.words, this.sectionButton, this.ballsButton);
    this.areBallsShown = false;
    this.rows = element("tbody");
    const heads = ["peak", "", "σ", "nearest atom"].map((name) => element("th", { scope: "col" }, name));
    this.unitHead = heads[1];
    const table = element("table", {}, element("thead", {}, element("tr", {}, ...heads)), this.rows);
    this.list = element("details", { hidden: true }, element("summary", {}, "Peaks and holes"), element("div", { class: "qcv-table" }, table));
    this.picture = element("figure", { class: "qcv-section", hidden: true });
  }

  take(said) {
    const { view } = this;
    this.shape?.clear();
    this.shape = said?.values ? new Isosurface(said) : null;
    this.unitHead.textContent = said?.unit ?? "";
    this.node.hidden = !this.shape;
    this.picture.hidden = true;
    this.showPeaks(said?.peaks ?? []);
    if (this.shape) {
      const { maximum, minimum, sigma } = said;
      this.level.max = Math.max(8, this.shape.level, Math.floor((0.9 * Math.max(maximum, -minimum)) / (sigma || 1)));
      this.level.value = this.shape.level;
      view.stage.root.add(this.shape.group);
      this.draw();
    }
    view.editing.otherPeaks();
    view.stage.draw();
  }

  setLevel(level) {
    this.shape.level = level;
    cancelAnimationFrame(this.levelling);
    this.levelling = requestAnimationFrame(() => this.draw());
  }

  draw() {
    if (!this.shape) return;
    this.shape.draw(this.view.options.palette);
    this.words.textContent = this.shape.words();
    this.view.stage.draw();
  }

  showPeaks(peaks) {
    this.list.hidden = this.ballsButton.hidden = !peaks.length;
    this.view.overlay.peaks = [];
    this.peaks = peaks;
    this.buttons = new Map();
    this.makeBalls();
    this.rows.replaceChildren(
      ...peaks.map((peak) => {
        const button = element("button", { type: "button", "aria-pressed": "false", onclick: () => this.mark(peak, button) }, peak.name);
        this.buttons.set(peak, button);
        const cells = [peak.height, peak.sigmas, peak.nearest].map((text) => element("td", {}, text));
        return element("tr", {}, element("td", {}, button), ...cells);
      }),
    );
  }

  toggleBalls(shown = !this.areBallsShown) {
    this.areBallsShown = shown;
    this.makeBalls();
    this.view.stage.draw();
  }

  makeBalls() {
    this.balls?.dispose();
    this.balls = this.areBallsShown && this.peaks?.length ? new PeakSpheres(this.peaks) : null;
    if (this.balls) this.view.stage.root.add(this.balls.mesh);
    this.view.overlay.named = this.balls?.peaks ?? [];
    this.view.stage.showAlso(this.balls?.peaks.map(({ place }) => place) ?? []);
    this.ballsButton.setAttribute("aria-pressed", String(this.areBallsShown));
  }

  // The peak whose sphere is seen at a point of the canvas; an atom in front of it hides it.
  peakAt(x, y) {
    return this.balls?.pick(this.view.stage, x, y) ?? null;
  }

  // Mark these peaks and no others.
  markOnly(peaks) {
    for (const [peak, button] of this.buttons) button.setAttribute("aria-pressed", String(peaks.includes(peak)));
    this.view.overlay.peaks = [...peaks];
    this.view.stage.draw();
  }

  mark(peak, button) {
    if (this.view.editing.on) return this.view.editing.takePeak(peak);
    const { overlay, stage } = this.view;
    const shown = overlay.peaks.includes(peak);
    overlay.peaks = shown ? overlay.peaks.filter((one) => one !== peak) : [...overlay.peaks, peak];
    button.setAttribute("aria-pressed", String(!shown));
    this.view.say(shown ? "" : `${peak.name}: ${peak.height} ${peak.unit}, ${peak.nearest}`);
    stage.draw();
  }

  async section() {
    const rows = this.view.overlay.picked.length >= 3 ? this.view.overlay.picked : this.view.selected;
    if (rows.length < 3) return this.view.say("Take three atoms first (key F): the section goes through them.");
    this.view.say("…");
    try {
      const { png, alt } = await this.view.kernel.ask({ do: "section", rows });
      this.picture.replaceChildren(element("img", { src: `data:image/png;base64,${png}`, alt }), element("figcaption", {}, alt));
      this.picture.hidden = false;
      this.view.say(alt);
    } catch (error) {
      this.view.say(error.message);
    }
  }
}
