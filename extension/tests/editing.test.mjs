// @vitest-environment jsdom
/** Editing the model in the picture, with the real view, scene and grammar of edits. */
import { afterEach, expect, test, vi } from 'vitest';

import { closeDom, openView } from './structure_page.mjs';

vi.mock('three', async original => ({
  ...(await original()),
  WebGLRenderer: (await import('./page.mjs')).NoGraphics
}));

afterEach(closeDom);

const PEAK = {
  name: 'Q1',
  height: '0.42',
  unit: 'e/Å³',
  sigmas: '5.1',
  nearest: '0.9 Å from O2',
  value: 0.42,
  place: [0, 2.4, 0],
  fract: [0.1, 0.2, 0.3]
};

/** A view in which editing is on, with a density of one peak, and a refinement that can be run. */
function editing(state = {}) {
  const made = openView({ density: { peaks: [PEAK] }, refine: true, ...state });
  made.press('e');
  const { editing: panel } = made.view;
  return {
    ...made,
    panel,
    lines: () => panel.edits.lines,
    labels: () => [...panel.labels],
    problem: () => (panel.problem.hidden ? '' : panel.problem.textContent),
    select(names) {
      made.fill('Names to select', names);
      made.button('Select').click();
    }
  };
}

test('editing opens its panel, shows the peaks and asks the tab for its density', () => {
  const { view, el, press, button } = openView({ density: { peaks: [PEAK] } });
  const asked = vi.fn();
  el.addEventListener('qcrbox-edit', asked);
  press('e');
  expect([view.editing.node.hidden, view.density.areBallsShown]).toEqual([false, true]);
  expect(asked).toHaveBeenCalledTimes(1);
  expect(button('Refine with these edits')).toBeUndefined();
  press('e');
  expect([view.editing.node.hidden, asked.mock.calls.length]).toEqual([true, 1]);
});

test('a click takes one atom with all its images, Shift adds and takes back, empty paper clears', () => {
  const { view, clickAtom, clickAt, labels, panel } = editing();
  clickAtom(2);
  expect([labels(), view.selected]).toEqual([['O2'], [2, 6]]);
  clickAtom(0, { shiftKey: true });
  expect(panel.count.textContent).toBe('2 selected: C1, O2');
  clickAtom(2, { ctrlKey: true });
  expect(labels()).toEqual(['C1']);
  clickAt(2, 2);
  expect(panel.count.textContent).toBe('nothing selected');
});

test('a selection made before editing is taken over; measuring ends', () => {
  const { view, clickAtom, press } = openView();
  clickAtom(1);
  view.measuring.toggle('points');
  press('e');
  expect([[...view.editing.labels], view.measuring.on]).toEqual([['O1'], false]);
});

test.each([
  ['O*', ['O1', 'O2']],
  ['$H', ['H1']],
  ['C1 > O2', ['C1', 'O1', 'O2']]
])('the names %s select %j', (names, found) => {
  const { select, labels } = editing();
  select(names);
  expect(labels()).toEqual(found);
});

test('Enter in a field is its button; a name that is not there is refused beside it', () => {
  const { field, press, problem, labels, select } = editing();
  field('Names to select').value = 'C9';
  press('Enter', {}, field('Names to select'));
  expect(problem()).toContain('There is no atom C9');
  select('C1');
  expect([problem(), labels()]).toEqual(['', ['C1']]);
});

test('all, none and all of an element; the elements are those of the model', () => {
  const { button, field, labels } = editing();
  button('All').click();
  expect(labels()).toHaveLength(4);
  button('None').click();
  expect(labels()).toEqual([]);
  const list = field('Select an element');
  expect([...list.options].map(each => each.value)).toEqual(['', 'C', 'H', 'O']);
  list.value = 'O';
  list.dispatchEvent(new Event('change'));
  expect([labels(), list.value]).toEqual([['O1', 'O2'], '']);
});

test.each([
  ['Set element', { Element: 'n' }, 'element C1 N'],
  ['Set part', { Part: '1', Assembly: 'a' }, 'part 1 A C1'],
  ['Set occupancy', { Occupancy: ' 0.5 ' }, 'occupancy C1 0.5'],
  ['Anisotropic', {}, 'aniso C1'],
  ['Isotropic', {}, 'iso C1'],
  ['Add H', {}, 'hydrogens C1'],
  ['Rename', { 'New name': 'C10' }, 'rename C1 C10'],
  ['Delete', {}, 'delete C1']
])('%s', (text, filled, line) => {
  const { select, fill, button, lines, model } = editing();
  select('C1');
  Object.entries(filled).forEach(([label, value]) => fill(label, value));
  button(text).click();
  expect(lines()).toEqual([line]);
  expect(model.told('edits').at(-1).text).toBe(line);
});

test.each([
  ['Delete', '', 'No atom is selected.'],
  ['Rename', 'C1, O1', '2 atoms are selected. This acts on one.'],
  ['Move the atom here', 'C1', 'No difference peak is selected.'],
  ['New atom here', '', 'No difference peak is selected.'],
  ['Set occupancy', 'C1', 'occupancy'],
  ['Set element', 'C1', 'Nothing is no element']
])('%s with the selection "%s" is refused with the reason', (text, names, reason) => {
  const { select, button, problem, lines } = editing();
  if (names) select(names);
  button(text).click();
  expect(problem()).toContain(reason);
  expect(lines()).toEqual([]);
});

test('a renamed atom stays selected under its name, a deleted one is no longer', () => {
  const { select, fill, button, labels } = editing();
  select('O1, O2');
  button('Delete').click();
  expect(labels()).toEqual([]);
  select('C1');
  fill('New name', 'C7');
  button('Rename').click();
  expect(labels()).toEqual(['C7']);
});

test('a peak becomes an atom with the next free name, and is drawn where it is', () => {
  const { panel, button, lines, view } = editing();
  panel.takePeak(PEAK);
  expect(panel.peakWords.textContent).toBe('Q1 0.42 e/Å³, 0.9 Å from O2');
  button('New atom here').click();
  expect(lines()).toEqual(['add C2 C 0.10000 0.20000 0.30000']);
  expect([view.counts.textContent, panel.peaks, panel.peakWords.textContent]).toEqual(['9 atoms', [], 'none selected']);
  const { orthogonalisation: m, centre } = view.scene.frame;
  [0, 1, 2].forEach(x => {
    const place = m[3 * x] * 0.1 + m[3 * x + 1] * 0.2 + m[3 * x + 2] * 0.3 - centre[x];
    expect(view.scene.positions[24 + x]).toBeCloseTo(place, 5);
  });
});

test('a name that is taken is refused; peak and name stay to be corrected', () => {
  const { panel, button, fill, field, lines, problem } = editing();
  panel.takePeak(PEAK);
  fill('Name of the new atom', 'O1');
  button('New atom here').click();
  expect(problem()).toContain('O1');
  expect([panel.peaks, field('Name of the new atom').value]).toEqual([[PEAK], 'O1']);
  fill('Name of the new atom', 'O9');
  fill('Element of the new atom', 'O');
  button('New atom here').click();
  expect(lines()).toEqual(['add O9 O 0.10000 0.20000 0.30000']);
});

test.each([
  ['Move the atom here', 'move O1 0.10000 0.20000 0.30000'],
  ['Split the atom to here', 'split O1 0.5 at 0.10000 0.20000 0.30000']
])('%s: the selected atom and the peak', (text, line) => {
  const { panel, select, button, lines } = editing();
  select('O1');
  panel.takePeak(PEAK);
  button(text).click();
  expect(lines()).toEqual([line]);
});

test('a click on the sphere of a peak takes it; a second one puts it back', () => {
  const { view, clickAt, panel, said } = editing();
  const { x, y } = view.stage.project(PEAK.place, 0, view.stage.root.position.clone());
  clickAt(x, y);
  expect([panel.peaks, said()]).toEqual([[PEAK], 'Q1: 0.42 e/Å³, 0.9 Å from O2']);
  clickAt(x, y);
  expect([panel.peaks, said()]).toEqual([[], '']);
});

test('lines are typed as in a notebook, listed as text, and taken out', () => {
  const { fill, field, button, lines, panel, el, problem } = editing();
  fill('Line of your own', 'rename C1 C9; iso C9');
  button('Add').click();
  expect(lines()).toEqual(['rename C1 C9', 'iso C9']);
  expect(field('Line of your own').value).toBe('');
  button('Take out: rename C1 C9').click();
  expect(problem()).toContain('cannot be taken out');
  button('Take out: iso C9').click();
  expect([...panel.list.querySelectorAll('code')].map(each => each.textContent)).toEqual(['rename C1 C9']);
  fill('Line of your own', '<img src=x onerror=alert(1)>');
  button('Add').click();
  expect(problem()).toContain('<img src=x onerror=alert(1)>');
  expect(field('Line of your own').value).toContain('<img'); // to be corrected
  expect(el.querySelector('img')).toBe(null);
});

test('undo and redo by button and key, in the picture too; in a field with text they are its own', () => {
  const { select, button, lines, press, fill, field, view } = editing();
  select('C1');
  button('Isotropic').click();
  button('Delete').click();
  expect(view.counts.textContent).toBe('6 atoms');
  press('z', { ctrlKey: true });
  expect([lines(), view.counts.textContent]).toEqual([['iso C1'], '8 atoms']);
  press('Z', { ctrlKey: true, shiftKey: true }, button('All'));
  expect(lines()).toHaveLength(2);
  fill('New name', 'x');
  press('z', { ctrlKey: true }, field('New name'));
  press('z', {});
  expect(lines()).toHaveLength(2);
  button('Undo').click();
  button('Undo').click();
  expect([button('Undo').disabled, button('Redo').disabled, button('Copy as code').disabled]).toEqual([
    true,
    false,
    true
  ]);
});

test('a deleted atom is neither walked to nor counted when the kernel sends more atoms', () => {
  const { select, button, press, said, view } = editing();
  select('C1');
  button('Delete').click();
  press('Tab');
  expect(said()).toMatch(/^O1/);
  press('Tab');
  press('Tab');
  press('Tab'); // past C1 of the other half
  expect(said()).toMatch(/^O1/);
  view.takeScene(view.editing.base);
  expect(view.counts.textContent).toBe('6 atoms');
});

test('Enter takes the atom that was walked to into the selection', () => {
  const { press, labels } = editing();
  press('Tab');
  press('Enter');
  press('Tab');
  press('Enter');
  expect(labels()).toEqual(['C1', 'O1']);
});

test('a box takes what lies in it, with Shift in addition', () => {
  const { view, pointer, placeOf, labels, said, button, frame, panel } = editing();
  const around = ([x, y]) => [
    [x - 4, y - 4],
    [x + 4, y + 4]
  ];
  const draw = (row, more) => {
    const [from, to] = around(placeOf(row));
    pointer('pointerdown', ...from, more);
    pointer('pointermove', ...to, more);
    pointer('pointerup', ...to, more);
    frame();
  };
  draw(2, { ctrlKey: true });
  expect([labels(), said()]).toEqual([['O2'], '1 atom selected']);
  button('Box').click();
  expect(button('Box').getAttribute('aria-pressed')).toBe('true');
  draw(1, { shiftKey: true });
  expect([labels(), said()]).toEqual([['O2', 'O1'], '2 atoms selected']);
  expect([view.overlay.box, panel.boxing]).toEqual([null, true]);
});

test('refining hands the edits to the tab, at once or by way of the form', () => {
  const { select, button, el } = editing();
  const asked = [];
  el.addEventListener('qcrbox-refine', event => asked.push(event.detail));
  expect(button('Refine with these edits').disabled).toBe(true);
  select('O1');
  button('Isotropic').click();
  button('Refine with these edits').click();
  button('Options first …').click();
  expect(asked).toEqual([
    { edits: 'iso O1', form: false },
    { edits: 'iso O1', form: true }
  ]);
});

test('copied code is what refine takes, with quotes that Python reads', async () => {
  const { select, button, settle, said } = editing();
  const writeText = vi.fn(async () => undefined);
  vi.stubGlobal('navigator', { clipboard: { writeText } });
  select('O1');
  button('Isotropic').click();
  button('Copy as code').click();
  await settle();
  expect(writeText).toHaveBeenCalledWith('edits="iso O1"');
  expect(said()).toBe('The edits are on the clipboard.');
});

test('edits stay when more of the same structure is shown, and go with another one', () => {
  const { view, select, button, lines } = editing();
  select('O1');
  button('Delete').click();
  view.takeScene({ ...view.editing.base, summary: 'grown' });
  expect(lines()).toEqual(['delete O1']);
  const [first, ...others] = view.editing.base.sites;
  view.takeScene({ ...view.editing.base, sites: [{ ...first, element: 'N' }, ...others] });
  expect(lines()).toEqual([]);
});

test('a new atom has no s.u. and is not measured before it is refined', async () => {
  const { panel, button, view, said, settle } = editing();
  panel.takePeak(PEAK);
  button('New atom here').click();
  await view.measuring.take(0);
  await view.measuring.take(8);
  await settle();
  expect([said(), view.overlay.picked]).toEqual(['A new atom can be measured after the next refinement.', [0]]);
});

test('the kernel hears of each change of selection and edits once', () => {
  const { model, select, panel } = editing();
  const before = model.told('edits').length;
  select('O1');
  panel.draw();
  panel.draw();
  expect(model.told('edits').slice(before)).toEqual([{ do: 'edits', selected: ['O1'], text: '' }]);
});
