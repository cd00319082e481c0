// The way of a refinement while it runs: R values and shifts against the cycle, under the card.
import { Panel } from "../../chart/js/panel.js";
import { element } from "../../shared_js/twin.js";

const CONVERGED = 0.001;
const AXIS = { log: false, low: null, high: null, ticks: [] };
const PANELS = [
  { title: "Agreement", y: { ...AXIS, label: "R", low: 0 }, levels: [], of: [["R1", "R1", "o", "#0072B2"], ["wR2", "wR2", "s", "#D55E00"]] },
  {
    title: "Convergence", y: { ...AXIS, label: "shift / s.u.", log: true }, levels: [[CONVERGED, `converged < ${CONVERGED}`]],
    of: [["max_shift_su", "max shift/s.u.", "^", "#009E73"], ["mean_shift_su", "mean shift/s.u.", "v", "#CC79A7"]],
  },
];

export class LivePlot {
  constructor() {
    this.open = false;
    this.says = element("div", { class: "qch-says", role: "status", "aria-live": "polite" });
    this.row = element("div", { class: "qch-panels" });
    this.node = element("div", { class: "qch", hidden: true }, this.row, this.says);
    this.panels = [];
  }

  // Whether there is anything to draw.
  static knows(history) {
    return PANELS.some(({ of }) => of.some(([key]) => history.filter((row) => Number.isFinite(row[key])).length > 1));
  }

  toggle(history) {
    this.open = !this.open;
    this.node.hidden = !this.open;
    this.drawn = -1;
    this.draw(history);
    return this.open;
  }

  draw(history) {
    if (!this.open || history.length === this.drawn) return;
    this.drawn = history.length;
    this.panels.forEach((panel) => panel.close());
    this.panels = PANELS.map(({ title, y, levels, of }) => {
      const series = of.map(([key, name, marker, colour]) => {
        // A program may count its cycles anew: the order of the rows counts.
        const points = history.map((row, i) => [i + 1, row[key]]).filter(([, value]) => Number.isFinite(value));
        return { name, kind: "both", colour, marker, dashed: false, ring: false, labels: "", x: points.map(([x]) => x), y: points.map(([, value]) => value) };
      }).filter((one) => one.x.length);
      const said = { title, x: { ...AXIS, label: "cycle" }, y, top: null, square: false, levels: series.length ? levels : [], series };
      return new Panel(said, (point) => (this.says.textContent = point?.words ?? ""), () => {}, "");
    });
    this.row.replaceChildren(...this.panels.map((panel) => panel.node));
  }
}
