import { expect, test, vi } from 'vitest';

import { Measuring } from '../../qcrbox_kernel_lib/qcrbox/widgets/structure_view/js/measuring.js';

function view(answer = { text: '1.54(1) Å', kind: 'distance' }) {
  const said = [];
  const made = {
    overlay: { picked: [], measurements: [] },
    node: { classList: new Set() },
    toolbar: { draw: vi.fn() },
    stage: { draw: vi.fn() },
    scene: { labels: ['C1', 'C2', 'C3', 'C4', 'C5'] },
    editing: { isNew: row => row >= 5 },
    kernel: { ask: vi.fn(async () => answer) },
    selected: [],
    refreshMarks: vi.fn(),
    describe: vi.fn(),
    say: text => said.push(text)
  };
  made.node.classList.remove = name => made.node.classList.delete(name);
  return { view: made, measuring: new Measuring(made), said };
}

async function taken(measuring, ...rows) {
  for (const row of rows) await measuring.take(row);
}

test.each([
  [[0, 1], { do: 'measure', rows: [0, 1] }],
  [[0, 1, 2], { do: 'measure', rows: [0, 1, 2] }],
  [[3, 0, 1, 2], { do: 'measure', rows: [3, 0, 1, 2] }]
])('the atoms %j in this order are one question', async (rows, question) => {
  const { view: made, measuring } = view();
  await taken(measuring, ...rows);
  expect(made.kernel.ask).toHaveBeenLastCalledWith(question);
});

test('one atom alone is described, not measured', async () => {
  const { view: made, measuring } = view();
  await measuring.take(2);
  expect(made.describe).toHaveBeenCalledWith(2);
  expect(made.kernel.ask).not.toHaveBeenCalled();
  expect([measuring.mode, made.node.classList.has('measuring')]).toEqual(['points', true]);
});

test('a third atom makes an angle of the distance, instead of a second line', async () => {
  const { view: made, measuring } = view();
  await taken(measuring, 0, 1, 2);
  expect(made.overlay.measurements.map(each => each.rows)).toEqual([[0, 1, 2]]);
});

test('a fifth atom begins the next measurement; the torsion stays', async () => {
  const { view: made, measuring } = view();
  await taken(measuring, 0, 1, 2, 3, 4, 0);
  expect(made.overlay.measurements.map(each => each.rows)).toEqual([
    [0, 1, 2, 3],
    [4, 0]
  ]);
});

test('an atom counts once', async () => {
  const { view: made, measuring } = view();
  await taken(measuring, 0, 0, 1, 1);
  expect(made.overlay.picked).toEqual([0, 1]);
  expect(made.kernel.ask).toHaveBeenCalledTimes(1);
});

test('an atom that is not refined yet cannot be measured', async () => {
  const { view: made, measuring, said } = view();
  await taken(measuring, 0, 5);
  expect(made.overlay.picked).toEqual([0]);
  expect(said.at(-1)).toContain('after the next refinement');
});

test('a plane wants three atoms; the next one is compared with it', async () => {
  const { view: made, measuring } = view({ text: '0.02 Å', kind: 'plane', details: 'r.m.s. 0.01 Å' });
  measuring.toggle('plane');
  await taken(measuring, 0, 1);
  expect(made.kernel.ask).not.toHaveBeenCalled();
  await measuring.take(2);
  expect(made.kernel.ask).toHaveBeenLastCalledWith({ do: 'plane', rows: [0, 1, 2], other: [] });
  measuring.toggle('plane');
  expect(made.overlay.picked).toEqual([]);
  await taken(measuring, 2, 3, 4);
  expect(made.kernel.ask).toHaveBeenLastCalledWith({ do: 'plane', rows: [2, 3, 4], other: [0, 1, 2] });
});

test('a plane of many atoms is one plane', async () => {
  const { view: made, measuring } = view();
  measuring.toggle('plane');
  await taken(measuring, 0, 1, 2, 3, 4);
  expect(made.overlay.measurements.map(each => [each.rows, each.plane])).toEqual([[[0, 1, 2, 3, 4], true]]);
});

test('too few atoms for a plane and the key again: measuring ends', async () => {
  const { view: made, measuring } = view();
  measuring.toggle('plane');
  await measuring.take(0);
  measuring.toggle('plane');
  expect([measuring.on, made.overlay.picked, made.node.classList.has('measuring')]).toEqual([false, [], false]);
});

test('the other mode begins anew', async () => {
  const { view: made, measuring, said } = view();
  measuring.toggle('points');
  await measuring.take(0);
  measuring.toggle('plane');
  expect([measuring.mode, made.overlay.picked, measuring.planeBefore]).toEqual(['plane', [], []]);
  expect(said.at(-1)).toMatch(/^Plane:/);
});

test('the words name the atoms, and that the s.u. lack covariances', async () => {
  const { measuring, said } = view({ text: '120.0(2)°', kind: 'angle', details: 'ideal' });
  await taken(measuring, 0, 1, 2);
  expect(said.at(-1)).toBe('angle C1–C2–C3 120.0(2)°; ideal (s.u. estimated without covariances)');
});

test('a kernel that does not answer is told, and nothing is drawn', async () => {
  const { view: made, measuring, said } = view();
  made.kernel.ask.mockRejectedValue(new Error('The kernel does not answer.'));
  await taken(measuring, 0, 1);
  expect(said.at(-1)).toBe('The kernel does not answer.');
  expect(made.overlay.measurements).toEqual([]);
});

test('clearing takes picks, measurements and the plane before away', async () => {
  const { view: made, measuring } = view();
  measuring.toggle('plane');
  await taken(measuring, 0, 1, 2);
  measuring.toggle('plane');
  measuring.clear();
  expect([made.overlay.picked, made.overlay.measurements, measuring.planeBefore]).toEqual([[], [], []]);
});
