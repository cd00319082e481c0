// @vitest-environment jsdom
/** Requests of which nobody knows whether the registry carried them out: sent again, they are carried out once. */
import { act } from 'react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { commandPlugin } from '../src/command';
import { ADD_CHOSEN_FILES, REFINE_EDITED, RUN_COMMAND } from '../src/command/commands';
import { startSession } from '../src/session/start';
import { answers, forget, notes, Refusal, requests } from './lab_libraries';
import { dataset, lab, REFINE, settle, trans } from './lab_shell';

vi.mock('@jupyterlab/ui-components', () => import('./lab_libraries'));
vi.mock('@jupyterlab/apputils', () => import('./lab_libraries'));
vi.mock('@jupyterlab/application', () => import('./lab_libraries'));
vi.mock('@jupyterlab/filebrowser', () => import('./lab_libraries'));
vi.mock('@jupyterlab/notebook', () => import('./lab_libraries'));
vi.mock('@jupyterlab/services', () => import('./lab_libraries'));
vi.mock('@jupyterlab/docregistry', () => ({ DocumentWidget: class {} }));

beforeEach(forget);
afterEach(() => document.body.replaceChildren());

const AZU = dataset('azu', 'azu.cif', 'azu.hkl');
const WINDOW = {
  slug: 'olex2',
  name: 'Olex2',
  version: '1',
  commands: [{ name: 'gui', implemented_as: 'interactive_session', parameters: {}, missing: '' }]
};
const choice = (...paths: string[]) => ({ selectedItems: () => paths.map(path => ({ path, type: 'file' })) });

async function formOf(given: Parameters<typeof lab>[0]) {
  const made = lab({ applications: [REFINE], datasets: [AZU], ...given });
  made.use(commandPlugin, made.notebooks);
  await made.run(RUN_COMMAND, { application: 'refine', command: 'refine_iam', input: 'd-azu' });
  const node = await (made.shown[0] as unknown as { content: { draw(): Promise<HTMLElement> } }).content.draw();
  document.body.append(node);
  const run = async () => {
    const button = [...node.querySelectorAll('button')].find(each => each.textContent === 'Run');
    await act(async () => button?.click());
    await settle();
  };
  return { ...made, node, run };
}

const lost = () => {
  throw new TypeError('Failed to fetch');
};
const keys = () => requests.map(each => each.headers['Idempotency-Key']);

test('a form that is sent again because no answer came asks for the same calculation', async () => {
  const { run, played, shown } = await formOf({ answers: { 'POST commands': lost } });
  await run();
  played.answers['POST commands'] = () => ({ calculation_id: 'c1' });
  await run();
  await run();
  const [first, second, third] = keys();
  expect([first === second, second === third, shown.length]).toEqual([true, false, 2]);
});

test('edits that are refined again because no answer came start one refinement', async () => {
  const made = lab({ applications: [REFINE], datasets: [AZU], answers: { 'POST commands': lost } });
  made.use(commandPlugin, made.notebooks);
  const edits = { file: 'f-azu.cif', edits: 'iso C1' };
  await expect(made.run(REFINE_EDITED, edits)).rejects.toThrow('Failed to fetch');
  made.played.answers['POST commands'] = () => ({ calculation_id: 'c1' });
  await made.run(REFINE_EDITED, edits);
  await made.run(REFINE_EDITED, edits);
  const [first, second, third] = keys();
  expect([first === second, second === third]).toEqual([true, false]);
});

test('a program whose start had no answer is not opened twice by the next attempt', async () => {
  const { store, played } = lab({ applications: [WINDOW], answers: { 'POST interactive-sessions': lost } });
  answers.push('ok', null);
  expect(await startSession(store, trans, {})).toBe('');
  let count = 0;
  played.answers['POST interactive-sessions'] = () => (++count === 1 ? lost() : { interactive_session_id: 's1' });
  answers.push('ok', 'ok');
  expect(await startSession(store, trans, {})).toBe('s1');
  const [, second, third] = keys();
  expect(second).toBe(third);
});

test('a file that a proxy refuses without a word is not said to be stored', async () => {
  const refuse = () => {
    throw new Refusal(413, '');
  };
  const made = lab({ files: { 'a.cif': 'data_a' }, answers: { 'POST datasets': refuse } });
  made.use(commandPlugin, made.notebooks, null, choice('a.cif'));
  await made.run(ADD_CHOSEN_FILES);
  await settle(20);
  expect(notes.at(-1)).toEqual(['error', 'a.cif: This is larger than the server accepts.']);
});
