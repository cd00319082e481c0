// @vitest-environment jsdom
/** The tab of projects under the keyboard, and what its dialogs send. */
import { nullTranslator } from '@jupyterlab/translation';
import * as React from 'react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { OPEN_RESULT, RUN_COMMAND } from '../src/command/commands';
import { projectsPlugin } from '../src/projects';
import { OPEN_PROJECTS } from '../src/projects/commands';
import { ProjectsModel } from '../src/projects/model';
import { askForNote } from '../src/projects/note';
import { Tree } from '../src/projects/tree_view';
import type { IProjectActions, ProjectsView } from '../src/projects/view';
import type { IProjectNode } from '../src/registry/types';
import { OPEN_STORED } from '../src/viewer/commands';
import { HOSTILE, mount, unmountAll, UseSignal } from './lab_dom';
import { answers, dialogs, forget, Refusal, requests } from './lab_libraries';
import { lab, settle } from './lab_shell';
import { projectNode } from './project_nodes';

vi.mock('@jupyterlab/ui-components', () => import('./lab_libraries'));
vi.mock('@jupyterlab/apputils', () => import('./lab_libraries'));
vi.mock('@jupyterlab/application', () => import('./lab_libraries'));
vi.mock('@jupyterlab/launcher', () => import('./lab_libraries'));
vi.mock('@jupyterlab/services', () => import('./lab_libraries'));

const trans = nullTranslator.load('qcrbox');
const node = (id: string, parent: string | null = null, more: object = {}) =>
  projectNode(id, {
    parent,
    kind: parent === null ? 'dataset' : 'calculation',
    verdict: '',
    files: [{ filename: `${id}.cif`, qcrbox_file_id: `f-${id}` }],
    ...more
  });
const NODES = [node('azu'), node('iam', 'azu'), node('har', 'iam'), node('twin', 'azu')];
const PROJECT = { id: 'p1', name: 'azulene', cell: [], hits: [], running: 0 };

beforeEach(forget);
afterEach(unmountAll);

// ---------------------------------------------------------------- the tree under the keyboard

async function treeOf(nodes = NODES) {
  const ask = async () => ({ project: PROJECT, nodes });
  const model = new ProjectsModel({ ask: ask as never, removeDataset: vi.fn() });
  await model.open('p1', 'azu');
  const open = vi.fn();
  const page = await mount(
    <UseSignal signal={model.changed}>{() => <Tree model={model} actions={{ open }} trans={trans} />}</UseSignal>
  );
  const items = () => page.all('[role="treeitem"]');
  const press = async (key: string) => {
    await page.key(items().find(each => each.tabIndex === 0) as HTMLElement, key);
    await page.settle();
  };
  return { page, model, open, items, press, stops: () => items().filter(each => each.tabIndex === 0) };
}

test('arrows go from step to step with the focus, and the tree is one stop of Tab', async () => {
  const { model, press, stops } = await treeOf();
  const seen: string[] = [];
  for (const key of ['ArrowDown', 'ArrowDown', 'End', 'ArrowUp', 'Home']) {
    await press(key);
    seen.push(model.chosen);
    expect([stops().length, document.activeElement?.getAttribute('data-node')]).toEqual([1, model.chosen]);
  }
  expect(seen).toEqual(['iam', 'har', 'twin', 'har', 'azu']);
});

test('the left arrow folds, the right one unfolds; what is folded is not in the page', async () => {
  const { press, items } = await treeOf();
  await press('ArrowLeft');
  expect(items().map(each => each.dataset['node'])).toEqual(['azu']);
  expect(items()[0]?.getAttribute('aria-expanded')).toBe('false');
  await press('ArrowRight');
  expect(items()).toHaveLength(4);
});

test('Enter opens the chosen step, a double click the one under it; other keys are the page’s', async () => {
  const { page, open, press, items } = await treeOf();
  await press('ArrowDown');
  await press('Enter');
  await page.settle(() => items()[3]?.dispatchEvent(new MouseEvent('dblclick', { bubbles: true })));
  expect(open.mock.calls.map(([each]) => (each as IProjectNode).id)).toEqual(['iam', 'twin']);
  const event = new KeyboardEvent('keydown', { key: 'f', ctrlKey: true, bubbles: true, cancelable: true });
  items()[0]?.dispatchEvent(event);
  expect(event.defaultPrevented).toBe(false);
});

test('a step that is chosen from outside can be entered by Tab, also where a branch was folded', async () => {
  const { model, page, stops } = await treeOf();
  await page.settle(() => model.fold('iam', true));
  await page.settle(() => model.open('p1', 'har'));
  expect(stops().map(each => each.dataset['node'])).toEqual(['har']);
});

test('titles, notes and verdicts of others are text', async () => {
  const { page } = await treeOf([node('azu', null, { title: HOSTILE, note: HOSTILE, verdict: `R1 ${HOSTILE}` })]);
  expect(page.node.querySelector('img')).toBe(null);
  expect(page.words().split(HOSTILE)).toHaveLength(4);
});

// ---------------------------------------------------------------- notes

const noteField = () =>
  (dialogs[0]?.['body'] as { node: HTMLElement }).node.querySelector('textarea') as HTMLTextAreaElement;

test('a note is asked for with what it was, and comes back without blanks at its ends', async () => {
  answers.push('kept');
  await askForNote('Note on azu', ' first\nsecond ', trans);
  const field = noteField();
  expect([field.value, field.getAttribute('aria-label')]).toEqual([' first\nsecond ', 'Note on azu']);
  expect((dialogs[0]?.['body'] as { getValue(): string }).getValue()).toBe('first\nsecond');
});

test('a note that is given up is none, not an empty one', async () => {
  answers.push(null);
  expect(await askForNote('Note', 'text', trans)).toBe(null);
});

test.each([
  ['Enter', false],
  ['Escape', true]
])('in a note %s reaches the dialog: %s', async (key, reaches) => {
  await askForNote('Note', '', trans);
  const field = noteField();
  const heard = vi.fn();
  field.parentElement?.addEventListener('keydown', heard);
  field.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
  expect(heard.mock.calls.length > 0).toBe(reaches);
});

// ---------------------------------------------------------------- what the buttons send

async function tabOf(given: Record<string, () => unknown> = {}) {
  const made = lab({
    answers: {
      'GET projects': () => ({ projects: [PROJECT, { ...PROJECT, id: 'p2', name: 'other', formula: 'C2' }], total: 2 }),
      'GET projects/p1': () => ({ project: PROJECT, nodes: NODES }),
      ...given
    }
  });
  made.use(projectsPlugin);
  const commands: [string, unknown][] = [];
  for (const command of [OPEN_RESULT, OPEN_STORED, RUN_COMMAND]) {
    made.app.commands.addCommand(command, { execute: args => void commands.push([command, args]) });
  }
  await made.run(OPEN_PROJECTS, { id: 'p1' });
  await settle();
  const { content } = made.shown[0] as unknown as { content: ProjectsView };
  const { actions } = (content as unknown as { props: { actions: IProjectActions } }).props;
  return { ...made, commands, model: content.model, actions };
}
const byId = (id: string) => NODES.find(each => each.id === id) as IProjectNode;

test('a result opens in its tab, a dataset at its structure, a step begins with its structure', async () => {
  const { actions, commands } = await tabOf();
  actions.open(byId('iam'));
  actions.open({ ...byId('azu'), structure: 'f-model' } as IProjectNode);
  actions.open(byId('azu'));
  actions.start({ ...byId('iam'), structure: 'f-iam' } as IProjectNode, 'refine', 'refine_iam');
  await settle();
  expect(commands).toEqual([
    [OPEN_RESULT, { id: 'iam' }],
    [OPEN_STORED, { id: 'f-model' }],
    [OPEN_STORED, { id: 'f-azu' }],
    [RUN_COMMAND, { application: 'refine', command: 'refine_iam', input: 'f-iam' }]
  ]);
});

test.each([
  ['changed', 'twice as good', [{ note: 'twice as good' }]],
  ['emptied', '', [{ note: '' }]],
  ['left as it was', 'old', []],
  ['given up', null, []]
])('a note that is %s sends %j', async (_, answer, sent) => {
  const { actions } = await tabOf({ 'PATCH annotations/calculation/iam': () => ({}) });
  answers.push(answer);
  actions.note({ ...byId('iam'), note: 'old' } as IProjectNode);
  await settle();
  expect(requests.map(each => each.body)).toEqual(sent);
});

test.each([
  ['another project', 'other (C2)', [{ project: 'p2' }]],
  ['a project of its own', 'a project of its own', [{ project: '' }]],
  ['nowhere', null, []]
])('a dataset that is moved to %s', async (_, answer, sent) => {
  const { actions } = await tabOf({ 'PATCH annotations/dataset/azu': () => ({}) });
  answers.push(answer);
  actions.move(byId('azu'));
  await settle();
  expect(requests.map(each => each.body)).toEqual(sent);
});

test.each([
  ['calculation', 'iam', 'PATCH calculations/iam', { title: 'best' }],
  ['dataset', 'azu', 'PATCH datasets/azu', { name: 'best' }]
])('a %s gets its name where it is kept', async (_, id, path, body) => {
  const { actions } = await tabOf({ [path]: () => ({}) });
  answers.push('best');
  actions.rename(byId(id));
  await settle();
  expect(requests.map(each => [`${each.method} ${each.path}`, each.body])).toEqual([[path, body]]);
});

test('what the registry refuses of a note stands in the tab', async () => {
  const { actions, model } = await tabOf({
    'PATCH annotations/calculation/iam': () => {
      throw new Refusal(403, 'You may only look at it.');
    }
  });
  answers.push('mine now');
  actions.note(byId('iam'));
  await settle();
  expect([model.problem, model.lastChange]).toEqual(['You may only look at it.', '']);
});

test('a closed tab asks no more for what was typed, and events are not heard by it', async () => {
  const asked = vi.fn(() => ({ projects: [], total: 0 }));
  const made = await tabOf({ 'GET projects': asked });
  vi.useFakeTimers();
  made.model.setText('C10');
  made.shown[0]?.dispose();
  asked.mockClear();
  made.happen({ kind: 'project', id: 'p1', seq: 4 });
  await vi.advanceTimersByTimeAsync(5000);
  expect(asked).not.toHaveBeenCalled();
});
