import { expect, test } from 'vitest';

import { floats, Scale, text } from '../../qcrbox_kernel_lib/qcrbox/widgets/chart/js/scale.js';

const axis = more => ({ log: false, low: null, high: null, ticks: [], ...more });
const values = scale => scale.ticks().map(([value]) => value);

test.each([
  [0, '0'],
  [0.05, '0.05'],
  [-0.05, '−0.05'],
  [0.000123, '1.23e−4'],
  [123456, '1.23e+5'],
  [99999, '100000'],
  [1.23456, '1.235'],
  [NaN, '–'],
  [Infinity, '–']
])('the number %j is shown as %j', (number, shown) => {
  expect(text(number)).toBe(shown);
});

test('bytes of the kernel are numbers, whatever their place in the buffer', () => {
  const whole = new Float32Array([9, 1, 2, 3]);
  expect([...floats(new DataView(whole.buffer, 4, 12))]).toEqual([1, 2, 3]);
  expect([...floats([1, 2])]).toEqual([1, 2]);
});

test.each([
  ['linear', axis(), [-3, 0, 5, 12]],
  ['logarithmic', axis({ log: true }), [0.001, 1, 1000]],
  ['narrow', axis(), [1, 1 + 1e-9]]
])('on a %s axis a place and its value are the inverse of one another', (_name, given, data) => {
  const scale = new Scale(given, data);
  for (const value of data) {
    const pixel = scale.pixel(value, 40, 640);
    expect(pixel).toBeGreaterThanOrEqual(40);
    expect(pixel).toBeLessThanOrEqual(640);
    expect(scale.value(pixel, 40, 640)).toBeCloseTo(value, 9);
  }
});

test('an axis whose pixels run upwards is the same', () => {
  const scale = new Scale(axis(), [0, 10]);
  expect(scale.pixel(10, 300, 20)).toBeLessThan(scale.pixel(0, 300, 20));
  expect(scale.value(scale.pixel(7, 300, 20), 300, 20)).toBeCloseTo(7, 9);
});

test('what is not a number, or has no logarithm, does not move the limits', () => {
  expect(new Scale(axis(), [NaN, 1, Infinity, 2]).shown).toEqual(new Scale(axis(), [1, 2]).shown);
  expect(new Scale(axis({ log: true }), [0, -5, 1, 100]).shown).toEqual(new Scale(axis({ log: true }), [1, 100]).shown);
});

test('limits that are given are kept', () => {
  expect(new Scale(axis({ low: 0, high: 1 }), [-5, 5]).whole).toEqual([0, 1]);
});

test.each([
  [
    [0, 1],
    [0, 0.2, 0.4, 0.6, 0.8, 1]
  ],
  [
    [0, 7],
    [0, 1, 2, 3, 4, 5, 6, 7]
  ],
  [
    [-50, 50],
    [-40, -20, 0, 20, 40]
  ]
])('ticks of %j are round numbers', ([low, high], expected) => {
  const found = values(new Scale(axis({ low, high }), []));
  expect(found.length).toBe(expected.length);
  found.forEach((value, n) => expect(value).toBeCloseTo(expected[n], 9));
});

test.each([
  [[], 'none'],
  [[5, 5, 5], 'one value'],
  [[1e17, 1e17], 'beyond whole numbers'],
  [[-1e300, 1e300], 'the largest'],
  [[1e-300, 2e-300], 'the smallest'],
  [[0, 0], 'zeros']
])('ticks of %j (%s) come to an end and stand within the axis', data => {
  const scale = new Scale(axis(), data);
  const found = values(scale);
  expect(found.length).toBeLessThanOrEqual(13);
  expect(new Set(found).size).toBe(found.length);
  const [low, high] = scale.shown;
  const room = (high - low) * 1e-6;
  expect(found.every(value => value >= low - room && value <= high + room)).toBe(true);
});

test('a logarithmic axis has its ticks at powers of ten, one between two others', () => {
  const found = values(new Scale(axis({ log: true, low: 1e-12, high: 1e12 }), []));
  const powers = found.map(value => Math.log10(value));
  expect(powers.every(power => Math.abs(power - Math.round(power)) < 1e-9)).toBe(true);
  const steps = new Set(powers.slice(1).map((power, n) => Math.round(power - powers[n])));
  expect(steps.size).toBe(1);
  expect(found.length).toBeLessThanOrEqual(8);
});

test('ticks that are given are those', () => {
  const ticks = [[1, 'one']];
  expect(new Scale(axis({ ticks }), [0, 2]).ticks()).toEqual(ticks);
});
