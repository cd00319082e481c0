import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

import {
  applied,
  chosen,
  EditError,
  Edits,
  freeLabel,
  lineOf
} from '../../qcrbox_kernel_lib/qcrbox/widgets/structure_view/js/edits.js';
import { editedScene } from '../../qcrbox_kernel_lib/qcrbox/widgets/structure_view/js/edited_scene.js';

// The refinement is held to the same file: app_images/refine/tests/test_edits.py.
const shared = JSON.parse(readFileSync(new URL('../../app_images/refine/tests/edit_cases.json', import.meta.url)));
const sites = () => shared.start.map(row => Object.fromEntries(shared.columns.map((name, k) => [name, row[k]])));
const rows = list =>
  list.map(site => shared.columns.map(name => (name === 'occupancy' ? Number(site[name].toFixed(9)) : site[name])));
const refusal = act => {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(EditError);
    return error;
  }
  throw new Error('nothing was refused');
};

test.each(shared.cases)('the picture shows what the refinement does: $edits', ({ edits, after }) => {
  const made = new Edits(sites());
  made.add(edits);
  expect(rows(made.sites)).toEqual(after);
});

test.each(shared.refused)('the picture refuses what the refinement refuses: %s', text => {
  const edits = new Edits(sites());
  const error = refusal(() => edits.add(text));
  expect(error.what).toBeTruthy();
  expect(error.where).toBe('edits');
  expect(edits.lines).toEqual([]);
});

test.each([
  ['c1', ['C1']],
  ['N*, c1', ['C1', 'N3']],
  ['$H', ['H1A', 'H1B']],
  ['C2 > H1A', ['C2', 'N3', 'H1A']],
  ['H1A>C2', ['C2', 'N3', 'H1A']],
  ['H1?', ['H1A', 'H1B']],
  ['*', ['C1', 'C2', 'N3', 'H1A', 'H1B']]
])('"%s" selects', (text, labels) => {
  expect(chosen(sites(), text)).toEqual(labels);
});

test.each([
  ['', 'Nothing was typed'],
  ['C9', 'no atom C9'],
  ['$Fe', 'no Fe in this structure'],
  ['$Qq', 'no element'],
  ['C1>', 'no atom']
])('"%s" selects nothing and says why', (text, what) => {
  expect(refusal(() => chosen(sites(), text)).message).toContain(what);
});

test('every button makes a line that can be applied', () => {
  const place = [0.12345678, -0.5, 1];
  const lines = [
    lineOf.element(['C1', 'C2'], 'n'),
    lineOf.part(['C1'], '1', 'a'),
    lineOf.occupancy(['C1'], '0.5'),
    lineOf.aniso(['N3']),
    lineOf.iso(['C1']),
    lineOf.hydrogens(['C2']),
    lineOf.riding(['H1A']),
    lineOf.rename(['C1'], 'N9'),
    lineOf.add('O4', 'o', place),
    lineOf.move(['O4'], place),
    lineOf.split(['C2'], '0.7', place),
    lineOf.delete(['H1B'])
  ];
  expect(lines[0]).toBe('element C1 C2 N');
  expect(lines[1]).toBe('part 1 A C1');
  expect(lines[8]).toBe('add O4 O 0.12346 -0.50000 1.00000');
  expect(rows(lines.reduce(applied, sites())).map(row => row[0])).toEqual(['N9', 'C2A', 'C2B', 'N3', 'H1A', 'O4']);
});

test('an atom called by one letter is no assembly', () => {
  const few = [...sites(), { ...sites()[0], label: 'O' }];
  const after = applied(few, lineOf.part(['O', 'C1'], '1'));
  expect(after.filter(site => site.part === 1).map(site => [site.label, site.assembly])).toEqual([
    ['C1', ''],
    ['O', '']
  ]);
});

test('edits are undone, done again and taken out; what a later line needs stays', () => {
  const edits = new Edits(sites());
  edits.add('rename C1 C9');
  edits.add('element C9 N; delete H1A');
  expect(edits.text).toBe('rename C1 C9; element C9 N; delete H1A');
  expect(refusal(() => edits.remove(0)).message).toContain('no atom C9');
  edits.remove(2);
  expect(edits.lines).toEqual(['rename C1 C9', 'element C9 N']);
  edits.undo();
  edits.undo();
  expect(edits.lines).toEqual(['rename C1 C9']);
  edits.redo();
  expect(edits.lines).toHaveLength(3);
  edits.undo();
  edits.add('iso C2');
  expect(edits.canRedo).toBe(false);
  edits.undo();
  edits.undo();
  edits.undo();
  expect(edits.lines).toEqual([]);
  expect(edits.canUndo).toBe(false);
});

test('a new atom gets the next free name of its element', () => {
  expect(freeLabel(sites(), 'C')).toBe('C3');
  expect(freeLabel(sites(), 'Cl')).toBe('Cl1');
  expect(freeLabel([...sites(), { ...sites()[0], label: 'c3' }], 'C')).toBe('C4');
});

function scene() {
  // C1 twice (an image), C2, N3; bonds C1–C2, C2–N3.
  return {
    count: 4,
    labels: ['C1', 'C1', 'C2', 'N3'],
    descriptions: ['C1', 'C1', 'C2', 'N3'],
    positions: new Float32Array(12),
    axes: Float32Array.from({ length: 36 }, (_, k) => (k % 9 === 0 ? 3 : 0)),
    fixed: new Float32Array(4),
    kinds: new Uint8Array(4),
    hollow: new Uint8Array(4),
    hydrogen: new Uint8Array(4),
    element: Uint8Array.from([0, 0, 0, 1]),
    elements: ['C', 'N', 'O', ''],
    site: Uint32Array.from([0, 0, 1, 2]),
    sites: sites(),
    bonds: Uint32Array.from([0, 2, 2, 3]),
    contacts: new Uint32Array(),
    frame: { orthogonalisation: [10, 0, 0, 0, 10, 0, 0, 0, 10], centre: [1, 1, 1] }
  };
}

const drawn = (text, base = scene()) => {
  const edits = new Edits(base.sites);
  edits.add(text);
  return editedScene(base, edits.sites, true);
};

test('without edits the scene is the one of the kernel', () => {
  const base = scene();
  expect(editedScene(base, new Edits(base.sites).sites, false).positions).toBe(base.positions);
});

test('all images of an atom get its element and name; the scene of the kernel stays', () => {
  const base = scene();
  const made = drawn('element C1 O; rename C1 O1', base);
  expect(made.labels).toEqual(['O1', 'O1', 'C2', 'N3']);
  expect([...made.element]).toEqual([2, 2, 0, 1]);
  expect(made.descriptions[0]).toBe('O1, O, edited');
  expect(base.labels[0]).toBe('C1');
  expect(base.element[0]).toBe(0);
});

test('a deleted atom goes with its bonds', () => {
  const made = drawn('delete N3');
  expect([...made.gone]).toEqual([0, 0, 0, 1]);
  expect([...made.bonds]).toEqual([0, 2]);
});

test('a new atom stands behind the others, at its place; a single one moves', () => {
  const made = drawn('add O9 O 0.1 0.2 0.3; move N3 0.5 0.5 0.5');
  expect(made.count).toBe(5);
  expect(made.labels[4]).toBe('O9');
  [0, 1, 2].forEach((value, k) => expect(made.positions[12 + k]).toBeCloseTo(value, 5));
  expect([...made.positions.slice(9, 12)]).toEqual([4, 4, 4]);
});

test('an isotropic atom is drawn as a sphere of the same mean square displacement', () => {
  const made = drawn('iso C2');
  expect(made.kinds[2]).toBe(1);
  [0, 4, 8].forEach(k => expect(made.axes[18 + k]).toBeCloseTo(Math.sqrt(3), 5));
});

test('an element without a colour of its own has the colour of others', () => {
  expect(drawn('element C1 Cf').element[0]).toBe(3);
});
