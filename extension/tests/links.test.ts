import type { IRouter, JupyterFrontEnd } from '@jupyterlab/application';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { EXERCISE_LINK, withoutExercise } from '../src/exercise/link';
import { followLink } from '../src/links';

const ID = '0123456789abcdef0123456789abcdef';

interface ICommand {
  execute: (args: Record<string, unknown>) => Promise<void>;
}

function lab() {
  let restore: () => void = () => undefined;
  const commands = new Map<string, ICommand>();
  const app = {
    commands: { addCommand: (id: string, command: ICommand) => commands.set(id, command) },
    restored: new Promise<void>(done => {
      restore = done;
    })
  };
  const registered: unknown[] = [];
  const router = { register: (what: unknown) => registered.push(what) };
  const opened: string[] = [];
  followLink(app as unknown as JupyterFrontEnd, router as unknown as IRouter, {
    command: 'open',
    label: 'Open',
    pattern: EXERCISE_LINK,
    without: withoutExercise,
    open: id => opened.push(id)
  });
  const follow = (search?: string) => commands.get('open')?.execute({ search });
  return { follow, restore, opened, registered };
}

const replaceState = vi.fn();
beforeEach(() => {
  vi.stubGlobal('history', { state: { a: 1 }, replaceState });
});
afterEach(() => {
  vi.unstubAllGlobals();
  replaceState.mockReset();
});

test('a link is opened after what was open the last time, and is gone from the address', async () => {
  const address = `https://box.example.org/user/ada/lab?qcrbox-exercise=${ID}&x=1`;
  vi.stubGlobal('location', { href: address });
  const { follow, restore, opened } = lab();
  const following = follow(new URL(address).search);
  await Promise.resolve();
  expect(opened).toEqual([]);
  restore();
  await following;
  expect(opened).toEqual([ID]);
  expect(replaceState).toHaveBeenCalledWith({ a: 1 }, '', withoutExercise(address));
  expect(withoutExercise(address)).not.toContain('exercise');
});

test.each([undefined, '', '?', '?x=1'])(
  'without a link in %j nothing is opened and the address stays',
  async search => {
    vi.stubGlobal('location', { href: 'https://box.example.org/' });
    const { follow, restore, opened } = lab();
    restore();
    await follow(search);
    expect(opened).toEqual([]);
    expect(replaceState).not.toHaveBeenCalled();
  }
);

test('the router is told which addresses are links', () => {
  expect(lab().registered).toEqual([{ command: 'open', pattern: EXERCISE_LINK }]);
});
