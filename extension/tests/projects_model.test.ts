/** Projects while answers are late, fail or overtake one another. */
import { beforeEach, expect, test, vi } from 'vitest';

import { ProjectsModel } from '../src/projects/model';
import { RegistryError } from '../src/registry/client';
import type { IProjectNode } from '../src/registry/types';
import { later } from './lab_dom';

vi.mock('@jupyterlab/services', () => ({ ServerConnection: {} }));

const node = (id: string, parent: string | null = null, more: Partial<IProjectNode> = {}) =>
  ({ id, parent, kind: parent === null ? 'dataset' : 'calculation', note: '', pinned: false, ...more }) as IProjectNode;
const NODES = [node('azu'), node('iam', 'azu'), node('har', 'iam', { newest: true }), node('twin', 'azu')];
const tree = (id: string, nodes = NODES) => ({ project: { id, name: id }, nodes });
const list = (...ids: string[]) => ({ projects: ids.map(id => ({ id })), total: ids.length, truncated: false });

type Answer = unknown | Promise<unknown> | (() => unknown);

/** A registry that gives what is written for a path, without its query; `asks` are the paths that were asked for. */
function registry(answers: Record<string, Answer> = {}) {
  const asks: string[] = [];
  const bodies: unknown[] = [];
  const ask = async (path: string, init: RequestInit = {}) => {
    asks.push(path);
    if (init.body) {
      bodies.push(JSON.parse(init.body as string));
    }
    const [plain = ''] = path.split('?');
    const found =
      answers[plain] ??
      (plain === 'projects' ? list('p1') : init.method ? {} : tree(decodeURIComponent(plain.slice(9))));
    return typeof found === 'function' ? (found as () => unknown)() : found;
  };
  const model = new ProjectsModel({ ask: ask as never, removeDataset: vi.fn(async () => undefined) });
  return { model, asks, bodies, answers };
}

const refuse = (status: number, words: string) => () => {
  throw new RegistryError(words, status);
};

beforeEach(() => {
  vi.stubGlobal('window', globalThis);
  vi.useFakeTimers();
});

// ---------------------------------------------------------------- answers that come too late

test('of two projects that are opened one after the other the second stays, whichever answer comes last', async () => {
  const slow = later<unknown>();
  const { model } = registry({ 'projects/slow': slow.promise });
  const first = model.open('slow');
  await model.open('quick');
  slow.answer(tree('slow'));
  await first;
  expect(model.project?.id).toBe('quick');
});

test('a project that was closed before its answer came stays closed', async () => {
  const slow = later<unknown>();
  const { model } = registry({ 'projects/slow': slow.promise });
  const opening = model.open('slow');
  model.close();
  slow.answer(tree('slow'));
  await opening;
  expect([model.project, model.chosen]).toEqual([undefined, '']);
});

test('a link to an object that is answered late does not take away what was opened since', async () => {
  const slow = later<unknown>();
  const { model } = registry({ projects: slow.promise });
  const following = model.openHolding('iam');
  await model.open('quick');
  slow.answer(list('other'));
  await following;
  expect(model.project?.id).toBe('quick');
});

test('a failure of an answer that was overtaken is not shown', async () => {
  const slow = later<unknown>();
  const { model } = registry({ 'projects/slow': slow.promise });
  const first = model.open('slow');
  await model.open('quick');
  slow.fail(new RegistryError('It was moved.', 404));
  await first;
  expect([model.problem, model.project?.id]).toEqual(['', 'quick']);
});

test('a search is loading until the newest answer is there, and an older failure says nothing', async () => {
  const answers = [later<unknown>(), later<unknown>()];
  const waiting = [...answers];
  const { model } = registry({ projects: () => waiting.shift()?.promise });
  const searches = [model.search(), model.search()];
  answers[0]?.fail(new Error('The registry restarts.'));
  await searches[0];
  expect([model.loading, model.problem]).toEqual([true, '']);
  answers[1]?.answer(list('p1', 'p2'));
  await searches[1];
  expect([model.loading, model.found.length]).toEqual([false, 2]);
});

test('what was typed last is searched for once, and not after the tab was closed', async () => {
  const { model, asks } = registry();
  ['c', 'c1', 'c10'].forEach(text => model.setText(text));
  await vi.advanceTimersByTimeAsync(1000);
  expect(asks).toEqual(['projects?text=c10&limit=200&mine=true']);
  model.setText('c10 h');
  model.dispose();
  await vi.advanceTimersByTimeAsync(1000);
  expect(asks).toHaveLength(1);
});

// ---------------------------------------------------------------- a registry that refuses or is away

test('while the registry is away the open project stays, and the reason is shown', async () => {
  const { model, answers } = registry();
  await model.open('azu');
  Object.assign(answers, {
    projects: refuse(503, 'The registry does not answer.'),
    'projects/azu': refuse(503, 'The registry does not answer.')
  });
  await model.refresh();
  expect([model.project?.id, model.problem]).toEqual(['azu', 'The registry does not answer.']);
});

test.each([403, 404])('a project that the registry answers with %i is closed', async status => {
  const { model, answers } = registry();
  await model.open('azu');
  answers['projects/azu'] = refuse(status, 'There is no such project.');
  await model.refresh();
  expect(model.project).toBe(undefined);
});

test('an undo that is refused says why, and can be tried again', async () => {
  const { model, answers } = registry();
  await model.open('azu');
  await model.annotate(node('azu'), { pinned: true }, 'azu pinned');
  answers['annotations/dataset/azu'] = refuse(409, 'The dataset is in the bin.');
  await model.undo();
  expect([model.problem, model.lastChange]).toEqual(['The dataset is in the bin.', 'azu pinned']);
  delete answers['annotations/dataset/azu'];
  await model.undo();
  expect([model.problem, model.lastChange]).toEqual(['', '']);
});

test('undone twice at once, a change is taken back once', async () => {
  const { model, bodies } = registry();
  await model.open('azu');
  await model.annotate(node('azu'), { pinned: true }, 'azu pinned');
  await Promise.all([model.undo(), model.undo()]);
  expect(bodies).toEqual([{ pinned: true }, { pinned: false }]);
});

test.each([
  ['of which there is no project', { projects: list() }, 'It belongs to no project that you can see.'],
  ['whose project may not be read', { 'projects/p1': refuse(403, 'Not yours.') }, 'Not yours.']
])('an object %s says so', async (_, answers, words) => {
  const { model } = registry(answers);
  await model.openHolding('x');
  expect([model.problem, model.project]).toEqual([words, undefined]);
});

// ---------------------------------------------------------------- moving

test.each([
  ['from its own place', 'x@P21', ''],
  ['from another project', 'lab', 'lab'],
  ['from the project that it began', 'azu', '']
])('a dataset that was moved %s goes back there', async (_, open, back) => {
  const { model, bodies } = registry();
  await model.open(open);
  await model.annotate(node('azu'), { project: 'other' }, 'azu moved');
  await model.undo();
  expect(bodies).toEqual([{ project: 'other' }, { project: back }]);
});

// ---------------------------------------------------------------- the chosen step is in sight

test('a step that is opened from elsewhere is unfolded', async () => {
  const { model } = registry();
  await model.open('azu');
  ['azu', 'iam'].forEach(id => model.fold(id, true));
  await model.open('azu', 'har');
  expect([model.chosen, [...model.folded]]).toEqual(['har', []]);
});

test('a step that the project does not have leaves the newest one chosen', async () => {
  const { model } = registry();
  await model.open('azu', 'deleted');
  expect(model.chosen).toBe('har');
});

test('a project without steps has none chosen', async () => {
  const { model } = registry({ 'projects/empty': tree('empty', []) });
  await model.open('empty');
  expect([model.chosen, model.node, model.problem]).toEqual(['', undefined, '']);
});

test('steps that name each other as their origin do not hold the page', async () => {
  const { model } = registry({ 'projects/odd': tree('odd', [node('a', 'b'), node('b', 'a')]) });
  await model.open('odd', 'a');
  expect(model.chosen).toBe('a');
});

test('the chosen step stays chosen while others come and go; when it goes itself the first is chosen', async () => {
  const { model, answers } = registry();
  await model.open('azu', 'twin');
  answers['projects/azu'] = tree('azu', [...NODES, node('new', 'azu', { newest: true })]);
  await model.refresh();
  expect(model.chosen).toBe('twin');
  answers['projects/azu'] = tree('azu', [node('azu')]);
  await model.refresh();
  expect(model.chosen).toBe('azu');
});

test('names of projects go into the address as they are', async () => {
  const { model, asks } = registry({ 'projects/a%2Fb%3Fmine%3Dfalse': tree('x') });
  await model.open('a/b?mine=false');
  expect(asks).toEqual(['projects/a%2Fb%3Fmine%3Dfalse?mine=true']);
});
