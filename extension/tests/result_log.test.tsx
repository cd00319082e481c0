// @vitest-environment jsdom
/** The log of a result in Lab, while the registry is slow or away. */
import { Signal } from '@lumino/signaling';
import { nullTranslator } from '@jupyterlab/translation';
import { afterEach, expect, test, vi } from 'vitest';

import { ResultView } from '../src/command/result';
import { HOSTILE, later, mount, unmountAll } from './lab_dom';
import { calculation } from './lab_shell';

vi.mock('@jupyterlab/ui-components', () => import('./lab_dom'));
vi.mock('@jupyterlab/services', () => import('./lab_libraries'));

const NOTHING = 'The program has written nothing.';

afterEach(unmountAll);

async function shown(more: object = { status: 'successful' }) {
  const asked: ReturnType<typeof later<object | null>>[] = [];
  const next = () => {
    asked.push(later<object | null>());
    return asked[asked.length - 1]?.promise;
  };
  const store = {
    problem: '',
    applications: [],
    known: calculation('c1', more),
    calculationOf: () => store.known,
    datasetOf: () => undefined,
    client: { calculation: next }
  };
  const changed = new Signal<object, void>(store);
  const page = await mount(
    new ResultView('c1', Object.assign(store, { changed }) as never, {} as never, {} as never, nullTranslator.load(''))
  );
  await page.press('Log');
  return {
    page,
    answer: (n: number, stdout: string | null) =>
      page.settle(() => asked[n]?.answer(stdout === null ? null : { status_events: [{ stdout }] })),
    fail: (n: number, why: string) => page.settle(() => asked[n]?.fail(new Error(why))),
    move: (step: string) =>
      page.settle(() => {
        store.known = calculation('c1', { ...more, step });
        changed.emit();
      })
  };
}

test('before the first answer nobody knows whether the program wrote something', async () => {
  const { page, answer } = await shown();
  expect(page.words()).toContain('Loading …');
  expect(page.words()).not.toContain(NOTHING);
  await answer(0, 'cycle 1\n');
  expect(page.words()).toContain('cycle 1');
  expect(page.words()).not.toContain('Loading');
});

test.each([
  ['an empty output', ''],
  ['escape sequences alone', '\u001b[31m\u001b[0m\n'],
  ['a calculation that is gone', null]
])('of %s it says that nothing was written', async (_what, stdout) => {
  const { page, answer } = await shown();
  await answer(0, stdout);
  expect(page.words()).toContain(NOTHING);
});

test('a calculation that goes on has written nothing yet', async () => {
  const { page, answer } = await shown({ status: 'running' });
  await answer(0, '');
  expect(page.words()).toContain('The program has written nothing yet.');
});

test.each([
  ['failed', 'alert'],
  ['cancelled', 'note']
])('why a calculation is %s stands in a box of the role %s', async (status, role) => {
  const { page } = await shown({ status, error_msg: 'Not needed.' });
  expect(page.all(`[role="${role}"]`).map(each => each.textContent)).toEqual(['Not needed.']);
});

test('where the log cannot be read it says why, and does not call the log empty', async () => {
  const { page, fail } = await shown();
  await fail(0, 'The registry does not answer.');
  expect(page.words()).toContain('The registry does not answer.');
  expect(page.words()).not.toContain(NOTHING);
  expect(page.words()).not.toContain('Loading');
});

test('a registry that is away for a moment takes no log from the screen; the next answer takes the error away', async () => {
  const { page, answer, fail, move } = await shown();
  await answer(0, 'cycle 1');
  await move('running');
  await fail(1, 'away');
  expect(page.words()).toMatch(/away.*cycle 1/);
  await move('collecting');
  await answer(2, 'cycle 1\ncycle 2');
  expect(page.words()).toContain('cycle 2');
  expect(page.words()).not.toContain('away');
});

test('an answer that was overtaken is not shown', async () => {
  const { page, answer, move } = await shown();
  await move('running');
  await answer(1, 'cycle 2');
  await answer(0, 'cycle 1');
  expect(page.words()).toContain('cycle 2');
  expect(page.words()).not.toContain('cycle 1');
});

test('what a program writes is text', async () => {
  const { page, answer } = await shown();
  await answer(0, HOSTILE);
  expect(page.words()).toContain(HOSTILE);
  expect(page.all('img')).toEqual([]);
});
