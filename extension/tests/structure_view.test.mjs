// @vitest-environment jsdom
import { afterEach, expect, test, vi } from 'vitest';

import { NoGraphics } from './page.mjs';
import { closeDom, kernelModel, openDom, openView, shared, sharedScene, widget } from './structure_page.mjs';

vi.mock('three', async original => ({
  ...(await original()),
  WebGLRenderer: (await import('./page.mjs')).NoGraphics
}));

afterEach(() => {
  NoGraphics.isMissing = false;
  closeDom();
});

const pressed = button => button.getAttribute('aria-pressed');

// ---------------------------------------------------------------- what is there

test('the view says in words what it shows, for those who do not see it', () => {
  const { view, el } = openView();
  expect(view.canvas.getAttribute('aria-label')).toBe(
    'diacid. C2 H2 O4: 8 atoms (6 without hydrogen), 7 bonds, displacement ellipsoids at 50%. Press ? for keys.'
  );
  expect(view.counts.textContent).toBe('8 atoms');
  expect(view.warning.textContent).toContain('Ueq of O2 is given as 0.0500');
  expect([...el.querySelectorAll('summary')].map(each => each.textContent)).toContain('Atoms as a table');
});

test('of several warnings the first is in sight, the others are behind their number', () => {
  const { view } = openView({ scene: sharedScene({ warnings: ['first', 'second', 'third'] }) });
  expect(view.warning.querySelector('summary').textContent).toBe('2 more notes');
  const { view: two } = openView({ scene: sharedScene({ warnings: ['first', 'second'] }) });
  expect(two.warning.querySelector('summary').textContent).toBe('1 more note');
  expect(view.warning.firstChild.textContent).toBe('⚠ first');
});

test('names, warnings and answers of a hostile file are text', async () => {
  const hostile = '<img src=x onerror=alert(1)>';
  const { view, el, button, settle, clickAtom } = openView(
    {
      scene: sharedScene({
        title: hostile,
        warnings: [hostile, hostile],
        labels: shared.scene.labels.map(() => hostile),
        descriptions: shared.scene.descriptions.map(() => hostile),
        parts: [['A', 1, hostile]],
        disordered: true
      }),
      density: { peaks: [{ ...PEAK, name: `Q${hostile}`, nearest: hostile }] }
    },
    { table: { heads: [hostile], rows: [[hostile]] } }
  );
  view.twin.open = true;
  view.fillTable();
  clickAtom(0);
  button('Edit the model: elements, parts, occupancies, atoms from peaks (E)').click();
  await settle();
  expect(el.querySelector('img')).toBe(null);
  // Twice a warning, disorder, peak and its neighbour, table with head, name of the atom.
  expect(el.textContent.split(hostile)).toHaveLength(1 + 7);
});

test('the atoms are a table when it is opened; a kernel that is gone is said in its place', async () => {
  const answers = { table: { heads: ['atom', 'x'], rows: [['C1', '0.5900(4)']] } };
  const { view, settle } = openView({}, answers);
  view.twin.open = true;
  await settle();
  expect([...view.table.querySelectorAll('th, td')].map(cell => cell.textContent)).toEqual([
    'atom',
    'x',
    'C1',
    '0.5900(4)'
  ]);
  delete answers.table;
  void view.fillTable();
  await vi.advanceTimersByTimeAsync(8000);
  expect(view.table.textContent).toBe('The kernel does not answer; is it busy or gone?');
});

test('without a graphics card there is a sentence, and the still picture stays', () => {
  openDom();
  NoGraphics.isMissing = true;
  const el = document.createElement('div');
  const close = widget.render({ model: kernelModel({ twin: 'still-1' }), el });
  expect(el.querySelector('[role="alert"]').textContent).toContain('Error creating WebGL context.');
  expect(document.head.textContent).not.toContain('still-1');
  expect(close).not.toThrow();
});

test('a drawn widget hides its still picture and follows its model; a closed one lets go of both', () => {
  const dom = openDom();
  const model = kernelModel({ twin: 'still-1' });
  const el = document.createElement('div');
  document.body.append(el);
  const close = widget.render({ model, el });
  dom.resize();
  expect(document.head.textContent).toContain('.still-1{display:none!important}');
  model.state.scene = sharedScene({ title: 'other', summary: '' });
  model.say('change:scene');
  expect(el.querySelector('canvas').getAttribute('aria-label')).toContain('other.');
  close();
  expect(document.head.textContent).not.toContain('still-1');
  model.state.scene = sharedScene({ title: 'late', summary: '' });
  model.say('change:scene');
  expect(el.querySelector('canvas').getAttribute('aria-label')).toContain('other.');
});

// ---------------------------------------------------------------- pointing

test('a click takes the atom under the pointer and says what it is; one beside all atoms takes it back', () => {
  const { view, clickAtom, clickAt, said } = openView();
  clickAtom(2);
  expect([view.selected, said()]).toEqual([[2], 'O2, oxygen, Ueq 0.0615 Å²']);
  clickAt(3, 3);
  expect(view.selected).toEqual([]);
});

test('of a large structure an atom is described by the kernel, by its label until then', async () => {
  const { clickAtom, said, settle } = openView(
    { scene: sharedScene({ descriptions: null }) },
    { describe: ({ row }) => ({ text: `row ${row} in words` }) }
  );
  clickAtom(1);
  expect(said()).toBe('O1');
  await settle();
  expect(said()).toBe('row 1 in words');
});

test('the atom under the pointer has its name as a tip; a pointer that leaves in the same frame leaves none', () => {
  const { view, pointer, placeOf, frame } = openView();
  pointer('pointermove', ...placeOf(0));
  frame();
  expect([view.canvas.title, view.hovered]).toEqual(['C1', 0]);
  pointer('pointermove', ...placeOf(1));
  pointer('pointerleave', 0, 0);
  frame();
  expect([view.canvas.title, view.hovered]).toEqual(['', -1]);
});

test('atoms that a notebook points out are marked and named; rows that are not there are left out', () => {
  const { view, model, said } = openView();
  model.say('msg:custom', { highlight: [0, 2, 99] });
  expect([view.selected, said()]).toEqual([[0, 2], 'C1, O2']);
  model.say('msg:custom', { highlight: 'C1' });
  expect(view.selected).toEqual([0, 2]);
});

// ---------------------------------------------------------------- measuring

const byRows = ({ rows }) => {
  const ways = [String(rows), String([...rows].reverse())];
  const [name] = Object.keys(shared.questions).filter(each => ways.includes(String(shared.questions[each])));
  return shared.answers[name] ?? { error: 'C1–O2 have no angle to measure.' };
};

test('two, three and four clicks give distance, angle and torsion, with s.u.', async () => {
  const { view, button, clickAtom, said, settle } = openView({}, { measure: byRows });
  button('Measure distance, angle, torsion (M)').click();
  expect(pressed(button('Measure distance, angle, torsion (M)'))).toBe('true');
  clickAtom(1);
  clickAtom(0);
  await settle();
  expect(said()).toBe('distance O1–C1 1.220(4) Å (s.u. estimated without covariances)');
  clickAtom(4);
  clickAtom(5);
  await settle();
  expect(said()).toContain('torsion O1–C1–C1–O1 180.0000°');
  expect(view.overlay.measurements.map(each => each.text)).toEqual(['180.0000°']);
});

test('a value that is not determined is explained, and no line is drawn', async () => {
  const { view, clickAtom, said, settle } = openView({}, { measure: byRows });
  clickAtom(0);
  clickAtom(2, { shiftKey: true });
  clickAtom(3, { shiftKey: true });
  await settle();
  expect(said()).toBe('C1–O2 have no angle to measure.');
  expect(view.overlay.measurements).toEqual([]);
});

test('Escape clears first, then lets Tab leave the view', () => {
  const { view, clickAtom, press, said } = openView();
  clickAtom(0);
  expect(press('Escape')).toBe(false);
  expect([view.selected, said()]).toEqual([[], 'cleared']);
  press('Escape');
  expect(said()).toBe('Tab leaves the view.');
  expect(press('Tab')).toBe(true);
});

test('Tab reads one atom after the other and leaves after the last; Enter takes it for measuring', () => {
  const { view, press, said } = openView();
  expect(press('Tab')).toBe(false);
  expect(said()).toBe('C1, carbon, Ueq 0.0404 Å²');
  press('Enter');
  expect([view.measuring.mode, view.overlay.picked]).toEqual(['points', [0]]);
  for (let row = 1; row < 8; row++) press('Tab');
  expect(said()).toMatch(/^H1, hydrogen/);
  expect(press('Tab')).toBe(true);
  view.canvas.dispatchEvent(new FocusEvent('focus'));
  expect(press('Tab', { shiftKey: true })).toBe(false);
});

// ---------------------------------------------------------------- looks

test.each([
  ['Labels (L)', 'labels', ['heavy', true, false], ['true', 'true', 'false']],
  ['Unit cell (C)', 'cell', [true, false], ['true', 'false']],
  ['Perspective (P)', 'perspective', [true, false], ['true', 'false']]
])('%s: each click is drawn here, noted by the kernel and seen on the button', (label, option, values, states) => {
  const { model, button } = openView();
  const seen = values.map(() => {
    button(label).click();
    return pressed(button(label));
  });
  expect(seen).toEqual(states);
  expect(model.told('note').map(each => each.options)).toEqual(values.map(value => ({ [option]: value })));
});

test.each([
  ['h', ['displacement', 'none', 'spheres'].map(hydrogens => ({ hydrogens }))],
  ['b', [true, false].map(hydrogen_bonds => ({ hydrogen_bonds }))]
])('the key %s asks the kernel for other atoms or bonds', (key, wanted) => {
  const { model, press } = openView();
  wanted.forEach(() => press(key));
  expect(model.told('set').map(each => each.options)).toEqual(wanted);
});

test('disorder is cycled where there is some, else said', () => {
  const plain = openView();
  plain.press('d');
  expect([plain.said(), plain.model.told('set')]).toEqual(['There is no disorder.', []]);
  closeDom();
  const { model, press, field } = openView({
    scene: sharedScene({ disordered: true, parts: [['A', 1, 'part A 1']] })
  });
  ['d', 'd', 'd'].forEach(key => press(key));
  field('Disorder').value = 'A\t1';
  field('Disorder').dispatchEvent(new Event('change'));
  expect(model.told('set').map(each => each.options.disorder)).toEqual(['major', 'minor', 'all', { A: 1 }]);
});

test('what the kernel refuses is said; what it does takes the dots away', async () => {
  const answers = { set: { error: 'At most 2000 atoms.' }, grow: {} };
  const { field, said, settle, button } = openView({}, answers);
  field('What is shown').value = 'cell';
  field('What is shown').dispatchEvent(new Event('change'));
  expect(said()).toBe('…');
  await settle();
  expect(said()).toBe('At most 2000 atoms.');
  button('Grow by one bond (G)').click();
  await settle();
  expect(said()).toBe('8 atoms');
});

test('a radius is asked for in Å, and its field shown with that choice only', () => {
  const { model, field, view } = openView();
  expect(field('Radius in ångström').hidden).toBe(true);
  view.askFor({ grow: 'radius' });
  expect(field('Radius in ångström').hidden).toBe(false);
  field('Radius in ångström').value = '5.5';
  field('Radius in ångström').dispatchEvent(new Event('change'));
  expect(model.told('set').at(-1).options).toEqual({ grow: 'radius', radius: 5.5 });
});

test('the slider scales the ellipsoids at once and tells the kernel when it rests, once', () => {
  const { view, model, field } = openView();
  const slider = field('Probability of the displacement ellipsoids in per cent');
  expect(view.stage.model.scale).toBeCloseTo(1.5382, 4);
  ['70', '80', '90'].forEach(value => {
    slider.value = value;
    slider.dispatchEvent(new Event('input'));
  });
  expect(view.stage.model.scale).toBeCloseTo(2.5003, 4);
  expect(view.toolbar.percent.textContent).toBe('90 %');
  expect(model.told('note')).toEqual([]);
  vi.advanceTimersByTime(300);
  expect(model.told('note').map(each => each.options)).toEqual([{ ellipsoids: 0.9 }]);
});

test.each([
  ['[', 0.45],
  [']', 0.55]
])('the key %s changes the probability by five per cent, within 1 and 99', (key, once) => {
  const { view, press } = openView();
  press(key);
  expect(view.options.ellipsoids).toBe(once);
  for (let n = 0; n < 20; n++) press(key);
  expect(view.options.ellipsoids).toBe(key === '[' ? 0.01 : 0.99);
});

test('a palette colours the atoms and is noted', () => {
  const { view, model, field } = openView();
  field('Colours').value = 'grey';
  field('Colours').dispatchEvent(new Event('change'));
  const oxygen = shared.scene.palettes.grey[shared.scene.elements.indexOf('O')];
  expect(view.stage.model.colours[3]).toBeCloseTo(parseInt(oxygen.slice(1, 3), 16) / 255, 5);
  expect(model.told('note').at(-1).options).toEqual({ palette: 'grey' });
});

test('what was chosen here stays when the kernel sends another scene', () => {
  const { view, press } = openView();
  press('l');
  view.setPalette('grey');
  view.setProbability(0.9);
  view.takeScene({ ...view.editing.base, options: { ...shared.scene.options, grow: 'cell' } });
  expect(view.options).toMatchObject({ grow: 'cell', labels: 'heavy', palette: 'grey', ellipsoids: 0.9 });
  expect(view.stage.model.scale).toBeCloseTo(2.5003, 4);
});

test('the way the reader looks is told once it rests: rotation, width in Å and shift', () => {
  const { view, model, button } = openView();
  button('View along a').click();
  button('View along b').click();
  expect(model.told('camera')).toEqual([]);
  vi.advanceTimersByTime(900);
  const [camera, ...more] = model.told('camera');
  expect(more).toEqual([]);
  camera.rotation.forEach((value, k) => expect(value).toBeCloseTo(shared.scene.directions.b[k], 6));
  expect(camera.across).toBeCloseTo((2 * view.stage.half * 400) / 300, 6);
});

test('coupled views turn together; others stay, and so does a closed one', () => {
  const dom = openDom();
  const one = openView({ link: 'k' }, {}, dom);
  const two = openView({ link: 'k' }, {}, dom);
  const alone = openView({ link: 'other' }, {}, dom);
  const before = alone.view.stage.rotation();
  one.view.stage.rotate(0.5, 0.2);
  one.frame();
  two.view.stage.rotation().forEach((value, k) => expect(value).toBeCloseTo(one.view.stage.rotation()[k], 6));
  expect(alone.view.stage.rotation()).toEqual(before);
  two.view.close();
  const kept = two.view.stage.rotation();
  one.view.stage.rotate(0.5, 0);
  one.frame();
  expect(two.view.stage.rotation()).toEqual(kept);
});

test('a page that turns dark is drawn on dark paper', async () => {
  const { view } = openView();
  document.body.dataset.jpThemeLight = 'false';
  await Promise.resolve();
  expect(view.overlay.dark).toBe(true);
  delete document.body.dataset.jpThemeLight;
});

test('letters stay in the view: the notebook does not take them for shortcuts', () => {
  const { el, press, view } = openView();
  const heard = vi.fn();
  document.body.addEventListener('keydown', heard);
  press('q');
  press('a', {}, view.toolbar.slider);
  expect(heard).not.toHaveBeenCalled();
  expect(el.querySelector('.qcv').dataset.lmSuppressShortcuts).toBe('true');
});

test('the keys are listed by ?, and by Escape put away', () => {
  const { view, press } = openView();
  press('?');
  expect(view.help.hidden).toBe(false);
  press('Escape');
  expect(view.help.hidden).toBe(true);
});

// ---------------------------------------------------------------- files

test('an SVG is asked of the kernel as the view is now, and saved under the name of the structure', async () => {
  const saved = [];
  vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function () {
    saved.push(this.download);
  });
  URL.createObjectURL = () => 'blob:x';
  URL.revokeObjectURL = () => undefined;
  const answers = { svg: { svg: '<svg/>' } };
  const { model, press, settle, said } = openView({ scene: sharedScene({ title: 'a/b: ä (1)' }) }, answers);
  press('s');
  await settle();
  expect(model.told('svg')[0]).toMatchObject({ width: 400, height: 300 });
  expect(model.sent.map(each => each.do).slice(-2)).toEqual(['camera', 'svg']);
  expect([saved, said()]).toEqual([['a_b_1_.svg'], 'SVG saved.']);
  answers.svg = { error: 'No structure.' };
  press('s');
  await settle();
  expect([saved.length, said()]).toEqual([1, 'No structure.']);
});

// ---------------------------------------------------------------- densities

const PEAK = {
  name: 'Q1',
  height: '0.42',
  unit: 'e/Å³',
  sigmas: '5.1',
  nearest: '0.9 Å from O2',
  value: 0.42,
  place: [2, 2, 0],
  fract: [0.1, 0.2, 0.3]
};
const HOLE = { ...PEAK, name: 'H1', height: '−0.30', value: -0.3, place: [-2, 2, 0] };

/** A density on a grid of 4³ points with one high point, and its peaks. */
function density(more = {}) {
  const values = new Float32Array(64);
  values[21] = 0.5;
  return {
    values: new DataView(values.buffer),
    shape: [4, 4, 4],
    origin: [0, 0, 0],
    steps: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    level: 3,
    sigma: 0.1,
    maximum: 0.5,
    minimum: -0.2,
    kind: 'difference density',
    unit: 'e/Å³',
    peaks: [PEAK, HOLE],
    ...more
  };
}

test('a density comes with its level in σ and in its unit; moving the level is drawn once a frame', () => {
  const { view, field, frame } = openView({ density: density() });
  expect(view.density.words.textContent).toMatch(/^difference density: ±3.0 σ = ±0.30 e\/Å³/);
  expect(field('Level of the density in sigma').value).toBe('3');
  ['4', '4.5'].forEach(value => {
    field('Level of the density in sigma').value = value;
    field('Level of the density in sigma').dispatchEvent(new Event('input'));
  });
  expect(view.density.words.textContent).toContain('3.0 σ');
  frame();
  expect(view.density.words.textContent).toContain('±4.5 σ = ±0.45 e/Å³');
});

test.each([
  [{ maximum: 0.5, minimum: -0.2, sigma: 0.1 }, '8'],
  [{ maximum: 2, minimum: -0.2, sigma: 0.1 }, '18'],
  [{ maximum: 0.2, minimum: -4, sigma: 0.1 }, '36'],
  [{ maximum: 0, minimum: 0, sigma: 0 }, '8']
])('the level of %j goes up to %s σ, which leaves something to see', (more, most) => {
  expect(openView({ density: density(more) }).field('Level of the density in sigma').max).toBe(most);
});

test('peaks and holes are a list; a marked one is drawn, and said with its height', () => {
  const { view, button, said } = openView({ density: density() });
  button('Q1').click();
  expect([pressed(button('Q1')), said()]).toEqual(['true', 'Q1: 0.42 e/Å³, 0.9 Å from O2']);
  button('H1').click();
  expect(view.overlay.peaks.map(each => each.name)).toEqual(['Q1', 'H1']);
  button('Q1').click();
  expect([pressed(button('Q1')), view.overlay.peaks.map(each => each.name)]).toEqual(['false', ['H1']]);
});

test('spheres are for peaks, not for holes, and go with the density', () => {
  const { view, button } = openView({ density: density() });
  button('Peaks').click();
  expect(view.overlay.named.map(each => each.name)).toEqual(['Q1']);
  view.takeDensity(null);
  expect([view.overlay.named, view.density.node.hidden, view.density.list.hidden]).toEqual([[], true, true]);
});

test('a section needs three atoms; it goes through those that were taken and is described', async () => {
  const answers = { section: ({ rows }) => ({ png: 'AAAA', alt: `through ${rows.join()}` }) };
  const { view, button, said, settle, model } = openView({ density: density() }, answers);
  button('Section').click();
  expect(said()).toMatch(/^Take three atoms first/);
  view.selected = [0, 1, 2];
  button('Section').click();
  await settle();
  expect(view.density.picture.querySelector('img').alt).toBe('through 0,1,2');
  expect([view.density.picture.hidden, said()]).toEqual([false, 'through 0,1,2']);
  answers.section = { error: 'These atoms lie on a line.' };
  button('Section').click();
  await settle();
  expect(said()).toBe('These atoms lie on a line.');
  expect(model.told('section')).toHaveLength(2);
});
