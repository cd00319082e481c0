import { beforeEach, expect, test, vi } from 'vitest';

import { HELP, onKey } from '../../qcrbox_kernel_lib/qcrbox/widgets/structure_view/js/keyboard.js';
import { Kernel } from '../../qcrbox_kernel_lib/qcrbox/widgets/structure_view/js/kernel.js';

/** A view that writes down what is asked of it. */
function view() {
  const asked = [];
  const listening = path =>
    new Proxy(() => undefined, {
      get: (_target, name) => (name === 'ellipsoids' ? 0.5 : listening([...path, name])),
      apply: (_target, _self, given) => {
        asked.push([path.join('.'), ...given]);
      }
    });
  return { view: listening([]), asked };
}

function press(key, more = {}) {
  const stopped = [];
  const event = {
    key,
    shiftKey: false,
    ctrlKey: false,
    metaKey: false,
    altKey: false,
    preventDefault: () => stopped.push('default'),
    stopPropagation: () => stopped.push('bubbling'),
    ...more
  };
  const made = view();
  return { taken: onKey(made.view, event), asked: made.asked, stopped };
}

/** The keys of a line of the help, as events name them. */
const NAMES = { '←': 'ArrowLeft', '→': 'ArrowRight', '↑': 'ArrowUp', '↓': 'ArrowDown', '−': '-', Esc: 'Escape' };
const named = HELP.flatMap(([keys]) => keys.replace('Shift Tab', '').split(/[ ,]+/).filter(Boolean)).map(
  key => NAMES[key] ?? key
);

test.each([...named, ',', '.'])('the key %j of the help does something, and the page does not get it', key => {
  const { taken, asked, stopped } = press(key);
  expect(taken).toBe(true);
  expect(asked).toHaveLength(1);
  expect(stopped).toEqual(['default', 'bubbling']);
});

test.each(['ctrlKey', 'metaKey', 'altKey'])('a key with %s is the browser’s', modifier => {
  const { taken, asked, stopped } = press('s', { [modifier]: true });
  expect([taken, asked, stopped]).toEqual([false, [], []]);
});

test.each(['q', 'F5', 'Home', 'ä', '0', 'Dead'])('the key %j is left to the page', key => {
  const { taken, asked, stopped } = press(key);
  expect([taken, asked, stopped]).toEqual([false, [], []]);
});

test('capital letters are the same keys', () => {
  expect(press('L').asked).toEqual(press('l').asked);
});

test('arrows turn, and move with Shift', () => {
  expect(press('ArrowLeft').asked[0][0]).toBe('stage.rotate');
  expect(press('ArrowLeft', { shiftKey: true }).asked).toEqual([['stage.move', -20, 0]]);
});

test.each([
  ['[', 0.45],
  [']', 0.55]
])('the key %j sets the probability of the ellipsoids to %d', (key, probability) => {
  const [[name, value]] = press(key).asked;
  expect(name).toBe('setProbability');
  expect(value).toBeCloseTo(probability, 12);
});

// ---------------------------------------------------------------- questions to the kernel

function model() {
  const made = {
    sent: [],
    listeners: new Set(),
    on: (_event, heard) => made.listeners.add(heard),
    off: (_event, heard) => made.listeners.delete(heard),
    send: what => made.sent.push(what),
    answer: message => made.listeners.forEach(heard => heard(message))
  };
  return made;
}

beforeEach(() => {
  vi.useFakeTimers();
});

test('each question gets its own answer, in whatever order they come', async () => {
  const channel = model();
  const kernel = new Kernel(channel);
  const [first, second] = [kernel.ask({ do: 'measure', rows: [0, 1] }), kernel.ask({ do: 'grow' })];
  const [one, two] = channel.sent.map(each => each.id);
  expect(one).not.toBe(two);
  channel.answer({ re: two, text: 'grown' });
  channel.answer({ re: one, text: '1.52(2) Å' });
  channel.answer({ re: one, text: 'again' });
  channel.answer({ re: 99, text: 'of nobody' });
  expect((await first).text).toBe('1.52(2) Å');
  expect((await second).text).toBe('grown');
});

test('an error of the kernel is the error of its question', async () => {
  const channel = model();
  const asked = new Kernel(channel).ask({ do: 'measure' });
  channel.answer({ re: channel.sent[0].id, error: 'Take two atoms.' });
  await expect(asked).rejects.toThrow('Take two atoms.');
});

test('a kernel that is gone is said, and its late answer changes nothing', async () => {
  const channel = model();
  const asked = new Kernel(channel).ask({ do: 'grow' });
  const ended = expect(asked).rejects.toThrow('does not answer');
  vi.advanceTimersByTime(8000);
  await ended;
  expect(() => channel.answer({ re: channel.sent[0].id, text: 'late' })).not.toThrow();
});

test('a closed view hears nothing any more', () => {
  const channel = model();
  new Kernel(channel).close();
  expect(channel.listeners.size).toBe(0);
});
