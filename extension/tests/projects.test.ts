import { expect, test, vi } from 'vitest';

import { cellWords } from '../src/cell_words';
import { ProjectsModel } from '../src/projects/model';
import { keyIn, rowsOf } from '../src/projects/tree';
import type { IProjectNode } from '../src/registry/types';

const node = (id: string, parent: string | null = null, more: Partial<IProjectNode> = {}) =>
  ({
    id,
    parent,
    kind: parent === null ? 'dataset' : 'calculation',
    note: '',
    pinned: false,
    newest: false,
    dataset_id: `ds-${id}`,
    ...more
  }) as IProjectNode;
const NODES = [node('azu'), node('iam', 'azu'), node('har', 'iam', { newest: true }), node('twin', 'azu')];
const none = new Set<string>();

test('alternatives branch; a step that follows alone goes straight on', () => {
  expect(rowsOf(NODES).map(row => [row.node.id, row.guide, row.level])).toEqual([
    ['azu', '', 1],
    ['iam', '├─ ', 2],
    ['har', '│  └ ', 3],
    ['twin', '└─ ', 2]
  ]);
});

test('steps below a folded step are hidden, branches beside it are shown', () => {
  expect(rowsOf(NODES, new Set(['iam'])).map(row => row.node.id)).toEqual(['azu', 'iam', 'twin']);
  expect(rowsOf(NODES, new Set(['azu'])).map(row => row.node.id)).toEqual(['azu']);
});

test.each([
  ['iam', 'ArrowDown', { go: 'har' }],
  ['azu', 'ArrowUp', { go: 'azu' }],
  ['twin', 'ArrowDown', { go: 'twin' }],
  ['twin', 'Home', { go: 'azu' }],
  ['azu', 'End', { go: 'twin' }],
  ['iam', 'ArrowLeft', { fold: 'iam' }],
  ['har', 'ArrowLeft', { go: 'iam' }],
  ['iam', 'ArrowRight', { go: 'har' }],
  ['har', 'ArrowRight', {}],
  ['har', 'x', undefined]
])('at %s the key %s does %j', (chosen, key, does) => {
  expect(keyIn(rowsOf(NODES), chosen, key, none)).toEqual(does);
});

test('a folded step unfolds with the right arrow', () => {
  const folded = new Set(['iam']);
  expect(keyIn(rowsOf(NODES, folded), 'iam', 'ArrowRight', folded)).toEqual({ unfold: 'iam' });
});

function client(nodes = NODES) {
  const ask = vi.fn(async (path: string, init?: RequestInit): Promise<unknown> => {
    if (init?.method) {
      return {};
    }
    return path.startsWith('projects?')
      ? { projects: [{ id: 'azu', name: 'azu', hits: [] }], total: 1, truncated: false }
      : { project: { id: 'azu', name: 'azu' }, nodes };
  });
  return { ask: ask as never, removeDataset: vi.fn(async () => undefined), asked: ask };
}

/** Answers pages of a list of so many projects. */
function pages(count: number) {
  const projects = Array.from({ length: count }, (_, n) => ({ id: `p${n}`, name: `p${n}`, hits: [] }));
  const ask = vi.fn(async (path: string): Promise<unknown> => {
    const query = new URLSearchParams(path.split('?')[1]);
    const first = Number(query.get('after') ?? 0);
    const last = first + Number(query.get('limit'));
    const next = last < count ? String(last) : null;
    return { projects: projects.slice(first, last), total: count, truncated: false, next };
  });
  return { client: { ask: ask as never, removeDataset: vi.fn(async () => undefined) }, ask, projects };
}

test('a list of many projects is continued page by page to its end', async () => {
  const { client: made, ask } = pages(450);
  const model = new ProjectsModel(made);
  await model.search();
  expect([model.found.length, model.total, model.next]).toEqual([200, 450, '200']);
  await model.more();
  await model.more();
  expect(model.found.map(each => each.id)).toEqual(Array.from({ length: 450 }, (_, n) => `p${n}`));
  expect(model.next).toBe('');
  await model.more();
  expect(ask).toHaveBeenCalledTimes(3);
});

test('a change elsewhere leaves as many projects listed; another search begins with its first page', async () => {
  vi.stubGlobal('window', globalThis);
  vi.useFakeTimers();
  const { client: made, projects } = pages(450);
  const model = new ProjectsModel(made);
  await model.search();
  await model.more();
  projects[0] = { id: 'p0', name: 'renamed', hits: [] };
  await model.refresh();
  expect([model.found.length, model.found[0]?.name]).toEqual([400, 'renamed']);
  model.setText('p');
  await vi.runAllTimersAsync();
  expect(model.found.length).toBe(200);
});

test('a project opens at its newest model, or at the step that is asked for', async () => {
  const model = new ProjectsModel(client());
  await model.open('azu');
  expect(model.chosen).toBe('har');
  await model.open('azu', 'twin');
  expect(model.node?.id).toBe('twin');
});

test('the project of an object is found and opened at it', async () => {
  const made = client();
  const model = new ProjectsModel(made);
  await model.openHolding('iam');
  expect(made.asked.mock.calls[0]?.[0]).toContain('holds=iam');
  expect([model.project?.id, model.chosen]).toEqual(['azu', 'iam']);
});

test('a note is kept and taken back', async () => {
  const made = client([node('azu', null, { note: 'before' })]);
  const model = new ProjectsModel(made);
  await model.open('azu');
  await model.annotate(model.node as IProjectNode, { note: 'after' }, 'note changed');
  expect(model.lastChange).toBe('note changed');
  await model.undo();
  const bodies = made.asked.mock.calls.filter(call => call[1]?.method === 'PATCH').map(call => call[1]?.body);
  expect(bodies).toEqual(['{"note":"after"}', '{"note":"before"}']);
  expect(model.lastChange).toBe('');
});

test('files in the bin come back with undo', async () => {
  const made = client();
  const model = new ProjectsModel(made);
  await model.open('azu');
  await model.bin(model.node as IProjectNode, 'binned');
  expect(made.removeDataset).toHaveBeenCalledWith('ds-har');
  await model.undo();
  expect(made.asked.mock.calls.some(call => call[0] === 'datasets/ds-har/restore')).toBe(true);
});

test('what the registry refuses is shown and cannot be undone', async () => {
  const made = client();
  const model = new ProjectsModel({
    ...made,
    removeDataset: async () => {
      throw new Error('You may see this dataset but not delete it.');
    }
  });
  await model.open('azu');
  await model.bin(model.node as IProjectNode, 'binned');
  expect(model.problem).toContain('not delete');
  expect(model.lastChange).toBe('');
});

test.each([
  [['10.003(1)', '11.000(2)', '12', '90', '95.10(3)', '90'], '10.003(1), 11.000(2), 12 Å; 90, 95.10(3), 90°'],
  [[], '10.003, 11.000, 12.000 Å; 90.00, 95.10, 90.00°']
])('the cell has its s.u. where the index has them: %j', (cell_text, words) => {
  expect(cellWords({ cell: [10.003, 11, 12, 90, 95.1, 90], cell_text })).toBe(words);
});

test('a cell that is unknown is not shown', () => {
  expect(cellWords({ cell: [], cell_text: [] })).toBe('');
});
