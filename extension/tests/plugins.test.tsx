// @vitest-environment jsdom
/** What Lab's commands and buttons do, from the click to the request that the registry gets. */
import { act } from 'react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { browserPlugin } from '../src/browser';
import { OPEN_STORE } from '../src/browser/commands';
import { commandPlugin } from '../src/command';
import {
  ADD_CHOSEN_FILES,
  OPEN_RESULT,
  REFINE_CHOSEN_FILES,
  REFINE_EDITED,
  RUN_AGAIN,
  RUN_COMMAND,
  VALIDATE_CHOSEN_FILE
} from '../src/command/commands';
import { exerciseActions } from '../src/exercise/actions';
import { guidePlugin } from '../src/guide';
import { FIRST_REFINEMENT } from '../src/guide/commands';
import { insert } from '../src/notebook/insert';
import { askToCancel } from '../src/panel/cancelling';
import { QCrBoxPanel } from '../src/panel/panel';
import { renameCalculation, renameDataset } from '../src/panel/renaming';
import { startSession } from '../src/session/start';
import { viewerPlugin } from '../src/viewer';
import { OPEN_STORED } from '../src/viewer/commands';
import { answers, copied, dialogs, forget, NotebookActions, notes, Refusal, requests } from './lab_libraries';
import { calculation, dataset, lab, REFINE, settle, trans } from './lab_shell';
import { HOSTILE, later } from './lab_dom';

vi.mock('@jupyterlab/ui-components', () => import('./lab_libraries'));
vi.mock('@jupyterlab/apputils', () => import('./lab_libraries'));
vi.mock('@jupyterlab/application', () => import('./lab_libraries'));
vi.mock('@jupyterlab/filebrowser', () => import('./lab_libraries'));
vi.mock('@jupyterlab/launcher', () => import('./lab_libraries'));
vi.mock('@jupyterlab/notebook', () => import('./lab_libraries'));
vi.mock('@jupyterlab/services', () => import('./lab_libraries'));
vi.mock('@jupyterlab/docregistry', () => ({
  ABCWidgetFactory: class {
    readonly widgetCreated = { connect: () => undefined };
    constructor(readonly options: object) {}
  },
  DocumentWidget: class {}
}));

beforeEach(() => {
  forget();
  document.body.dataset.jpThemeLight = 'true';
});
afterEach(() => document.body.replaceChildren());

/** A tab as it is drawn. */
const drawn = async (widget: unknown): Promise<HTMLElement> => {
  const { content } = widget as { content: { draw(): Promise<HTMLElement> } };
  const node = await content.draw();
  document.body.append(node);
  await settle(2);
  return node;
};
const pressed = async (node: HTMLElement, text: string) => {
  const found = [...node.querySelectorAll('button')].find(each => each.textContent === text);
  if (!found) {
    throw new Error(`There is no button ${text} in: ${node.textContent}`);
  }
  await act(async () => found.click());
  await settle();
  return found;
};
const labels = (made: ReturnType<typeof lab>) => made.shown.map(each => each.title.label);

// ---------------------------------------------------------------- forms

const AZU = dataset('azu', 'azu.cif', 'azu.hkl');

async function formOf(more: Parameters<typeof lab>[0] = {}) {
  const made = lab({ applications: [REFINE], datasets: [AZU], ...more });
  made.use(commandPlugin, made.notebooks);
  await made.run(RUN_COMMAND, { application: 'refine', command: 'refine_iam', input: 'd-azu' });
  return { ...made, node: await drawn(made.shown[0]) };
}

test('a form sends what is filled in with a key of its own, and the result opens', async () => {
  const made = await formOf({ answers: { 'POST commands': () => ({ calculation_id: 'c1' }) } });
  expect(labels(made)).toEqual(['Refine IAM']);
  await pressed(made.node, 'Run');
  await pressed(made.node, 'Run');
  expect(requests.map(each => each.body)).toEqual(
    Array.from({ length: 2 }, () => ({
      application_slug: 'refine',
      application_version: '2',
      command_name: 'refine_iam',
      command_arguments: { structure: { data_file_id: 'f-azu.cif' } }
    }))
  );
  expect(new Set(requests.map(each => each.headers['Idempotency-Key'])).size).toBe(2);
  expect(labels(made)).toEqual(['Refine IAM', 'Result']);
});

test('while it is sent, a second press sends nothing', async () => {
  const answer = later<unknown>();
  const { node } = await formOf({ answers: { 'POST commands': () => answer.promise } });
  const button = await pressed(node, 'Run');
  expect(button.disabled).toBe(true);
  await pressed(node, 'Run');
  expect(requests).toHaveLength(1);
  answer.answer({ calculation_id: 'c1' });
  await settle();
  expect(button.disabled).toBe(false);
});

test.each([
  [403, 'You may not start calculations.'],
  [409, `The dataset ${HOSTILE} is in the bin.`],
  [422, 'cycles must be below 50.']
])('a refusal %i stands in the form as text, and the next attempt is another request', async (status, words) => {
  const refuse = () => {
    throw new Refusal(status, words);
  };
  const { node, played, shown } = await formOf({ answers: { 'POST commands': refuse } });
  await pressed(node, 'Run');
  expect(node.querySelector('[role="alert"]')?.textContent).toBe(words);
  expect(node.querySelector('img[src="x"]')).toBe(null);
  played.answers['POST commands'] = () => ({ calculation_id: 'c1' });
  await pressed(node, 'Run');
  expect([node.querySelector('[role="alert"]'), shown.length]).toEqual([null, 2]);
  expect(requests[0]?.headers['Idempotency-Key']).not.toBe(requests[1]?.headers['Idempotency-Key']);
});

test('a registry that is gone is said in the form', async () => {
  const { node } = await formOf({
    answers: {
      'POST commands': () => {
        throw new TypeError('Failed to fetch');
      }
    }
  });
  await pressed(node, 'Run');
  expect(node.querySelector('[role="alert"]')?.textContent).toBe('Your server does not answer.');
});

test('the form as code: what it sends, to the clipboard', async () => {
  const { node } = await formOf();
  await pressed(node, 'Copy as code');
  expect(copied).toEqual(['import qcrbox as qc\n\ncalculation = qc.refine.refine_iam(qc["azu"])\ncalculation']);
  expect(notes).toEqual([['success', 'The code is on the clipboard.']]);
});

test('without a choice a command is asked for; what is not installed is marked; giving up opens nothing', async () => {
  const made = lab({ applications: [REFINE], datasets: [AZU] });
  made.use(commandPlugin, made.notebooks);
  await made.run(RUN_COMMAND);
  expect(dialogs[0]?.['items']).toEqual([
    'Refine IAM · refine.refine_iam',
    'Estimate iam · refine.estimate_iam',
    'Refine far · refine.refine_far (not installed)'
  ]);
  expect(made.shown).toEqual([]);
  answers.push('Refine far · refine.refine_far (not installed)');
  await made.run(RUN_COMMAND);
  expect(labels(made)).toEqual(['Refine far']);
});

test('after a reload a form comes back under its id with what was filled in; one whose command is gone does not', async () => {
  const made = lab({ applications: [REFINE], datasets: [AZU] });
  made.use(commandPlugin, made.notebooks);
  const args = { application: 'refine', command: 'refine_iam', tab: 'qcrbox-form-7', values: { cycles: '7' } };
  await made.run(RUN_COMMAND, args);
  await made.run(RUN_COMMAND, { ...args, command: 'gone' });
  expect(made.shown.map(each => each.id)).toEqual(['qcrbox-form-7']);
  const node = await drawn(made.shown[0]);
  expect(node.querySelector<HTMLInputElement>('[name="cycles"]')?.value).toBe('7');
  expect(dialogs).toEqual([]);
});

// ---------------------------------------------------------------- results

test('a result is one tab, named as its calculation, also when that is renamed', async () => {
  const made = lab({ calculations: [calculation('c1')] });
  made.use(commandPlugin, made.notebooks);
  await made.store.start();
  await made.run(OPEN_RESULT, { id: 'c1' });
  await made.run(OPEN_RESULT, { id: 'c1' });
  expect(labels(made)).toEqual([expect.stringContaining('title of c1')]);
  made.played.lists['calculations'] = [calculation('c1', { name: 'mine', title: 'mine' })];
  await made.store.refresh();
  expect(labels(made)).toEqual(['mine']);
  made.shown[0]?.dispose();
  await made.run(OPEN_RESULT, { id: 'c1' });
  expect(made.shown).toHaveLength(2);
});

test('the tab of a result with warnings begins with their sign', async () => {
  const made = lab({ calculations: [calculation('c1', { status: 'successful', warnings: ['Two blocks.'] })] });
  made.use(commandPlugin, made.notebooks);
  await made.store.start();
  await made.run(OPEN_RESULT, { id: 'c1' });
  expect(labels(made)).toEqual([expect.stringMatching(/^⚠ title of c1/)]);
});

test('a picker marks results that should be looked at first', async () => {
  const doubtful = { ...dataset('har', 'har.cif'), calculation_id: 'old', doubtful: true };
  const { node } = await formOf({ datasets: [AZU, doubtful] });
  const offered = [...node.querySelectorAll('select[name="structure"] option')].map(each => each.textContent);
  expect(offered.slice(1)).toEqual(['azu', expect.stringMatching(/^⚠ har/)]);
});

test('a refinement with edits is sent once for two clicks, with the file and the edits', async () => {
  const answer = later<unknown>();
  const made = lab({
    applications: [REFINE],
    datasets: [AZU],
    answers: { 'POST commands': () => answer.promise }
  });
  made.use(commandPlugin, made.notebooks);
  const args = { file: 'f-azu.cif', edits: 'iso C1', form: false };
  const both = Promise.all([made.run(REFINE_EDITED, args), made.run(REFINE_EDITED, args)]);
  await settle();
  answer.answer({ calculation_id: 'c9' });
  await both;
  expect(requests.map(each => each.body['command_arguments'])).toEqual([
    { structure: { data_file_id: 'f-azu.cif' }, edits: 'iso C1' }
  ]);
  expect(made.shown.map(each => each.id)).toEqual(['qcrbox-result-c9']);
});

test('edits of a file that is gone are refused in words; with a form they are filled in', async () => {
  const made = lab({ applications: [REFINE], datasets: [AZU] });
  made.use(commandPlugin, made.notebooks);
  await expect(made.run(REFINE_EDITED, { file: 'f-none', edits: 'iso C1' })).rejects.toThrow('no longer in the store');
  await made.run(REFINE_EDITED, { file: 'f-azu.cif', edits: 'iso C1', form: true });
  const node = await drawn(made.shown[0]);
  expect(node.querySelector<HTMLInputElement>('[name="edits"]')?.value).toBe('iso C1');
  expect(requests).toEqual([]);
});

const FAILED = calculation('c1', {
  status: 'failed',
  command_arguments: { structure: { data_file_id: 'f' }, cycles: 3 }
});

test('a failed calculation run again is the same call with a key of its own, and the new one opens', async () => {
  const made = lab({
    applications: [REFINE],
    calculations: [FAILED],
    answers: { 'POST commands': () => ({ calculation_id: 'c2' }) }
  });
  made.use(commandPlugin, made.notebooks);
  await made.run(RUN_AGAIN, { id: 'c1' });
  await made.run(RUN_AGAIN, { id: 'c1' });
  await settle();
  expect(requests[0]?.body).toEqual({
    application_slug: 'refine',
    application_version: '2',
    command_name: 'refine_iam',
    command_arguments: FAILED.command_arguments
  });
  expect(new Set(requests.map(each => each.headers['Idempotency-Key'])).size).toBe(2);
  expect(made.active.at(-1)).toBe('qcrbox-result-c2');
});

test('a double click runs it again once', async () => {
  const answer = later<unknown>();
  const made = lab({
    applications: [REFINE],
    calculations: [FAILED],
    answers: { 'POST commands': () => answer.promise }
  });
  made.use(commandPlugin, made.notebooks);
  const both = [made.run(RUN_AGAIN, { id: 'c1' }), made.run(RUN_AGAIN, { id: 'c1' })];
  await settle();
  answer.answer({ calculation_id: 'c2' });
  await Promise.all(both);
  // The registry answers the same key with the same calculation.
  expect(new Set(requests.map(each => each.headers['Idempotency-Key'])).size).toBe(1);
});

test('what cannot be run again is said', async () => {
  const refuse = () => {
    throw new Refusal(404, 'The file was deleted.');
  };
  const made = lab({ applications: [REFINE], calculations: [FAILED], answers: { 'POST commands': refuse } });
  made.use(commandPlugin, made.notebooks);
  await made.run(RUN_AGAIN, { id: 'c1' });
  made.store.applications = [];
  await made.run(RUN_AGAIN, { id: 'c1' });
  expect(notes).toEqual([
    ['error', 'The file was deleted.'],
    ['error', 'The command refine_iam is no longer registered here.']
  ]);
});

// ---------------------------------------------------------------- files of Lab

const stored: Record<string, (request: { files: string[] }) => unknown> = {
  'POST datasets': () => ({ datasets: [{ qcrbox_dataset_id: 'd-azu' }] }),
  'POST datasets/d-azu/append': () => ({ datasets: [] })
};
const choice = (...paths: string[]) => ({
  selectedItems: () => paths.map(path => ({ path, type: path.includes('.') ? 'file' : 'directory' }))
});

test('chosen files become one dataset, folders are left out; refining goes on to its form', async () => {
  const made = lab({
    applications: [REFINE],
    datasets: [AZU],
    answers: stored,
    files: { 'x/azu.hkl': '1', 'x/azu.cif': 'data_azu' }
  });
  made.use(commandPlugin, made.notebooks, null, choice('x/azu.hkl', 'x/azu.cif', 'x/sub'));
  await made.run(REFINE_CHOSEN_FILES);
  await settle(20);
  expect(requests.map(each => [each.path, each.files])).toEqual([
    ['datasets', ['azu.cif']],
    ['datasets/d-azu/append', ['azu.hkl']]
  ]);
  // The first word is taken down and never changed: Lab may not have drawn it yet.
  expect(notes).toEqual([
    ['dismissed', 'Storing 2 files …'],
    ['success', '2 files stored']
  ]);
  expect(labels(made)).toEqual(['Refine IAM']);
});

test.each([
  ['command', ADD_CHOSEN_FILES],
  ['refinement', REFINE_CHOSEN_FILES]
])('a file that cannot be read is said by the %s, and nothing is stored', async (_, command) => {
  const made = lab({ applications: [REFINE], files: { 'a.cif': 'data_a' } });
  made.use(commandPlugin, made.notebooks, null, choice('a.cif', 'gone.cif'));
  await made.run(command);
  await settle();
  expect(notes).toEqual([['error', 'Nothing was stored, since a file could not be read: gone.cif is not a file']]);
  expect([requests, made.shown]).toEqual([[], []]);
});

test('a file that the registry refuses is named with the reason, and so is what it keeps out', async () => {
  const made = lab({
    files: { 'a.cif': '', 'a.hkl': '', 'b.cif': 'data_b' },
    answers: {
      'POST datasets': ({ files }) => {
        if (files[0] === 'a.cif') {
          throw new Refusal(413, 'The file is empty.');
        }
        return { datasets: [{ qcrbox_dataset_id: 'd-b' }] };
      }
    }
  });
  made.use(commandPlugin, made.notebooks, null, choice('a.cif', 'a.hkl', 'b.cif'));
  await made.run(ADD_CHOSEN_FILES);
  await settle(20);
  expect(notes.at(-1)).toEqual(['error', 'a.cif: The file is empty.\na.hkl: not stored, since a.cif was refused']);
});

test('only CIFs are offered for validation, and opened in our viewer', async () => {
  const made = lab();
  let chosen = choice('a.hkl');
  made.use(commandPlugin, made.notebooks, null, { selectedItems: () => chosen.selectedItems() });
  const opened: unknown[] = [];
  made.app.commands.addCommand('docmanager:open', { execute: args => void opened.push(args['path'], args['factory']) });
  expect(made.app.commands.isVisible(VALIDATE_CHOSEN_FILE)).toBe(false);
  chosen = choice('a.hkl', 'b.CIF');
  expect(made.app.commands.isVisible(VALIDATE_CHOSEN_FILE)).toBe(true);
  await made.run(VALIDATE_CHOSEN_FILE);
  expect(opened).toEqual(['b.CIF', 'QCrBox']);
});

test('a stored file opens once; what cannot be shown is said', async () => {
  const made = lab({ datasets: [AZU, dataset('', 'b.res'), dataset('r', 'report.docx')] });
  made.use(viewerPlugin);
  await made.run(OPEN_STORED, { id: 'f-azu.cif' });
  await made.run(OPEN_STORED, { id: 'f-azu.cif' });
  await made.run(OPEN_STORED, { id: 'f-b.res' });
  expect(labels(made)).toEqual(['azu / azu.cif', 'b.res']);
  await made.run(OPEN_STORED, { id: 'f-report.docx' });
  await made.run(OPEN_STORED, { id: 'f-none' });
  expect(notes.map(([, words]) => words)).toEqual(Array(2).fill('This file cannot be shown here; download it.'));
});

interface IFactory {
  actions(path: string): {
    buttons: { label: string; run(): void }[];
    refine?(edits: string, form: boolean): Promise<void>;
  };
}

async function documentOf(path: string, given: Parameters<typeof lab>[0], drive?: object) {
  const made = lab(given);
  made.use(viewerPlugin, null, drive ?? null);
  const [[factory]] = made.app.docRegistry.addWidgetFactory.mock.calls as unknown as [[IFactory]];
  await made.store.start();
  return { ...made, actions: factory.actions(path) };
}

test.each(['Add to the QCrBox store', 'Refine …'])('%s of a file that is gone says so', async label => {
  const { actions } = await documentOf('x/gone.cif', { files: { 'x/other.cif': '' } });
  actions.buttons.find(each => each.label === label)?.run();
  await settle();
  expect(notes).toEqual([['error', 'Nothing was stored, since a file could not be read: x/gone.cif is not a file']]);
});

test('refining a file of Lab stores it with the reflections of its name', async () => {
  const made = await documentOf('x/azu.cif', {
    datasets: [AZU],
    answers: stored,
    files: { 'x/azu.cif': 'data_azu', 'x/azu.hkl': '1', 'x/b.hkl': '2' }
  });
  const run = vi.fn();
  made.app.commands.addCommand(RUN_COMMAND, { execute: run });
  made.app.commands.addCommand(REFINE_EDITED, { execute: run });
  made.actions.buttons[1]?.run();
  await settle(20);
  expect(requests.map(each => each.files)).toEqual([['azu.cif'], ['azu.hkl']]);
  expect(run).toHaveBeenCalledWith({ application: 'refine', command: 'refine_iam', input: 'd-azu' });
  await made.actions.refine?.('iso C1', true);
  expect(run).toHaveBeenLastCalledWith({ file: 'f-azu.cif', edits: 'iso C1', form: true });
});

test('a file of the drive that is no longer in the store says so', async () => {
  const drive = { file: async () => ({ qcrbox_file_id: 'f-gone' }) };
  const { actions } = await documentOf('qcrbox:azu/azu.cif', { datasets: [AZU] }, drive);
  actions.buttons[0]?.run();
  await settle();
  expect(notes).toEqual([['error', 'This file is no longer in the store.']]);
});

// ---------------------------------------------------------------- the panel

async function panelOf(given: Parameters<typeof lab>[0] = {}) {
  const made = lab(given);
  const panel = new QCrBoxPanel(made.store, trans, made.contents as never, made.notebooks as never, made.app.commands);
  await made.store.start();
  return { ...made, panel };
}

const labDrag = (type: string, paths: string[]) =>
  Object.assign(new Event(type, { cancelable: true }), {
    mimeData: { hasData: (mime: string) => mime === 'application/x-jupyter-icontents', getData: () => paths }
  });

test('files dropped from Lab are stored; a folder among them is said', async () => {
  const { panel } = await panelOf({ answers: stored, files: { 'azu.cif': 'data_azu', sub: null } });
  panel.handleEvent(labDrag('lm-drop', ['azu.cif']));
  await settle(20);
  expect(notes.at(-1)).toEqual(['success', '1 file stored']);
  panel.handleEvent(labDrag('lm-drop', ['azu.cif', 'sub']));
  await settle();
  expect(notes.at(-1)?.[1]).toContain('sub is not a file');
  expect(requests).toHaveLength(1);
});

test('files dropped from the desktop are stored; the panel shows where they may fall', async () => {
  const { panel } = await panelOf({ answers: stored });
  const drop = (type: string, ...files: File[]) =>
    Object.assign(new Event(type, { cancelable: true }), { dataTransfer: { files } });
  panel.handleEvent(drop('dragover'));
  expect(panel.hasClass('qcrbox-mod-drop')).toBe(true);
  panel.handleEvent(drop('drop', new File(['data_azu'], 'azu.cif')));
  await settle(20);
  expect(panel.hasClass('qcrbox-mod-drop')).toBe(false);
  expect(requests.map(each => each.files)).toEqual([['azu.cif']]);
});

const START = new Date(Date.now() - 120_000).toISOString();
test.each([
  ['successful', START, {}, ['success', 'title of c1 is done.']],
  ['successful', START, { warnings: ['The file has two blocks.'] }, ['warning', 'title of c1: done, with warnings']],
  ['successful', START, { progress: { metrics: { converged: 0 } } }, ['warning', 'title of c1: done, not converged']],
  ['failed', START, {}, ['warning', 'title of c1: failed']],
  ['successful', new Date().toISOString(), {}, undefined]
])('the end of a calculation (%s, begun %s, %j) is told: %j', async (status, started_at, ended, told) => {
  const { happen } = await panelOf({
    calculations: [calculation('c1', { started_at })],
    answers: { 'GET calculations/c1': () => ({ calculations: [calculation('c1', { status, ...ended })] }) }
  });
  happen({ kind: 'calculation', id: 'c1', status: status as never, seq: 3 });
  await settle();
  expect(notes).toEqual(told ? [told] : []);
});

test('an end is told in short words when the registry does not say more', async () => {
  const gone = () => {
    throw new Refusal(404, 'There is no calculation c1.');
  };
  const { happen } = await panelOf({
    calculations: [calculation('c1', { started_at: START })],
    answers: { 'GET calculations/c1': gone }
  });
  happen({ kind: 'calculation', id: 'c1', status: 'successful' as never, seq: 3 });
  await settle();
  expect(notes).toEqual([['success', 'title of c1 is done.']]);
});

test('the panel shows names of others as text', async () => {
  const { panel } = await panelOf({
    applications: [{ ...REFINE, name: HOSTILE }],
    datasets: [dataset(HOSTILE, 'a.cif')],
    calculations: [calculation('c1', { title: HOSTILE, error_msg: HOSTILE, status: 'failed' })]
  });
  const node = await (panel as unknown as { draw(): Promise<HTMLElement> }).draw();
  expect(node.querySelector('img')).toBe(null);
  expect((node.textContent ?? '').split(HOSTILE).length).toBeGreaterThanOrEqual(4);
});

// ---------------------------------------------------------------- questions before something happens

test.each([
  [null, []],
  ['  my name ', [{ title: 'my name' }]],
  ['', [{ title: '' }]]
])('a result that is renamed to %j sends %j', async (answer, sent) => {
  const { store } = lab({ answers: { 'PATCH calculations/c1': () => ({}) } });
  answers.push(answer);
  await renameCalculation(store, calculation('c1'), trans);
  expect(requests.map(each => each.body)).toEqual(sent);
});

test('a dataset keeps its name when none is given; that of a result is renamed with its calculation', async () => {
  const { store } = lab({ answers: { 'PATCH datasets/d-azu': () => ({}), 'PATCH calculations/c1': () => ({}) } });
  answers.push('', 'new', 'other');
  await renameDataset(store, AZU, trans);
  await renameDataset(store, AZU, trans);
  await renameDataset(store, { ...AZU, calculation_id: 'c1' }, trans);
  expect(requests.map(each => [each.path, each.body])).toEqual([
    ['datasets/d-azu', { name: 'new' }],
    ['calculations/c1', { title: 'other' }]
  ]);
});

test.each([
  ['rename', (made: ReturnType<typeof lab>) => renameCalculation(made.store, calculation('c1'), trans)],
  ['cancel', (made: ReturnType<typeof lab>) => askToCancel(made.store, calculation('c1'), trans)]
])('what the registry refuses to %s is shown', async (_, act) => {
  const refuse = () => {
    throw new Refusal(403, 'You may only look.');
  };
  const made = lab({ answers: { 'PATCH calculations/c1': refuse, 'POST calculations/c1/stop': refuse } });
  answers.push('x');
  await act(made);
  expect(notes).toEqual([['error', 'You may only look.']]);
});

test.each([
  ['ada', 'yes', [{}]],
  ['ada', null, []],
  ['bob', ' too long ', [{ reason: 'too long' }]],
  ['bob', '   ', []],
  ['bob', null, []]
])('cancelling a calculation of %s answered by %j sends %j', async (owner, answer, sent) => {
  const made = lab({ answers: { 'POST calculations/c1/stop': () => ({}) } });
  await made.store.start();
  answers.push(answer);
  await askToCancel(made.store, calculation('c1', { owner }), trans);
  expect(requests.map(each => each.body)).toEqual(sent);
  expect(dialogs[0]?.title).toBe(owner === 'ada' ? 'Cancel this calculation?' : 'Cancel the calculation of bob?');
});

// ---------------------------------------------------------------- exercises

function exercise(model: object) {
  const made = lab();
  const saved = vi.fn();
  made.app.commands.addCommand('docmanager:save-all', { execute: saved });
  made.app.commands.addCommand('docmanager:open', { execute: saved });
  return { actions: exerciseActions(model as never, trans, made.app.commands), saved };
}
const REPORT = { notebook: 'x/task.ipynb', conflicts: [] as string[], updated: [] as string[] };

test.each([
  [{}, []],
  [{ conflicts: ['data.cif'], updated: ['b'] }, [['warning', 'Both versions were kept: data.cif']]],
  [{ updated: ['data.cif', 'b.hkl'] }, [['info', 'Updated by the lecturer: data.cif; b.hkl']]]
])('an exercise opens with its notebook; a report of %j says %j', async (more, told) => {
  const { actions, saved } = exercise({ open: async () => ({ ...REPORT, ...more }) });
  actions.open('e1');
  await settle();
  expect(saved.mock.calls).toEqual([[{ path: 'x/task.ipynb' }]]);
  expect(notes).toEqual(told);
});

test('before a submission everything is saved; its receipt is said, its refusal too', async () => {
  const order: string[] = [];
  const submit = vi.fn(async () => (order.push('submit'), { receipt: '0123456789abcdef' }));
  const { actions, saved } = exercise({ submit });
  saved.mockImplementation(() => order.push('save'));
  actions.submit('e1');
  await settle();
  expect([order, notes]).toEqual([['save', 'submit'], [['success', 'Submitted. Receipt 0123456789ab']]]);
  submit.mockRejectedValueOnce(new Error('The exercise is closed.'));
  actions.submit('e1');
  await settle();
  expect(notes.at(-1)).toEqual(['error', 'The exercise is closed.']);
});

test('data are reset only after a yes', async () => {
  const resetData = vi.fn(async () => REPORT);
  const { actions } = exercise({ resetData });
  actions.reset('e1');
  await settle();
  expect(resetData).not.toHaveBeenCalled();
  answers.push('yes');
  actions.reset('e1');
  await settle();
  expect(resetData).toHaveBeenCalledWith('e1');
});

// ---------------------------------------------------------------- windows of programs

const WINDOW = (missing: string) => ({
  slug: 'olex2',
  name: 'Olex2',
  version: '1',
  commands: [{ name: 'gui', implemented_as: 'interactive_session', parameters: {}, missing }]
});

test.each([
  [[], ['info', 'No program with a window is registered here.']],
  [[WINDOW('Install Olex2.')], ['warning', 'Olex2: Install Olex2.']]
])('without a program that can be opened there is no form', async (applications, told) => {
  const { store } = lab({ applications });
  expect(await startSession(store, trans, {})).toBe('');
  expect([notes, dialogs]).toEqual([[told], []]);
});

test('what the registry refuses is asked again until it starts or is given up', async () => {
  let isFull = true;
  const { store } = lab({
    applications: [WINDOW('')],
    answers: {
      'POST interactive-sessions': () => {
        if (isFull) {
          isFull = false;
          throw new Refusal(409, 'All windows are in use.');
        }
        return { interactive_session_id: 's1' };
      }
    }
  });
  answers.push('ok', 'ok');
  expect(await startSession(store, trans, { application: 'olex2' })).toBe('s1');
  expect(dialogs).toHaveLength(2);
  isFull = true;
  answers.push('ok');
  expect(await startSession(store, trans, {})).toBe('');
});

// ---------------------------------------------------------------- notebooks

function notebook(...sources: string[]) {
  const cell = (source: string) => {
    const made = { text: source };
    const sharedModel = { getSource: () => made.text, setSource: (text: string) => (made.text = text) };
    return { made, model: { type: 'code', sharedModel } };
  };
  const widgets = sources.map(cell);
  const content = { widgets, activeCell: widgets.at(-1), mode: 'command' };
  NotebookActions.insertBelow.mockImplementation(() => {
    const below = cell('');
    widgets.push(below);
    content.activeCell = below;
  });
  return { tracker: { currentWidget: { content } }, texts: () => widgets.map(each => each.made.text), content };
}

test('code goes into a free cell, else into a new one below, with one import', () => {
  const code = 'import qcrbox as qc\n\ns = qc["azu"]\ns';
  const { tracker, texts, content } = notebook('print(1)', '  ');
  expect(insert(code, tracker as never, trans)).toBe(true);
  expect(texts()).toEqual(['print(1)', code]);
  insert(code, tracker as never, trans);
  expect(texts()).toEqual(['print(1)', code, 's = qc["azu"]\ns']);
  expect(content.mode).toBe('edit');
});

test('without a notebook the person is told where code goes', () => {
  expect(insert('x', { currentWidget: null } as never, trans)).toBe(false);
  expect(notes).toEqual([['info', 'Open a notebook first; the code goes into it.']]);
});

// ---------------------------------------------------------------- tabs that there is one of

test.each([
  ['the store', browserPlugin, OPEN_STORE, 'QCrBox store'],
  ['the guide', guidePlugin, FIRST_REFINEMENT, 'First refinement']
])('%s is one tab; closed, it is made anew', async (_, plugin, command, label) => {
  const made = lab();
  made.use(plugin as never, plugin === browserPlugin ? made.notebooks : null);
  await made.run(command);
  await made.run(command);
  expect(labels(made)).toEqual([label]);
  made.shown[0]?.dispose();
  await made.run(command);
  expect(labels(made)).toHaveLength(2);
});
