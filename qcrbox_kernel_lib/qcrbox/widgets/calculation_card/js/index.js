// The card of one calculation. All state comes from the kernel as `state`; here it is only drawn.
import { coverTwin, element, installStyle } from "../../shared_js/twin.js";
import css from "./card.css";
import { LogPanel, continued } from "./log.js";
import { LivePlot } from "./plot.js";
import chartCss from "../../chart/js/chart.css";

const ICON = { submitted: "◷", running: "▶", successful: "✓", failed: "✗", cancelled: "⊘", unknown: "?" };
// The colours of qcrbox/markup/colours.py.
const COLOUR = {
  successful: "var(--qcrbox-good-color,#1a7f37)",
  failed: "var(--qcrbox-bad-color,#b42318)",
  cancelled: "var(--qcrbox-quiet-color,#5f6773)",
  running: "var(--qcrbox-busy-color,#0b62c4)",
};
const AMBER = "var(--qcrbox-warn-color,#8a6100)";
const SMALL_IS_LOGARITHMIC = new Set(["max_shift_su", "mean_shift_su"]);

function spark(values, logarithmic) {
  const points = values.filter((v) => Number.isFinite(v) && (!logarithmic || v > 0)).map((v) => (logarithmic ? Math.log10(v) : v));
  if (points.length < 2) return null;
  const [low, high] = [Math.min(...points), Math.max(...points)];
  const [w, h] = [84, 20];
  const path = points
    .map((v, i) => `${i ? "L" : "M"}${((i / (points.length - 1)) * (w - 4) + 2).toFixed(1)} ${(h - 3 - ((v - low) / (high - low || 1)) * (h - 6)).toFixed(1)}`)
    .join("");
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [k, v] of Object.entries({ width: w, height: h, "aria-hidden": "true" })) svg.setAttribute(k, v);
  const line = document.createElementNS(svg.namespaceURI, "path");
  for (const [k, v] of Object.entries({ d: path, fill: "none", stroke: "currentColor", "stroke-width": 1.4 })) line.setAttribute(k, v);
  svg.append(line);
  return svg;
}

/** A figure of merit as print sets it: R1, wR2 and S with their letters in italics. */
function figureName(label) {
  const found = /^(w?R|S)(\d?)$/.exec(label);
  return found ? [element("i", {}, found[1]), found[2]] : [label];
}

function seconds(s) {
  if (s == null) return "";
  return s < 90 ? `${s.toFixed(s < 10 ? 1 : 0)} s` : s < 5400 ? `${Math.round(s / 60)} min` : `${(s / 3600).toFixed(1)} h`;
}

class Card {
  constructor(model, el) {
    this.model = model;
    this.cancelAsked = false;
    this.log = new LogPanel(() => model.send({ do: "log" }));
    this.state = element("span", { class: "qcc-state", role: "status", "aria-live": "polite" });
    this.title = element("b");
    this.id = element("span", { class: "qcc-id" });
    this.time = element("span", { class: "qcc-dim" });
    this.cancel = element("button", { type: "button", onclick: () => this.askToCancel() }, "Cancel");
    this.logButton = element("button", { type: "button", "aria-expanded": "false", onclick: () => this.toggleLog() }, "Log");
    this.plot = new LivePlot();
    this.plotButton = element("button", { type: "button", "aria-expanded": "false", onclick: () => this.plotButton.setAttribute("aria-expanded", String(this.plot.toggle(this.model.get("state").history))) }, "Plot");
    this.fill = element("div");
    this.bar = element("div", { class: "qcc-bar", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100 }, this.fill);
    this.says = element("div");
    this.figures = element("div", { class: "qcc-figures" });
    this.warnings = element("div");
    this.error = element("pre", { class: "qcc-error" });
    this.details = element("details", {}, element("summary", {}, "Details"), element("pre", {}));
    const head = element("div", { class: "qcc-head" }, this.state, this.title, this.id, element("span", { class: "qcc-spacer" }), this.time, element("span", { class: "qcc-buttons" }, this.plotButton, this.logButton, this.cancel));
    this.node = element("section", { class: "qcc" }, head, this.bar, this.says, this.figures, this.plot.node, this.warnings, this.error, this.details, this.log.node);
    this.node.dataset.lmSuppressShortcuts = "true";
    el.append(this.node);
    this.draw();
  }

  /** The clock of the title is a `time` element: Lab writes it for its reader. Left alone while it stays the same. */
  drawTitle(s) {
    const title = s.title || `${s.application}.${s.name}`;
    if (this.titled === title) return;
    this.titled = title;
    const clock = s.title_at ? [element("time", { class: "qcrbox-Moment", datetime: s.title_at, title: s.title_at }, title.slice(s.title_words.length))] : [];
    this.title.replaceChildren(s.title_at ? s.title_words : title, ...clock);
  }

  draw() {
    const s = this.model.get("state");
    // A notebook that was saved long ago has no word of its state.
    const word = s.word ?? s.status;
    const step = s.step && s.step !== word && !s.final ? ` · ${s.step}` : "";
    const words = s.doubt ? `⚠ ${word}, ${s.doubt}` : `${ICON[s.status] ?? "?"} ${word}${step}`;
    if (this.state.textContent !== words) this.state.textContent = words;
    this.node.style.setProperty("--qcc-colour", s.doubt ? AMBER : (COLOUR[s.status] ?? AMBER));
    this.drawTitle(s);
    this.node.setAttribute("aria-label", `Calculation ${s.title || s.name}, ${s.short_id}`);
    this.id.textContent = s.short_id;
    this.time.textContent = seconds(s.elapsed_s);
    this.cancel.hidden = s.final;
    const known = s.fraction != null && !s.final;
    this.bar.hidden = !known;
    if (known) {
      const percent = Math.round(100 * s.fraction);
      this.fill.style.width = `${percent}%`;
      this.bar.setAttribute("aria-valuenow", percent);
    }
    const lost = s.lost_s ? `Connection lost ${seconds(s.lost_s)} ago; the calculation is still running. Retrying…` : "";
    this.says.textContent = lost || this.refusal || s.queue || (s.final ? "" : s.text) || "";
    this.drawFigures(s);
    this.drawRemarks(s);
    this.error.hidden = !s.error;
    this.error.textContent = s.error || "";
    this.details.hidden = !s.details;
    this.details.lastChild.textContent = s.details || "";
    if (s.log.length) this.show(this.whole ? continued(this.log.lines, s.log) : s.log);
  }

  /** Drawn where it has changed, so that a reader's selection stays. */
  show(lines) {
    if (lines !== this.log.lines) this.log.set(lines);
  }

  /** Warnings with their sign, what was not applied as a list, notes folded. */
  drawRemarks(s) {
    const said = JSON.stringify([s.warnings, s.not_applied, s.notes]);
    if (said === this.said) return; // an open fold stays open
    this.said = said;
    const list = (texts) => element("ul", {}, ...texts.map((text) => element("li", {}, text)));
    const parts = s.warnings.map((text) => element("div", { class: "qcc-warning" }, `⚠ ${text}`));
    if (s.not_applied.length) parts.push(element("div", {}, "Not applied:", list(s.not_applied)));
    if (s.notes.length) parts.push(element("details", {}, element("summary", {}, `Notes (${s.notes.length})`), list(s.notes)));
    this.warnings.replaceChildren(...parts);
  }

  drawFigures(s) {
    const shown = s.figures.map(({ name, label, text }) => {
      const curve = spark(s.history.map((row) => row[name]), SMALL_IS_LOGARITHMIC.has(name));
      return element("div", { class: "qcc-figure" }, element("div", {}, ...figureName(label)), element("div", {}, text), curve);
    });
    this.figures.replaceChildren(...shown);
    this.plotButton.hidden = !LivePlot.knows(s.history);
    this.plot.draw(s.history);
  }

  askToCancel() {
    if (!this.cancelAsked) {
      this.cancelAsked = true;
      this.cancel.textContent = "Really cancel?";
      setTimeout(() => {
        if (this.cancel.disabled) return;
        this.cancelAsked = false;
        this.cancel.textContent = "Cancel";
      }, 4000);
      return;
    }
    this.refusal = "";
    this.model.send({ do: "cancel" });
    this.cancel.textContent = "cancelling…";
    this.cancel.disabled = true;
  }

  toggleLog() {
    this.logButton.setAttribute("aria-expanded", String(this.log.toggle()));
    if (this.log.open && !this.log.lines.length) this.model.send({ do: "log" });
  }

  heard(message) {
    if (typeof message.log === "string") {
      this.whole = true;
      const lines = message.log.replace(/\n$/, "").split("\n");
      this.log.set(lines.filter((line) => line || lines.length > 1));
    }
    if (message.error) {
      this.says.textContent = this.refusal = message.error;
      this.cancelAsked = this.cancel.disabled = false;
      this.cancel.textContent = "Cancel";
    }
  }
}

function render({ model, el }) {
  installStyle("qcrbox-card-style", css);
  installStyle("qcrbox-chart-style", chartCss);
  const card = new Card(model, el);
  const uncover = coverTwin(model.get("twin"));
  const redraw = () => card.draw();
  const heard = (message) => card.heard(message);
  model.on("change:state", redraw);
  model.on("msg:custom", heard);
  return () => {
    model.off("change:state", redraw);
    model.off("msg:custom", heard);
    uncover();
  };
}

export default { render };
