import { nullTranslator } from '@jupyterlab/translation';
import * as React from 'react';
import { expect, test, vi } from 'vitest';

import { NodeDetail } from '../src/projects/detail';
import type { ProjectsModel } from '../src/projects/model';
import { categoryWord, NodeState, Tree, verdictBeside } from '../src/projects/tree_view';
import { type IProjectActions, ProjectsView } from '../src/projects/view';
import type { RegistryStore } from '../src/registry/store';
import type { IApplication, IProject, IProjectNode } from '../src/registry/types';
import { button, fill, found, html, words } from './lab_parts';
import { projectNode as node } from './project_nodes';

vi.mock('@jupyterlab/ui-components', () => import('./lab_parts'));

const trans = nullTranslator.load('qcrbox');
const project = (more: object = {}) =>
  ({
    id: 'p1',
    name: 'azulene',
    formula: 'C10 H8',
    space_group: 'P 1 21/c 1',
    cell: [7.8, 6, 7.9, 90, 101.5, 90],
    note: '',
    hits: [],
    running: 0,
    owner: 'ada',
    changed_at: '2026-11-29T10:00:00Z',
    ...more
  }) as unknown as IProject;
const NODES = [node('azu', { kind: 'dataset', category: 'data' }), node('iam', { parent: 'azu', newest: true })];

function model(more: object = {}) {
  const made = {
    text: '',
    everybody: false,
    found: [] as IProject[],
    total: 0,
    truncated: false,
    next: '',
    loading: false,
    problem: '',
    tree: undefined as { project: IProject; nodes: IProjectNode[] } | undefined,
    chosen: '',
    folded: new Set<string>(),
    lastChange: '',
    setText: vi.fn(),
    showEverybody: vi.fn(async () => undefined),
    undo: vi.fn(async () => undefined),
    open: vi.fn(async () => undefined),
    more: vi.fn(async () => undefined),
    annotate: vi.fn(async () => undefined),
    bin: vi.fn(async () => undefined),
    choose: vi.fn(),
    fold: vi.fn(),
    get project() {
      return this.tree?.project;
    },
    get node() {
      return this.tree?.nodes.find(each => each.id === this.chosen);
    }
  };
  return Object.assign(made, more);
}

const actions = () =>
  Object.fromEntries(
    ['newProject', 'open', 'start', 'rename', 'note', 'move'].map(name => [name, vi.fn()])
  ) as unknown as IProjectActions;

function view(more: object = {}, store: object = {}) {
  const made = model(more);
  const acts = actions();
  const props = { model: made, store: { maySeeOthers: false, applications: [], ...store }, actions: acts, trans };
  return { model: made, actions: acts, view: new ProjectsView(props as never) };
}

test('without a project the way to the first is shown; a search without a result says so', () => {
  const { view: empty, actions: acts } = view();
  expect(words(empty)).toContain('No project yet: it begins with your files.');
  button(empty, 'New project from files …').press();
  expect(acts.newProject).toHaveBeenCalled();
  expect(words(view({ text: 'x' }).view)).toContain('Nothing matches.');
  expect(words(view({ loading: true }).view)).not.toContain('No project yet');
});

test('a project is listed with formula, space group and verdict', () => {
  const newest = node('iam', { status: 'successful', verdict: 'R1 0.041' });
  const { view: shown, model: made } = view({ found: [project({ newest, running: 2, pinned: true })], total: 1 });
  const text = words(shown);
  expect(text).toContain('1 project ');
  expect(text).toContain('★ azulene C10 H8 · P 2 1 / c');
  expect(text).toContain('R1 0.041 2 running');
  const [entry] = found(shown, each => String(each.props['className']).startsWith('qcrbox-Projects-entry'));
  (entry?.props['onClick'] as () => void)();
  expect(made.open).toHaveBeenCalledWith('p1');
});

test('a list that goes on says how much of it is shown, and shows more at a click', () => {
  const { view: shown, model: made } = view({ found: [project()], total: 3, next: '1:2:p1' });
  button(shown, 'Show more: 1 of 3').press();
  expect(made.more).toHaveBeenCalled();
  expect(words(view({ found: [project()], total: 1 }).view)).not.toContain('Show more');
});

test('hits of a search open the project there; eight of them are shown', () => {
  const hits = Array.from({ length: 11 }, (_, n) => node(`h${n}`));
  const { view: shown, model: made } = view({ found: [project({ hits })], text: 'h' });
  expect(words(shown)).toContain('h7');
  expect(words(shown)).not.toContain('h8');
  button(shown, 'h3').press();
  expect(made.open).toHaveBeenCalledWith('p1', 'h3');
});

test('owners and the switch to everyone’s work are for those with a right over it', () => {
  expect(words(view({ found: [project()] }).view)).not.toContain('everyone');
  const { view: shown } = view({ found: [project()], everybody: true }, { maySeeOthers: true });
  expect(words(shown)).toContain("Show everyone's work");
  expect(words(shown)).toContain('ada');
});

test('the last change can be taken back, and the search says what it leaves out', () => {
  const { view: shown, model: made } = view({ lastChange: 'iam pinned', truncated: true, total: 3 });
  button(shown, 'Undo: iam pinned').press();
  expect(made.undo).toHaveBeenCalled();
  expect(words(shown)).toContain('3 projects The oldest calculations or datasets are left out.');
});

test('a search is typed into one field; a problem is an alert', () => {
  const { view: shown, model: made } = view({ problem: 'It was moved.' });
  fill(shown, 'Search projects', 'C10');
  expect(made.setText).toHaveBeenCalled();
  expect(html(shown)).toContain('role="alert">It was moved.');
});

test('an open project has its cell, its note and its tree', () => {
  const { view: shown } = view({ tree: { project: project({ note: 'from Ada' }), nodes: NODES }, chosen: 'iam' });
  const text = words(shown);
  expect(text).toContain('azulene C10 H8 · P 2 1 / c · 7.800, 6.000, 7.900 Å; 90.00, 101.50, 90.00°');
  expect(text).toContain('from Ada');
  expect(html(shown).match(/role="treeitem"/g)).toHaveLength(2);
});

test('the tree says for a screen reader what is chosen, folded and how deep it is', () => {
  const made = model({ tree: { project: project(), nodes: NODES }, chosen: 'azu', folded: new Set(['azu']) });
  const shown = html(<Tree model={made as unknown as ProjectsModel} actions={{ open: vi.fn() }} trans={trans} />);
  expect(shown).toMatch(/aria-level="1" aria-selected="true" aria-expanded="false" tabindex="0"/i);
  expect(shown).not.toContain('data-node="iam"');
});

test.each([
  [{ status: 'successful' }, '✓', 'done'],
  [{ status: 'successful', doubtful: true }, '⚠', 'done, with warnings'],
  [{ status: 'successful', doubtful: true, verdict: 'R1 0.0412, not converged' }, '⚠', 'done, not converged'],
  [{ status: 'failed' }, '✗', 'failed']
])('%j: the sign %s has the words "%s"', (more, sign, text) => {
  const shown = html(<NodeState node={node('x', more)} trans={trans} />);
  expect(shown).toContain(`aria-label="${text}">${sign}<`);
});

test('data have no state, and each kind has its own word', () => {
  expect(html(<NodeState node={node('x')} trans={trans} />)).toBe('');
  const kinds = ['data', 'model', 'refinement', 'session', 'surface', 'report', 'calculation'] as const;
  expect(kinds.map(kind => categoryWord(kind, trans))).toEqual([...kinds]);
});

function detail(more: object = {}, applications: IApplication[] = []) {
  const made = model({ tree: { project: project(), nodes: NODES } });
  const acts = actions();
  const store = { applications, client: { pictureUrl: (id: string) => `/p/${id}` } } as unknown as RegistryStore;
  const props = { model: made as unknown as ProjectsModel, store, actions: acts, trans };
  return { shown: words(<NodeDetail {...props} node={node('iam', more)} />), acts };
}

test('the chosen step says what it was made with and of, and lists its files', () => {
  const { shown } = detail({
    command: 'refine.refine_iam',
    verdict: 'R1 0.041',
    beside: ['azu', 'gone'],
    files: [{ filename: 'azu.cif' }, { filename: 'azu.hkl' }],
    note: 'good'
  });
  expect(shown).toContain(
    'Command Refine iam refine.refine_iam Verdict R1 0.041 Used with azu Files azu.cif, azu.hkl Note good'
  );
});

test.each([
  [{ kind: 'dataset' }, true],
  [{ kind: 'calculation' }, false]
])('%j can be moved to another project: %s', (more, canMove) => {
  expect(detail(more).shown.includes('Move to another project')).toBe(canMove);
});

test('a step without files has none to put into the bin; a pinned one can be unpinned', () => {
  const { shown } = detail({ dataset_id: null, pinned: true });
  expect(shown).not.toContain('bin');
  expect(shown).toContain('Unpin');
  expect(shown).toContain('Files none');
});

test('only a step with a structure is a beginning, with the command that made it chosen', () => {
  const command = (name: string) => ({ name, missing: '', parameters: { s: { dtype: 'QCrBox.cif_data_file' } } });
  const application = { slug: 'refine', name: 'Refine', commands: ['edit', 'refine_iam', 'refine_tsc'].map(command) };
  const offers = [application as unknown as IApplication];
  expect(detail({}, offers).shown).not.toContain('Start from here');
  expect(detail({ structure: 'f1' }, offers).shown).toContain('Start from here …');
});

test('a step whose title was given by a person still says what came out', () => {
  const named = node('best model', { status: 'successful', verdict: 'R1 0.0414' });
  expect(verdictBeside(named)).toBe('R1 0.0414');
  expect(verdictBeside({ title: 'azu · IAM refinement · R1 0.0414', verdict: 'R1 0.0414' })).toBe('');
  expect(verdictBeside({ title: 'azu', verdict: '' })).toBe('');
});
