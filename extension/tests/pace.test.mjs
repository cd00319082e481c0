import { expect, test, vi } from 'vitest';

import {
  COARSEST,
  FULL,
  MANY,
  Pace,
  SKETCH,
  levelOf,
  smoothed
} from '../../qcrbox_kernel_lib/qcrbox/widgets/structure_view/js/pace.js';

const TURNING = { isMoving: true, full: 500, share: 1, count: 20250 };

test.each([
  ['many atoms that move slowly', {}, SKETCH],
  ['many atoms at rest', { isMoving: false }, FULL],
  ['many atoms on a graphics card', { full: 12 }, FULL],
  ['few atoms, as long as fewer pixels help', { count: MANY }, FULL],
  ['few atoms, when fewer pixels did not help', { count: MANY, share: COARSEST }, SKETCH],
  ['few atoms, when they helped', { count: MANY, share: COARSEST, full: 60 }, FULL]
])('level of %s', (_, given, level) => {
  expect(levelOf({ ...TURNING, ...given })).toBe(level);
});

test('a faster frame counts at once, a slower one in part', () => {
  expect(smoothed(undefined, 80)).toBe(80);
  expect(smoothed(100, 20)).toBe(20);
  expect(smoothed(20, 120)).toBeCloseTo(60);
});

function turning(count) {
  const clock = { now: 1000 };
  const redraw = vi.fn();
  const pace = new Pace(redraw, () => clock.now);
  pace.forget(count);
  const frame = (ms, moves = true) => {
    if (moves) pace.moved();
    const level = pace.begin();
    clock.now += ms[level] ?? ms;
    pace.took(ms[level] ?? ms, level);
    return level;
  };
  return { clock, frame, pace, redraw };
}

test('after the first slow frame it is sketched until it rests, and then drawn in full', () => {
  vi.useFakeTimers();
  const { clock, frame, pace, redraw } = turning(20000);
  const cost = { [FULL]: 500, [SKETCH]: 60 };
  expect(frame(cost, false)).toBe(FULL); // compiles: says nothing
  expect([1, 2, 3, 4].map(() => frame(cost))).toEqual([FULL, SKETCH, SKETCH, SKETCH]);
  expect(pace.share).toBe(1);
  clock.now += 1000;
  vi.advanceTimersByTime(1000);
  expect(redraw).toHaveBeenCalledOnce();
  expect(frame(cost, false)).toBe(FULL);
  expect(frame(cost)).toBe(SKETCH); // the next movement at once
  pace.close();
  vi.useRealTimers();
});

test('frames that take longer than the rest are still frames of a movement', () => {
  const { frame, pace } = turning(20000);
  frame(3000, false);
  expect([1, 2, 3].map(() => frame(3000))).toEqual([FULL, SKETCH, SKETCH]);
  pace.close();
});

test('few atoms lose pixels while they move, and get them back', () => {
  const { frame, pace } = turning(100);
  frame(80, false);
  for (let n = 0; n < 8; n++) expect(frame(80)).toBe(FULL);
  expect(pace.share).toBe(COARSEST);
  for (let n = 0; n < 6; n++) frame(5);
  expect(pace.share).toBe(1);
  pace.close();
});

test('a page that was out of sight does not count as slow', () => {
  const { frame, pace } = turning(100);
  frame(5, false);
  frame(60_000);
  expect([pace.share, pace.costs]).toEqual([1, {}]);
  pace.close();
});

test('a frame that ends after the view was closed draws nothing more', () => {
  vi.useFakeTimers();
  const { frame, pace, redraw } = turning(100);
  frame(80, false);
  frame(80);
  pace.moved();
  pace.close();
  pace.took(80, FULL);
  expect(vi.getTimerCount()).toBe(0);
  expect(redraw).not.toHaveBeenCalled();
  vi.useRealTimers();
});
