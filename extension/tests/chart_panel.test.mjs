import { beforeEach, expect, test } from 'vitest';

import { Panel } from '../../qcrbox_kernel_lib/qcrbox/widgets/chart/js/panel.js';
import { openPage } from './page.mjs';

beforeEach(() => openPage());

const axis = (label, more = {}) => ({ label, log: false, low: null, high: null, ticks: [], ...more });
const series = (name, x, y, more = {}) => ({
  name,
  x,
  y,
  kind: 'points',
  colour: '#0072B2',
  marker: 'o',
  dashed: false,
  ring: false,
  labels: '',
  ...more
});

function panel(given, more = {}) {
  const said = {
    title: '',
    x: axis('Fc'),
    y: axis('Fo'),
    top: null,
    square: false,
    levels: [],
    series: given,
    ...more
  };
  const [points, taken] = [[], []];
  const made = new Panel(
    said,
    point => points.push(point),
    point => taken.push(point),
    'A chart.'
  );
  made.canvas.clientWidth = 470;
  made.resize();
  return { panel: made, points, taken };
}

const LABELLED = series('Fo', [1, 2, 3], [10, 20, 15], { labels: '1 0 0\n2 0 0\n3 0 0' });
const place = (made, i, k = 0) => made.at(made.series[k], i);
const press = (made, key) => made.canvas.fire('keydown', { key });

test('points lie inside the frame, upwards on the page', () => {
  const { panel: made } = panel([LABELLED]);
  const { left, right, top, bottom } = made.box;
  const places = [0, 1, 2].map(i => place(made, i));
  for (const [x, y] of places) {
    expect(x).toBeGreaterThan(left);
    expect(x).toBeLessThan(right);
    expect(y).toBeGreaterThan(top);
    expect(y).toBeLessThan(bottom);
  }
  expect(places[0][0]).toBeLessThan(places[1][0]);
  expect(places[1][1]).toBeLessThan(places[2][1]);
});

test('the point near the pointer is said with its name and both values', () => {
  const { panel: made, points } = panel([LABELLED]);
  const [x, y] = place(made, 1);
  made.canvas.fire('pointermove', { offsetX: x + 5, offsetY: y - 5 });
  expect(points.at(-1)).toEqual({ label: '2 0 0', words: '2 0 0 – Fc: 2, Fo: 20' });
  made.canvas.fire('pointermove', { offsetX: x + 40, offsetY: y });
  expect(points.at(-1)).toBeNull();
});

test('of several points the nearest is meant', () => {
  const { panel: made } = panel([series('a', [1, 1.02, 9], [1, 1, 9])]);
  const [x, y] = place(made, 1);
  expect(made.nearest(x + 2, y).i).toBe(1);
});

test('rings and lines only point at others: they are not read', () => {
  const { panel: made } = panel([
    series('ring', [2], [2], { ring: true }),
    series('line', [2], [2], { kind: 'line' }),
    series('points', [5], [5])
  ]);
  expect(made.nearest(...place(made, 0))).toBeNull();
  expect(made.readable.map(each => each.name)).toEqual(['points']);
});

test('arrows walk in order of x, and stop at the ends', () => {
  const { panel: made, points } = panel([series('a', [3, 1, 2], [30, 10, 20])]);
  const words = () => points.at(-1).words;
  press(made, 'ArrowRight');
  expect(words()).toBe('Fc: 1, a: 10');
  press(made, 'ArrowRight');
  press(made, 'ArrowRight');
  press(made, 'ArrowRight');
  expect(words()).toBe('Fc: 3, a: 30');
  press(made, 'ArrowLeft');
  expect(words()).toBe('Fc: 2, a: 20');
});

test('up and down go from series to series, round and round', () => {
  const { panel: made, points } = panel([series('a', [1], [1]), series('b', [2], [2])]);
  press(made, 'ArrowRight');
  press(made, 'ArrowDown');
  expect(points.at(-1).words).toBe('Fc: 2, b: 2');
  press(made, 'ArrowDown');
  expect(points.at(-1).words).toBe('Fc: 1, a: 1');
});

test('a chart without points has nothing to walk to', () => {
  const { panel: made, points } = panel([]);
  expect(press(made, 'ArrowRight')).toEqual(['default', 'bubbling']);
  expect(points).toEqual([]);
});

test.each(['a', 'Tab', 'PageDown'])('the key %s is left to the page', key => {
  expect(press(panel([LABELLED]).panel, key)).toEqual([]);
});

test('Enter takes the point that is said, Escape lets it go', () => {
  const { panel: made, points, taken } = panel([LABELLED]);
  expect(press(made, 'Enter')).toEqual([]);
  press(made, 'ArrowRight');
  press(made, 'Enter');
  expect(taken.map(each => each.label)).toEqual(['1 0 0']);
  press(made, 'Escape');
  expect(points.at(-1)).toBeNull();
});

test('a click takes a point; a drag zooms and takes none', () => {
  const { panel: made, taken } = panel([LABELLED]);
  const [x, y] = place(made, 2);
  const at = (name, offsetX, offsetY) => made.canvas.fire(name, { offsetX, offsetY });
  at('pointerdown', x, y);
  at('pointerup', x, y);
  expect(taken.map(each => each.label)).toEqual(['3 0 0']);
  const { left, right, top, bottom } = made.box;
  const whole = [...made.x.whole];
  at('pointerdown', left, top);
  at('pointermove', (left + right) / 2, (top + bottom) / 2);
  at('pointerup', 0, 0);
  expect(taken).toHaveLength(1);
  expect(made.x.shown[0]).toBeCloseTo(whole[0], 6);
  expect(made.x.shown[1]).toBeCloseTo((whole[0] + whole[1]) / 2, 6);
  // The upper half of the page are the higher values.
  expect(made.y.shown[1]).toBeCloseTo(made.y.whole[1], 6);
  press(made, '0');
  expect(made.x.shown).toEqual(whole);
});

test('a square chart has the same unit across and upwards, and shows all points', () => {
  const { panel: made } = panel([series('a', [0, 100], [0, 10])], { square: true });
  const { left, right, top, bottom } = made.box;
  const unit = ({ whole }, length) => (whole[1] - whole[0]) / length;
  expect(unit(made.x, right - left)).toBeCloseTo(unit(made.y, bottom - top), 9);
  const [x, y] = place(made, 1);
  expect([x < right, y > top]).toEqual([true, true]);
});

test('a gap in the values is a gap in the line', () => {
  const { panel: made } = panel([series('a', [1, 2, 3, 4], [1, NaN, 2, 3], { kind: 'line' })]);
  const calls = made.context.calls;
  calls.length = 0;
  made.drawSeries(made.context, made.series[0]);
  expect(calls.map(([name]) => name).filter(name => /To$/.test(name))).toEqual(['moveTo', 'moveTo', 'lineTo']);
});

test('marked names have rings where they are', () => {
  const { panel: made } = panel([LABELLED]);
  made.context.calls.length = 0;
  made.mark(['2 0 0']);
  const rings = made.context.calls.filter(([name, , , radius]) => name === 'arc' && radius === 7);
  expect(rings.map(([, x, y]) => [x, y])).toEqual([place(made, 1)]);
});

test('a level counts for the range of the axis and has its words', () => {
  const { panel: made } = panel([series('a', [1], [1])], { levels: [[50, 'limit']] });
  expect(made.y.whole[1]).toBeGreaterThan(50);
  expect(made.context.calls.some(([name, words]) => name === 'fillText' && words === 'limit')).toBe(true);
});

test('each named series is in the legend, below the picture', () => {
  const { panel: made } = panel([
    LABELLED,
    series('', [1], [1]),
    series('Fc', [1], [1], { kind: 'line', dashed: true })
  ]);
  expect(made.node.tagged('span').map(each => each.textContent)).toEqual(['Fo', 'Fc']);
});

test('a panel that has no place on the page is not drawn', () => {
  const { panel: made } = panel([LABELLED]);
  made.context.calls.length = 0;
  made.canvas.clientWidth = 0;
  made.resize();
  expect(made.context.calls).toEqual([]);
});

test('a finger that begins to scroll the page zooms nothing, takes nothing and leaves no box', () => {
  const { panel: made, taken } = panel([LABELLED]);
  const shown = [...made.x.shown];
  made.canvas.fire('pointerdown', { pointerId: 1, offsetX: 100, offsetY: 100 });
  made.canvas.fire('pointermove', { offsetX: 200, offsetY: 200 });
  made.canvas.fire('pointercancel');
  made.context.calls.length = 0;
  made.canvas.fire('pointermove', { offsetX: 300, offsetY: 250 });
  made.canvas.fire('pointerup', { offsetX: 300, offsetY: 250 });
  expect([made.x.shown, taken, made.zoomed]).toEqual([shown, [], null]);
  expect(made.context.calls.filter(([name]) => name === 'strokeRect')).toHaveLength(1); // the frame
});
