// Keys work while the view has the focus, and only then.
const TURN = Math.PI / 18;

export const HELP = [
  ["← → ↑ ↓", "turn; with Shift move; , and . roll"],
  ["+ −", "nearer, farther"],
  ["Tab, Shift Tab", "next, last atom (read aloud); Esc, then Tab leaves the view"],
  ["Enter", "take the atom for measuring"],
  ["L", "labels: none, all but H, all"],
  ["H", "hydrogen atoms: spheres, ellipsoids, none"],
  ["C", "unit cell"],
  ["G", "grow by one bond"],
  ["B", "hydrogen bonds"],
  ["D", "disorder: all parts, major, minor"],
  ["M", "measure: click 2 atoms for a distance, 3 for an angle, 4 for a torsion"],
  ["E", "edit the model; Enter then takes the atom into the selection"],
  ["F", "plane: take 3 or more atoms, F again for the angle to the next plane"],
  ["[ ]", "probability of the ellipsoids"],
  ["1 2 3, 4 5 6", "view along a, b, c; a*, b*, c*"],
  ["P", "perspective"],
  ["R", "reset the view"],
  ["X, S", "save PNG (300 dpi), SVG"],
  ["Esc", "clear selection and measurements"],
  ["?", "this list"],
];

export function onKey(view, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  const act = action(view, event);
  if (!act) return false;
  if (act() === false) return false;
  event.preventDefault();
  event.stopPropagation();
  return true;
}

function action(view, { key, shiftKey }) {
  const { stage } = view;
  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  if (key in arrows) {
    const [x, y] = arrows[key];
    return () => (shiftKey ? stage.move(20 * x, 20 * y) : stage.rotate(TURN * x, TURN * y));
  }
  const along = { 1: "a", 2: "b", 3: "c", 4: "a*", 5: "b*", 6: "c*" };
  if (key in along) return () => view.lookAlong(along[key]);
  return {
    "+": () => stage.zoom(1.15),
    "=": () => stage.zoom(1.15),
    "-": () => stage.zoom(1 / 1.15),
    ",": () => stage.roll(TURN),
    ".": () => stage.roll(-TURN),
    Tab: () => view.walk(shiftKey ? -1 : 1),
    Enter: () => view.takeWalked(),
    l: () => view.cycleLabels(),
    h: () => view.cycleHydrogens(),
    c: () => view.toggleCell(),
    g: () => view.grow(),
    b: () => view.toggleHydrogenBonds(),
    d: () => view.cycleDisorder(),
    m: () => view.measuring.toggle("points"),
    e: () => view.editing.toggleOn(),
    f: () => view.measuring.toggle("plane"),
    p: () => view.togglePerspective(),
    r: () => view.reset(),
    x: () => view.savePng(),
    s: () => view.saveSvg(),
    "[": () => view.setProbability(view.options.ellipsoids - 0.05),
    "]": () => view.setProbability(view.options.ellipsoids + 0.05),
    Escape: () => view.escape(),
    "?": () => view.toggleHelp(),
  }[key.length === 1 ? key.toLowerCase() : key];
}
