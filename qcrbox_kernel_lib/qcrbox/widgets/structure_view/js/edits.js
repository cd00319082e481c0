// Changes of a model in the words of `edits=` of refine: which atoms are meant, what each line does, what is refused.
// Plain: no page, no kernel. The refinement applies the same words (app_images/refine/qcrbox_refine/edits.py); the
// cases of tests/edit_cases.json hold both together.

const SYMBOLS =
  "H D T He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr Nb Mo Tc Ru Rh " +
  "Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra " +
  "Ac Th Pa U Np Pu Am Cm Bk Cf";
export const ELEMENTS = SYMBOLS.split(" ");
const KNOWN = new Set(ELEMENTS);
const CARRIERS = ["C", "N", "O"]; // of hydrogen atoms that can be placed
const FARTHEST = 1000; // in cells; beyond it a number is no coordinate

export class EditError extends Error {
  constructor(what, why = "", next = "", where = "edits") {
    super([what, why, next].filter(Boolean).join(" "));
    Object.assign(this, { what, why, next, where });
  }
}

// "cl" → "Cl"; "Fe3+" keeps its charge. Throws EditError for what is no element.
export function elementOf(text) {
  const [, letters, charge] = /^([A-Za-z]{1,2})(\d*[+-]\d*)?$/.exec(text.trim()) ?? [];
  const symbol = letters ? letters[0].toUpperCase() + letters.slice(1).toLowerCase() : "";
  if (!KNOWN.has(symbol)) throw new EditError(`${text.trim() || "Nothing"} is no element with scattering factors.`, "", "Give a symbol such as C, N or Cl.");
  return symbol + (charge ?? "");
}

const symbolOf = (element) => /^[A-Za-z]*/.exec(element)[0];
const isHydrogen = (site) => ["H", "D", "T"].includes(symbolOf(site.element));
const same = (a, b) => a.toUpperCase() === b.toUpperCase();

function patternOf(text) {
  const escaped = text.toUpperCase().replace(/[.+^${}()|\\[\]]/g, "\\$&");
  return new RegExp(`^${escaped.replace(/\*/g, ".*").replace(/\?/g, ".")}$`);
}

// Sites whose labels fit the patterns; a label written with * or ? means that atom alone.
export function matching(sites, patterns) {
  if (!patterns.length) throw new EditError("No atom is named.", "", "Select atoms first, or give their labels.");
  const found = new Set();
  for (const text of patterns) {
    let hits = sites.filter((site) => same(site.label, text));
    if (!hits.length) hits = sites.filter((site) => patternOf(text).test(site.label.toUpperCase()));
    if (!hits.length) throw noAtom(sites, text);
    hits.forEach((site) => found.add(site));
  }
  return [...found];
}

function noAtom(sites, text) {
  const near = sites.filter((site) => same(site.label[0] ?? "", text[0] ?? "")).slice(0, 12);
  const why = near.length ? `Atoms that begin alike: ${near.map((site) => site.label).join(", ")}.` : "";
  return new EditError(`There is no atom ${text}.`, why, "Give labels as they stand in the atom list.");
}

// What a person types to select: labels with * and ?, $N for an element, C1 > C6 for a range in the order of the list.
export function chosen(sites, text) {
  const found = new Set();
  const words = text.replace(/\s*>\s*/g, ">").split(/[\s,]+/).filter(Boolean);
  if (!words.length) throw new EditError("Nothing was typed.", "", "For example C1 N2, C1*, $O or C1 > C6.");
  for (const word of words) {
    const [from, to] = word.split(">");
    let hits;
    if (to !== undefined) {
      const ends = [from, to].map((end) => sites.indexOf(matching(sites, [end])[0]));
      hits = sites.slice(Math.min(...ends), Math.max(...ends) + 1);
    } else if (word.startsWith("$")) {
      const element = elementOf(word.slice(1));
      hits = sites.filter((site) => symbolOf(site.element) === element);
      if (!hits.length) throw new EditError(`There is no ${element} in this structure.`, "", `It has ${elementsOf(sites).join(", ")}.`);
    } else hits = matching(sites, [word]);
    hits.forEach((site) => found.add(site.label));
  }
  return sites.map((site) => site.label).filter((label) => found.has(label));
}

export function elementsOf(sites) {
  return [...new Set(sites.map((site) => symbolOf(site.element)))].filter(Boolean).sort();
}

// The first free label of an element: C12 after C11.
export function freeLabel(sites, element) {
  const taken = new Set(sites.map((site) => site.label.toUpperCase()));
  const symbol = symbolOf(element);
  const numbers = sites.map((site) => new RegExp(`^${symbol}(\\d+)`, "i").exec(site.label)).filter(Boolean).map((m) => Number(m[1]));
  for (let number = Math.max(0, ...numbers) + 1; ; number++) if (!taken.has(`${symbol}${number}`.toUpperCase())) return `${symbol}${number}`;
}

// ---------------------------------------------------------------- lines

function number(text, what) {
  if (text === undefined) throw new EditError("Something is missing.");
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new EditError(`${text} is no number.`, "", what);
  return value;
}

function place(words) {
  const site = [0, 1, 2].map((k) => number(words[k], "Three fractional coordinates are needed."));
  if (site.some((value) => Math.abs(value) >= FARTHEST)) throw new EditError(`${words.slice(0, 3).join(" ")} are no fractional coordinates.`);
  return site;
}

function requireNew(sites, label, but) {
  if (sites.some((site) => site !== but && same(site.label, label))) throw new EditError(`There is already an atom ${label}.`, "", "Choose another label.");
}

function requireLabel(label) {
  if (!label || /[\s,;=]/.test(label)) throw new EditError(`${label || "Nothing"} cannot be a label.`, "A label has no spaces, commas, semicolons or equals signs.", "Choose another label.");
}

const change = (sites, which, how) => sites.map((site) => (which.includes(site) ? { ...site, ...how(site) } : site));

const ACTIONS = {
  delete: (sites, words) => {
    const gone = matching(sites, words);
    return sites.filter((site) => !gone.includes(site));
  },
  rename: (sites, [old, label]) => {
    const [site] = one(sites, old);
    requireLabel(label);
    requireNew(sites, label, site);
    return change(sites, [site], () => ({ label }));
  },
  element: (sites, words) => {
    const element = elementOf(words.at(-1) ?? "");
    return change(sites, matching(sites, words.slice(0, -1)), () => ({ element }));
  },
  occupancy: (sites, words) => {
    const value = number(words.at(-1), "An occupancy lies above 0 and not above 1.");
    if (!(value > 0 && value <= 1)) throw new EditError(`An occupancy lies above 0 and not above 1; you gave ${words.at(-1)}.`, "", "Use delete to take an atom out.");
    return change(sites, matching(sites, words.slice(0, -1)), () => ({ occupancy: value, ...(value === 1 ? { part: 0, assembly: "" } : {}) }));
  },
  part: (sites, words) => {
    if (!/^[+-]?\d+$/.test(words[0] ?? "")) throw new EditError(`${words[0] ?? "Nothing"} is no number of a part.`, "", "Give a whole number; 0 is ordered.");
    const part = Number(words[0]);
    const assembly = words.length > 2 && /^[A-Z]$/.test(words[1]) ? words[1] : "";
    return change(sites, matching(sites, words.slice(assembly ? 2 : 1)), (site) => ({ part, assembly: part ? assembly || site.assembly : "" }));
  },
  aniso: (sites, words) => change(sites, matching(sites, words), () => ({ aniso: true })),
  iso: (sites, words) => change(sites, matching(sites, words), () => ({ aniso: false })),
  riding: (sites, words) => change(sites, hydrogens(sites, words), (site) => (site.riding ? {} : { riding: true, aniso: false })),
  free: (sites, words) => change(sites, hydrogens(sites, words), () => ({ riding: false })),
  hydrogens: (sites, words) => {
    const atoms = matching(sites, words);
    const other = atoms.filter((site) => !CARRIERS.includes(site.element));
    if (other.length)
      throw new EditError(`Hydrogen atoms cannot be placed on ${other.map((site) => site.label).join(", ")}.`, `Their geometry is known for ${CARRIERS.join(", ")} only.`, "A difference peak can become a hydrogen atom.");
    return change(sites, atoms, () => ({ lacksHydrogen: true }));
  },
  move: (sites, words) => {
    const atoms = one(sites, words[0]);
    const site = place(words.slice(1));
    return change(sites, atoms, () => ({ site }));
  },
  add: (sites, words) => {
    requireLabel(words[0]);
    requireNew(sites, words[0]);
    const element = elementOf(words[1] ?? "");
    return [...sites, { label: words[0], element, part: 0, assembly: "", occupancy: 1, aniso: false, riding: false, site: place(words.slice(2)) }];
  },
  split: (sites, words) => {
    const [atom] = one(sites, words[0]);
    const share = number(words[1], "The share lies between 0 and 1.");
    if (!(share > 0 && share < 1)) throw new EditError(`The share of the first alternative lies between 0 and 1; you gave ${words[1]}.`);
    for (const letter of "AB") requireNew(sites, atom.label + letter);
    const rest = words.slice(2).filter((word) => word.toLowerCase() !== "at");
    const second = { site: words.length > 2 ? place(rest) : undefined };
    const used = new Set(sites.map((site) => site.assembly));
    const assembly = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"].find((letter) => !used.has(letter));
    const first = { ...atom, label: `${atom.label}A`, occupancy: atom.occupancy * share, part: 1, assembly, aniso: false };
    const other = { ...first, ...second, label: `${atom.label}B`, occupancy: atom.occupancy * (1 - share), part: 2, from: undefined };
    return sites.flatMap((site) => (site === atom ? [first, other] : [site]));
  },
};

// Patterns are not taken where one atom is meant.
function one(sites, label) {
  if (!label) throw new EditError("Something is missing.");
  const found = sites.find((site) => same(site.label, label));
  if (!found) throw noAtom(sites, label);
  return [found];
}

function hydrogens(sites, words) {
  const atoms = matching(sites, words).filter(isHydrogen);
  if (!atoms.length) throw new EditError(`There is no hydrogen atom among ${words.join(" ")}.`, "", "riding and free say how hydrogen atoms are refined.");
  return atoms;
}

export const WORDS = Object.keys(ACTIONS);

// The sites after one line. Throws EditError; `sites` stay as they are.
export function applied(sites, line) {
  const words = line.replace(/[=,]/g, " ").trim().split(/\s+/).filter(Boolean);
  if (!words.length) throw new EditError("The line is empty.", "", 'For example "element C3 N".');
  const action = ACTIONS[words[0].toLowerCase()];
  if (action && Object.hasOwn(ACTIONS, words[0].toLowerCase())) return action(sites, words.slice(1));
  if (line.includes("=") && words.length === 2) return ACTIONS.occupancy(sites, words);
  throw new EditError(`The edit "${line.trim()}" begins with an unknown word.`, `Known are: ${WORDS.join(", ")}.`, 'For example "element C3 N".');
}

// Lines for acts on atoms, as short as the words allow.
export const lineOf = {
  element: (labels, element) => `element ${labels.join(" ")} ${elementOf(element)}`,
  occupancy: (labels, value) => `occupancy ${labels.join(" ")} ${value.trim()}`,
  // A lone capital letter after the number would be read as the assembly: longer labels come first.
  part: (labels, number, assembly = "") => `part ${[number.trim(), assembly.trim().toUpperCase(), ...[...labels].sort((a, b) => Math.min(b.length, 2) - Math.min(a.length, 2))].filter(Boolean).join(" ")}`,
  delete: (labels) => `delete ${labels.join(" ")}`,
  aniso: (labels) => `aniso ${labels.join(" ")}`,
  iso: (labels) => `iso ${labels.join(" ")}`,
  riding: (labels) => `riding ${labels.join(" ")}`,
  hydrogens: (labels) => `hydrogens ${labels.join(" ")}`,
  rename: ([label], name) => `rename ${label} ${name.trim()}`,
  add: (label, element, site) => `add ${label} ${elementOf(element)} ${coordinates(site)}`,
  move: ([label], site) => `move ${label} ${coordinates(site)}`,
  split: ([label], share, site) => `split ${label} ${share.trim()}${site ? ` at ${coordinates(site)}` : ""}`,
};

const coordinates = (site) => site.map((value) => value.toFixed(5)).join(" ");

// The lines in order, with undo and redo; what is refused leaves them as they were.
export class Edits {
  constructor(sites) {
    this.start = sites.map((site, from) => ({ ...site, from }));
    this.history = [[]];
    this.at = 0;
  }

  get lines() {
    return this.history[this.at];
  }

  // As `edits=` takes them.
  get text() {
    return this.lines.join("; ");
  }

  get sites() {
    return this.after(this.lines);
  }

  after(lines) {
    return lines.reduce(applied, this.start);
  }

  // One line, or several separated by semicolons. Throws EditError.
  add(text) {
    const lines = text.split(/[;\n]/).map((line) => line.trim()).filter(Boolean);
    if (!lines.length) throw new EditError("Nothing was typed.", "", 'For example "element C3 N".');
    lines.reduce(applied, this.sites);
    this.put([...this.lines, ...lines]);
  }

  // Take a line out of the middle. Throws EditError when a later one needs it.
  remove(number) {
    const lines = this.lines.filter((_, k) => k !== number);
    try {
      this.after(lines);
    } catch (error) {
      throw new EditError(`"${this.lines[number]}" cannot be taken out.`, `A later line needs it: ${error.what}`, "Take that one out first.");
    }
    this.put(lines);
  }

  put(lines) {
    this.history = [...this.history.slice(0, this.at + 1), lines];
    this.at += 1;
  }

  get canUndo() {
    return this.at > 0;
  }

  get canRedo() {
    return this.at < this.history.length - 1;
  }

  undo() {
    if (this.canUndo) this.at -= 1;
  }

  redo() {
    if (this.canRedo) this.at += 1;
  }
}
