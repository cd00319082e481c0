// A chart to read with the pointer: names of points, zoom by dragging, arrows walk from point to point.
import { copyText } from "../../shared_js/copy.js";
import { watchTheme } from "../../shared_js/theme.js";
import { coverTwin, element, installStyle } from "../../shared_js/twin.js";
import css from "./chart.css";
import { Panel } from "./panel.js";

const HELP = "Drag: zoom. Double click or 0: everything. Arrows: from point to point. Enter: take the point. Esc: let go.";

class Chart {
  constructor(model, el) {
    const said = model.get("chart");
    this.picks = said.picks;
    this.taken = [];
    this.says = element("div", { class: "qch-says", role: "status", "aria-live": "polite" }, "\u00a0");
    this.panels = said.panels.map((panel) => new Panel(panel, (point) => this.point(point), (point) => this.take(point), model.get("alt")));
    this.code = element("code", { class: "qch-code" });
    const copy = element("button", { type: "button", onclick: async () => (this.says.textContent = (await copyText(this.code.textContent)) ? "copied" : "Select the text and copy it.") }, "Copy");
    this.list = element("div", { hidden: true }, this.code, " ", copy);
    const panels = element("div", { class: "qch-panels" }, ...this.panels.map((panel) => panel.node));
    this.node = element("section", { class: "qch", title: HELP }, panels, this.says, this.list);
    // Otherwise the notebook would take the keys as its own shortcuts.
    this.node.dataset.lmSuppressShortcuts = "true";
    el.append(this.node);
  }

  point(point) {
    this.says.textContent = point ? point.words : "\u00a0";
  }

  take(point) {
    if (!this.picks || !point.label) return;
    this.taken = this.taken.includes(point.label) ? this.taken.filter((one) => one !== point.label) : [...this.taken, point.label];
    this.list.hidden = !this.taken.length;
    this.code.textContent = `${this.picks}="${this.taken.join("; ")}"`;
    for (const panel of this.panels) panel.mark(this.taken);
  }

  close() {
    for (const panel of this.panels) panel.close();
  }
}

function render({ model, el }) {
  installStyle("qcrbox-chart-style", css);
  const chart = new Chart(model, el);
  const unwatch = watchTheme(() => chart.panels.forEach((panel) => panel.draw()));
  const uncover = coverTwin(model.get("twin"));
  return () => {
    chart.close();
    unwatch();
    uncover();
  };
}

export default { render };
