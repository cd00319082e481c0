import { expect, test, vi } from 'vitest';

import { Telling } from '../src/panel/telling';

function desktop(permission: string, answer = permission, isHidden = true) {
  return { permission: () => permission, ask: vi.fn(async () => answer), show: vi.fn(), isHidden: () => isHidden };
}

function storage() {
  const kept = new Map<string, string>();
  return {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => void kept.set(name, value),
    removeItem: (name: string) => void kept.delete(name)
  };
}

test('nothing is told outside until a person chooses it', async () => {
  const made = desktop('granted');
  const telling = new Telling(made, storage());
  telling.tell('a');
  expect(made.show).not.toHaveBeenCalled();
  expect(await telling.choose(true)).toBe(true);
  telling.tell('b');
  expect(made.show.mock.calls).toEqual([['b']]);
  await telling.choose(false);
  telling.tell('c');
  expect(made.show).toHaveBeenCalledTimes(1);
});

test('who looks at the page is not told twice', async () => {
  const made = desktop('granted', 'granted', false);
  const telling = new Telling(made, storage());
  await telling.choose(true);
  telling.tell('a');
  expect(made.show).not.toHaveBeenCalled();
});

test('a browser that refuses is asked once, and the choice stays off', async () => {
  const made = desktop('default', 'denied');
  const telling = new Telling(made, storage());
  expect(await telling.choose(true)).toBe(false);
  expect(made.ask).toHaveBeenCalledTimes(1);
  expect(telling.isOn).toBe(false);
});

test('a permission that was taken back counts', async () => {
  const kept = storage();
  await new Telling(desktop('granted'), kept).choose(true);
  expect(new Telling(desktop('denied'), kept).isOn).toBe(false);
});

test('a browser without notifications cannot turn them on', async () => {
  const telling = new Telling(undefined, storage());
  expect(telling.isPossible).toBe(false);
  expect(await telling.choose(true)).toBe(false);
  telling.tell('a');
});
