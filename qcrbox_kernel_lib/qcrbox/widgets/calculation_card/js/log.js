// The log under the card: follows the program, can be searched, jumps to the first error.
import { isErrorLine } from "../../shared_js/error_line.js";
import { element } from "../../shared_js/twin.js";

const MOST_LINES = 5000;
const ANSI = /\u001b\[[0-9;?]*[A-Za-z]/g;

const plain = (lines) => lines.slice(-MOST_LINES).map((line) => line.replace(ANSI, ""));

/** The log `lines` with what its newest lines `end` add; the same list where they add nothing, "…" where lines between were missed. */
export function continued(lines, end) {
  const newest = plain(end);
  for (let k = Math.min(lines.length, newest.length); k > 0; k--) {
    const at = lines.length - k;
    if (newest.slice(0, k).every((line, i) => line === lines[at + i])) return k === newest.length ? lines : [...lines, ...newest.slice(k)];
  }
  return lines.length ? [...lines, "…", ...newest] : newest;
}

export class LogPanel {
  constructor(askForAll) {
    this.lines = [];
    this.open = false;
    this.follow = true;
    this.view = element("pre", { class: "qcc-log", tabindex: "0", role: "log", "aria-label": "Log" });
    this.search = element("input", { type: "search", placeholder: "search the log", "aria-label": "Search the log" });
    this.search.addEventListener("input", () => this.draw());
    const first = element("button", { type: "button", onclick: () => this.toFirstError() }, "first error");
    this.followBox = element("input", { type: "checkbox", checked: true, onchange: (e) => (this.follow = e.target.checked) });
    const all = element("button", { type: "button", onclick: askForAll }, "whole log");
    const follow = element("label", {}, this.followBox, " follow");
    this.node = element("div", { hidden: true }, element("div", { class: "qcc-tools" }, this.search, first, all, follow), this.view);
    this.view.addEventListener("scroll", () => {
      const atEnd = this.view.scrollHeight - this.view.scrollTop - this.view.clientHeight < 8;
      if (!atEnd && this.follow) this.followBox.checked = this.follow = false;
    });
  }

  toggle() {
    this.open = !this.open;
    this.node.hidden = !this.open;
    this.draw();
    return this.open;
  }

  set(lines) {
    this.lines = plain(lines);
    this.draw();
  }

  draw() {
    if (!this.open) return;
    const wanted = this.search.value.toLowerCase();
    this.view.replaceChildren();
    for (const line of this.lines) {
      const at = wanted ? line.toLowerCase().indexOf(wanted) : -1;
      if (wanted && at < 0) continue;
      const row = element("div", isErrorLine(line) ? { class: "qcc-first" } : {});
      if (at < 0) row.textContent = line || " ";
      else row.append(line.slice(0, at), element("mark", {}, line.slice(at, at + wanted.length)), line.slice(at + wanted.length));
      this.view.append(row);
    }
    if (!this.view.firstChild) this.view.textContent = wanted ? "No line holds this." : "Nothing was written yet.";
    if (this.follow) this.view.scrollTop = this.view.scrollHeight;
  }

  toFirstError() {
    this.search.value = "";
    this.follow = this.followBox.checked = false;
    this.draw();
    const found = this.view.querySelector(".qcc-first");
    if (found) this.view.scrollTop = found.offsetTop - this.view.offsetTop - 8;
  }
}
