import { beforeEach, expect, test, vi } from 'vitest';

import { Overlay } from '../../qcrbox_kernel_lib/qcrbox/widgets/structure_view/js/overlay.js';
import { context, Element, openPage } from './page.mjs';

beforeEach(() => openPage());

/** A stage of 400 × 300 px on which 1 Å is 50 px and z is the depth. */
function stage(atoms, more = {}) {
  const scene = {
    count: atoms.length,
    labels: atoms.map(([label]) => label),
    positions: Float32Array.from(atoms.flatMap(([, ...place]) => place)),
    hydrogen: Uint8Array.from(atoms.map(([label]) => (label.startsWith('H') ? 1 : 0))),
    cell_edges: Float32Array.from([0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 1]),
    ...more
  };
  return {
    width: 400,
    height: 300,
    angstromPerPixel: 1 / 50,
    model: { scene, scale: 1, cell: { visible: Boolean(more.cell) } },
    reach: () => 0.25,
    project: (array, offset, target) =>
      target.set(200 + 50 * array[offset], 150 - 50 * array[offset + 1], array[offset + 2])
  };
}

function draw(made, on) {
  const c = context();
  made.draw(on, 1, c);
  return { c, texts: c.calls.filter(([name]) => name === 'fillText').map(([, text, x, y]) => ({ text, x, y })) };
}

function overlay(more = {}) {
  return Object.assign(new Overlay(new Element('canvas')), more);
}

/** Half the width and height of a label, as the test's context measures it. */
const box = ({ text, x, y }) => [x - 3.5 * text.length, y - 6, x + 3.5 * text.length, y + 6];
const overlap = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];

const RING = Array.from({ length: 12 }, (_, n) => [`C${n + 1}`, Math.cos(n / 1.91), Math.sin(n / 1.91), n / 10]);

test('no label covers another', () => {
  const { texts } = draw(overlay({ labels: true }), stage(RING));
  expect(texts.length).toBeGreaterThan(6);
  texts.forEach((one, i) =>
    texts.slice(i + 1).forEach(other => expect(overlap(box(one), box(other)), `${one.text} ${other.text}`).toBe(false))
  );
});

test('no label covers another atom', () => {
  const on = stage(RING);
  const { texts } = draw(overlay({ labels: true }), on);
  const r = 0.25 * 0.85 * 50 * 0.8;
  for (const text of texts) {
    RING.forEach(([label, x, y]) => {
      if (label === text.text) return;
      const [px, py] = [200 + 50 * x, 150 - 50 * y];
      expect(overlap(box(text), [px - r, py - r, px + r, py + r]), `${text.text} on ${label}`).toBe(false);
    });
  }
});

test('where there is room for one only, the atom in front has its label', () => {
  const pile = Array.from({ length: 60 }, (_, n) => [`C${n}`, 0, 0, n]);
  const { texts } = draw(overlay({ labels: true }), stage(pile));
  expect(texts.length).toBeLessThan(60);
  expect(texts[0].text).toBe('C59');
});

test.each([
  [false, []],
  ['heavy', ['C1']],
  [true, ['C1', 'H1']]
])('labels %j: of %j', (labels, shown) => {
  const { texts } = draw(
    overlay({ labels }),
    stage([
      ['C1', 0, 0, 0],
      ['H1', 1, 0, 0]
    ])
  );
  expect(texts.map(each => each.text).sort()).toEqual(shown);
});

test('atoms that are deleted or out of the picture have no label', () => {
  const made = overlay({ labels: true });
  const atoms = [
    ['C1', 0, 0, 0],
    ['C2', 1, 0, 0],
    ['C3', 9, 0, 0]
  ];
  const { texts } = draw(made, stage(atoms, { gone: Uint8Array.from([0, 1, 0]) }));
  expect(texts.map(each => each.text)).toEqual(['C1']);
  expect(made.canvas.dataset.labels).toBe(1);
});

const THREE_ATOMS = [
  ['C1', -1, 0, 0],
  ['C2', 0, 1, 0],
  ['C3', 1, 0, 0],
  ['C4', 1, 1, 0]
];

test.each([
  ['a distance between its atoms', [0, 2], false, [200, 150 - 14]],
  ['an angle at its vertex', [0, 1, 2], false, [200, 100 - 14]],
  ['a torsion between its ends', [0, 1, 2, 3], false, [200, 125 - 14]],
  ['a plane in its middle', [0, 1, 2], true, [200, (150 + 100 + 150) / 3]]
])('%s', (_name, rows, plane, [x, y]) => {
  const made = overlay({ measurements: [{ rows, text: '1.54(1) Å', plane }] });
  const { texts, c } = draw(made, stage(THREE_ATOMS));
  expect(texts).toHaveLength(1);
  expect(texts[0].x).toBeCloseTo(x, 4);
  expect(texts[0].y).toBeCloseTo(y, 4);
  expect(c.calls.some(([name]) => name === 'closePath')).toBe(plane);
});

test('picked atoms are joined before there is an answer', () => {
  const { c, texts } = draw(overlay({ picked: [0, 1] }), stage(THREE_ATOMS));
  expect(c.calls.filter(([name]) => name === 'stroke')).toHaveLength(2);
  expect(texts).toEqual([]);
  expect(draw(overlay({ picked: [0] }), stage(THREE_ATOMS)).c.calls.some(([name]) => name === 'stroke')).toBe(false);
});

test('a marked peak has its name; others only where there is room', () => {
  const peaks = [
    { name: 'Q1', place: [0, 0, 0] },
    { name: 'Q2', place: [0.01, 0, 0] },
    { name: 'Q3', place: [2, 0, 0] }
  ];
  const made = overlay({ peaks: [peaks[0]], named: peaks });
  const { texts } = draw(made, stage([]));
  expect(texts.map(each => each.text)).toEqual(['Q1', 'Q3']);
});

test('the axes of the cell have their letters at their ends, and the origin', () => {
  const { texts } = draw(overlay(), stage([], { cell: true }));
  expect(texts.map(each => each.text)).toEqual(['a', 'b', 'c', '0']);
  const [a, b] = texts;
  expect([a.x, a.y].map(Math.round)).toEqual([200 + Math.round(3 * 1.04 * 50), 150]);
  expect([b.x, b.y].map(Math.round)).toEqual([200, 150 - Math.round(2 * 1.04 * 50)]);
});

test('a box that is being drawn is shown', () => {
  const { c } = draw(overlay({ box: [10, 20, 60, 50] }), stage([]));
  expect(c.calls.find(([name]) => name === 'strokeRect')).toEqual(['strokeRect', 10, 20, 50, 30]);
});

test('on the page the canvas has the size of the stage and the resolution of the screen', () => {
  vi.stubGlobal('devicePixelRatio', 3);
  const made = overlay();
  made.draw(stage([]));
  expect([made.canvas.width, made.canvas.height]).toEqual([800, 600]);
});
