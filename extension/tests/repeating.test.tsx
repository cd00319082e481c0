/** The same call once more, from the view of a result and from the list of calculations. */
import { nullTranslator } from '@jupyterlab/translation';
import * as React from 'react';
import { expect, test, vi } from 'vitest';

import { commandOf, continues, RunAgain } from '../src/command/repeating';
import type { ICalculation } from '../src/registry/types';
import { button, words } from './lab_parts';

vi.mock('@jupyterlab/ui-components', () => import('./lab_parts'));

const trans = nullTranslator.load('qcrbox');
const calculation = (id: string, more: object) =>
  ({
    calculation_id: id,
    application_slug: 'refine',
    command_name: 'refine_iam',
    owner: 'ada',
    ...more
  }) as unknown as ICalculation;
const command = (more: object = {}) => ({ name: 'refine_iam', missing: '', checkpoint: 'rounds.zip', ...more });
const application = (version: string, more: object = {}) => ({ slug: 'refine', version, commands: [command(more)] });
const FAILED = {
  status: 'failed',
  application_version: '2',
  command_arguments: { structure: { data_file_id: 'f1' }, cycles: 5 },
  submitted_at: '2026-11-29T10:00:00Z'
};
const LATER = { ...FAILED, submitted_at: '2026-11-29T11:00:00Z' };

function storeOf(more: object = {}, files: string[] = ['model.cif', 'rounds.zip']) {
  return {
    applications: [application('2')],
    calculations: [],
    me: { name: 'ada' },
    datasetOf: () => ({ data_files: Object.fromEntries(files.map(name => [name, {}])) }),
    ...more
  } as never;
}

const shown = (more: object, store = storeOf()) => (
  <RunAgain
    calculation={calculation('c1', { ...FAILED, ...more })}
    store={store}
    repeat={() => undefined}
    trans={trans}
  />
);

test.each([
  ['failed', 'Run again from the checkpoint'],
  ['cancelled', 'Run again from the checkpoint'],
  ['successful', ''],
  ['running', ''],
  ['submitted', '']
])('of a calculation that is %s: %s', (status, text) => {
  expect(words(shown({ status }))).toBe(text);
});

test('without a kept checkpoint it says that it begins anew', () => {
  expect(words(shown({}, storeOf({}, ['model.cif'])))).toBe('Run again from the beginning');
  expect(words(shown({}, storeOf({ applications: [application('2', { checkpoint: '' })] })))).toContain('beginning');
});

test.each([
  ['a program with a window', { interactive: true }, storeOf()],
  ['a command that is no longer registered', {}, storeOf({ applications: [] })]
])('%s is not run again from here', (_what, more, store) => {
  expect(words(shown(more, store))).toBe('');
});

test('what is not installed any more cannot be run again; the button says why', () => {
  const store = storeOf({ applications: [application('2', { missing: 'Ask for the far package.' })] });
  expect(button(shown({}, store), 'Run again from the checkpoint').disabled).toBe(true);
});

test.each([
  ['nothing since', {}, true],
  ['the same call succeeded since', { ...LATER, status: 'successful' }, false],
  ['the same call failed since', LATER, true],
  ['the same call of another person succeeded', { ...LATER, status: 'successful', owner: 'bea' }, true],
  ['a call with other arguments succeeded', { ...LATER, status: 'successful', command_arguments: { cycles: 6 } }, true],
  ['the same call succeeded before', { ...FAILED, status: 'successful', submitted_at: '2026-11-29T09:00:00Z' }, true]
])('%s: continues from the checkpoint: %s', (_what, other, expected) => {
  const store = storeOf({ calculations: [calculation('c2', other)] });
  expect(continues(calculation('c1', FAILED), store)).toBe(expected);
});

test('the order of arguments does not matter, and the checkpoint of another person is not continued', () => {
  const same = { structure: { data_file_id: 'f1' }, cycles: 5 };
  const turned = calculation('c2', {
    ...LATER,
    status: 'successful',
    command_arguments: Object.fromEntries(Object.entries(same).reverse())
  });
  expect(continues(calculation('c1', FAILED), storeOf({ calculations: [turned] }))).toBe(false);
  expect(continues(calculation('c1', { ...FAILED, owner: 'bea' }), storeOf())).toBe(false);
});

test('the version that was run is used where it is still there', () => {
  const applications = [application('3'), application('2')] as never;
  const versionOf = (application_version: string) =>
    commandOf(calculation('c1', { application_version }), applications)?.application.version;
  expect([versionOf('2'), versionOf('1')]).toEqual(['2', '3']);
});

test('the button repeats its calculation', () => {
  const repeat = vi.fn();
  const given = calculation('c1', FAILED);
  button(
    <RunAgain calculation={given} store={storeOf()} repeat={repeat} trans={trans} />,
    'Run again from the checkpoint'
  ).press();
  expect(repeat).toHaveBeenCalledWith(given);
});
