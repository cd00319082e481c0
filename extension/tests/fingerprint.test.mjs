import { expect, test } from 'vitest';

import { binned, partsOf } from '../../qcrbox_kernel_lib/qcrbox/widgets/structure_view/js/fingerprint_bins.js';

const AXES = { low: 0.4, high: 3.0, bins: 260 };
const one = { di: [1.0, 1.08, 1.04], de: [1.5, 1.58, 1.54], faces: [0, 1, 2], area: () => 2 };
const sum = counts => counts.reduce((all, x) => all + x, 0);

test.each([1, 2, 4, 5])('%i² parts of a triangle have its centre as their mean', k => {
  const parts = partsOf(k);
  expect(parts).toHaveLength(k * k);
  [0, 1, 2].forEach(corner => {
    expect(parts.reduce((all, part) => all + part[corner], 0) / parts.length).toBeCloseTo(1 / 3, 12);
  });
});

test('the whole area is binned, on the line between the corners too', () => {
  const counts = binned(one, AXES);
  expect(sum(counts)).toBeCloseTo(2, 5);
  const filled = [...counts.keys()].filter(at => counts[at] > 0);
  expect(filled.length).toBeGreaterThanOrEqual(7);
  // de − di is 0.5 Å everywhere: fifty bins.
  filled.forEach(at => expect(Math.abs(Math.floor(at / 260) - (at % 260) - 50)).toBeLessThanOrEqual(1));
});

test('of a pair of elements only the parts nearest to its vertices count', () => {
  const shares = [0, 1, 2].map(vertex => sum(binned({ ...one, belongs: i => i === vertex }, AXES)));
  expect(shares[0] + shares[1] + shares[2]).toBeCloseTo(2, 5);
  shares.forEach(share => expect(share).toBeGreaterThan(0.4));
});

test('what lies outside the axes is counted at their ends', () => {
  const far = { ...one, di: [9, 9, 9], de: [0, 0, 0] };
  expect(binned(far, AXES)[259]).toBeCloseTo(2, 5);
});
