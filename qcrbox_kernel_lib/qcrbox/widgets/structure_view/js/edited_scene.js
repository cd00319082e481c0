// The picture of a model with edits: the arrays of the scene with other colours, labels and places. Rows stay what they
// are for the kernel; what is deleted is marked in `gone`, new atoms follow after the last row.
const BALL = 0.28; // Å, radius of a new atom

const symbolOf = (element) => /^[A-Za-z]*/.exec(element)[0];

// A scene drawn with these sites (see edits.js); `base` is as it came from the kernel and stays as it is.
export function editedScene(base, sites, isChanged) {
  const gone = new Uint8Array(base.count);
  if (!isChanged) return { ...base, gone };
  const kept = new Map(sites.filter((site) => site.from !== undefined).map((site) => [site.from, site]));
  const added = sites.filter((site) => site.from === undefined && site.site);
  const n = base.count + added.length;
  const longer = (array, width) => {
    const made = new array.constructor(n * width);
    made.set(array);
    return made;
  };
  const made = {
    ...base,
    count: n,
    positions: longer(base.positions, 3),
    axes: longer(base.axes, 9),
    fixed: longer(base.fixed, 1),
    kinds: longer(base.kinds, 1),
    hollow: longer(base.hollow, 1),
    hydrogen: longer(base.hydrogen, 1),
    element: longer(base.element, 1),
    labels: [...base.labels],
    descriptions: base.descriptions && [...base.descriptions],
    gone: new Uint8Array(n),
  };
  const images = new Map();
  base.site.forEach((site) => images.set(site, (images.get(site) ?? 0) + 1));
  for (let row = 0; row < base.count; row++) {
    const site = kept.get(base.site[row]);
    if (!site) made.gone[row] = 1;
    else change(made, row, site, base.sites[base.site[row]], images.get(base.site[row]) === 1);
  }
  added.forEach((site, k) => {
    const row = base.count + k;
    made.labels[row] = site.label;
    made.fixed[row] = BALL;
    made.kinds[row] = 1;
    put(made, row, site);
    dress(made, row, site);
  });
  const isThere = (list) => {
    const rows = [];
    for (let b = 0; b < list.length; b += 2) if (!made.gone[list[b]] && !made.gone[list[b + 1]]) rows.push(list[b], list[b + 1]);
    return Uint32Array.from(rows);
  };
  const occupancy = (row) => kept.get(base.site[row])?.occupancy ?? 0;
  const shared = (base.shared ?? []).map(([i, j]) => [i, j, occupancy(j) / (occupancy(i) + occupancy(j) || 1)]);
  return { ...made, shared, bonds: isThere(base.bonds), contacts: isThere(base.contacts), gone: made.gone };
}

function change(scene, row, site, before, isOnly) {
  const differs = ["label", "element", "part", "occupancy", "aniso"].some((name) => site[name] !== before[name]);
  if (site.label !== before.label) scene.labels[row] = site.label;
  if (differs) dress(scene, row, site);
  if (site.aniso !== before.aniso) {
    scene.kinds[row] = site.aniso ? 0 : 1;
    if (!site.aniso) round(scene.axes, row);
  }
  // Of several images the operations are the kernel's: they move when the model is refined.
  if (site.site && isOnly) put(scene, row, site);
}

function dress(scene, row, site) {
  const symbol = symbolOf(site.element);
  const index = scene.elements.indexOf(symbol === "T" ? "H" : symbol);
  scene.element[row] = index >= 0 ? index : scene.elements.indexOf("");
  scene.hydrogen[row] = ["H", "D", "T"].includes(symbol) ? 1 : 0;
  scene.hollow[row] = site.part && site.occupancy < 0.5 ? 1 : 0;
  const words = [site.label, site.element, site.part ? `part ${site.part}` : "", site.occupancy < 0.9995 ? `occupancy ${Number(site.occupancy.toFixed(4))}` : "", "edited"];
  if (scene.descriptions) scene.descriptions[row] = words.filter(Boolean).join(", ");
}

function put(scene, row, site) {
  const { orthogonalisation: m, centre } = scene.frame;
  for (let x = 0; x < 3; x++) scene.positions[3 * row + x] = m[3 * x] * site.site[0] + m[3 * x + 1] * site.site[1] + m[3 * x + 2] * site.site[2] - centre[x];
}

// A sphere of the same mean square displacement.
function round(axes, row) {
  let sum = 0;
  for (let k = 0; k < 9; k++) sum += axes[9 * row + k] ** 2;
  const r = Math.sqrt(sum / 3);
  for (let k = 0; k < 9; k++) axes[9 * row + k] = k % 4 === 0 ? r : 0;
}
