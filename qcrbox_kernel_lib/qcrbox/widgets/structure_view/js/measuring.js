// Taking atoms and asking what lies between them: distances, angles, torsions; planes of any number of atoms.
const HINTS = {
  points: "Measure: take 2 atoms for a distance, 3 for an angle, 4 for a torsion; Esc ends.",
  plane: "Plane: take 3 or more atoms; F again begins the next plane, whose angle to this one is given; Esc ends.",
};

export class Measuring {
  constructor(view) {
    this.view = view;
    this.mode = null; // null, "points" or "plane"
    this.planeBefore = []; // atoms of the plane that was taken before
  }

  get overlay() {
    return this.view.overlay;
  }

  get on() {
    return this.mode !== null;
  }

  toggle(mode) {
    const { overlay, view } = this;
    if (mode === "plane" && this.mode === "plane" && overlay.picked.length >= 3) this.planeBefore = [...overlay.picked];
    else if (this.mode === mode) return this.end();
    else this.planeBefore = [];
    this.mode = mode;
    overlay.picked = [];
    view.node.classList.add("measuring");
    view.say(HINTS[mode]);
    view.toolbar.draw();
  }

  end() {
    this.mode = null;
    this.overlay.picked = [];
    this.view.node.classList.remove("measuring");
    this.view.toolbar.draw();
  }

  clear() {
    this.planeBefore = [];
    this.overlay.picked = [];
    this.overlay.measurements = [];
  }

  async take(row) {
    const { overlay, view } = this;
    if (!this.on) this.toggle("points");
    if (this.mode === "points" && overlay.picked.length >= 4) overlay.picked = [];
    const { picked } = overlay;
    if (picked.includes(row)) return;
    if (view.editing.isNew(row)) return view.say("A new atom can be measured after the next refinement.");
    picked.push(row);
    view.selected = [...picked];
    view.refreshMarks();
    const least = this.mode === "plane" ? 3 : 2;
    if (picked.length < least) return view.describe(row);
    const rows = [...picked];
    const plane = this.mode === "plane";
    const question = plane ? { do: "plane", rows, other: this.planeBefore } : { do: "measure", rows };
    try {
      const { text, kind, details } = await view.kernel.ask(question);
      // A further atom makes another thing of the same atoms: what stood there is replaced.
      overlay.measurements = overlay.measurements.filter((one) => !(rows.length > least && one.of === picked));
      overlay.measurements.push({ rows, text, of: picked, plane });
      const names = rows.map((i) => view.scene.labels[i]).join("–");
      view.say(`${kind} ${names} ${text}${details ? `; ${details}` : ""} (s.u. estimated without covariances)`);
      view.stage.draw();
    } catch (error) {
      view.say(error.message);
    }
  }
}
