import { beforeEach, expect, test, vi } from 'vitest';

import { BrowserModel } from '../src/browser/model';
import { NO_FACETS, pathOf, visible } from '../src/browser/query';
import type { IDataset } from '../src/registry/types';

const dataset = (id: string, more: object = {}) =>
  ({ qcrbox_dataset_id: id, name: id, data_files: {}, tags: [], ...more }) as unknown as IDataset;

interface IPage {
  datasets: IDataset[];
  next?: string | null;
}

/** A registry of these pages, which writes down what it is asked. */
function registry(...pages: IPage[]) {
  const asked: string[] = [];
  const sent: [string, string, unknown][] = [];
  const client = {
    ask: vi.fn(async (path: string, init?: RequestInit): Promise<unknown> => {
      if (init?.method) {
        sent.push([init.method, path, init.body ? JSON.parse(init.body as string) : undefined]);
        return {};
      }
      asked.push(path);
      return pages.length > 1 ? pages.shift() : pages[0];
    }),
    removeDataset: vi.fn(async (_id: string) => undefined)
  };
  return { model: new BrowserModel(client as never), client, asked, sent };
}

const query = (path: string | undefined) => new URL(path ?? '', 'http://a/').searchParams;
const ids = (model: BrowserModel) => model.found.map(each => each.qcrbox_dataset_id);

beforeEach(() => {
  vi.stubGlobal('window', globalThis);
  vi.useFakeTimers();
});

test('the next page begins where the last one ended, and comes behind it', async () => {
  const { model, asked } = registry(
    { datasets: [dataset('a'), dataset('b')], next: 'b' },
    { datasets: [dataset('c')], next: null }
  );
  await model.search();
  expect(model.more).toBe(true);
  await model.loadMore();
  expect(ids(model)).toEqual(['a', 'b', 'c']);
  expect(query(asked[1]).get('after')).toBe('b');
  expect(model.more).toBe(false);
  await model.loadMore();
  expect(asked).toHaveLength(2);
});

test('while a page is on its way no second one is asked for', async () => {
  const { model, client } = registry({ datasets: [dataset('a')], next: 'a' });
  await model.search();
  client.ask.mockReturnValueOnce(new Promise(() => undefined));
  void model.loadMore();
  void model.loadMore();
  expect(client.ask).toHaveBeenCalledTimes(2);
});

test('an answer that a newer question has overtaken is not shown', async () => {
  const { model, client } = registry({ datasets: [dataset('new')] });
  let answer: (page: IPage) => void = () => undefined;
  client.ask.mockReturnValueOnce(new Promise(resolve => (answer = resolve)));
  const slow = model.search();
  await model.search();
  answer({ datasets: [dataset('old')] });
  await slow;
  expect(ids(model)).toEqual(['new']);
  expect(model.loading).toBe(false);
});

test('an error that a newer question has overtaken is not shown', async () => {
  const { model, client } = registry({ datasets: [] });
  let fail: (error: Error) => void = () => undefined;
  client.ask.mockReturnValueOnce(new Promise((_, reject) => (fail = reject)));
  const slow = model.search();
  await model.search();
  fail(new Error('too late'));
  await slow;
  expect(model.problem).toBe('');
});

test('typing is searched for once, when it pauses, with what was typed last', async () => {
  const { model, asked } = registry({ datasets: [] });
  for (const text of ['t', 'th', 'thp', 'thpp']) {
    model.set({ text });
    await vi.advanceTimersByTimeAsync(100);
  }
  expect(asked).toEqual([]);
  await vi.advanceTimersByTimeAsync(300);
  expect(asked.map(path => query(path).get('text'))).toEqual(['thpp']);
});

test('a search again asks for as many rows as are shown, at most a thousand', async () => {
  const many = (count: number) => Array.from({ length: count }, (_, number) => dataset(`d${number}`));
  const { model, asked } = registry({ datasets: many(450) }, { datasets: many(3000) }, { datasets: [] });
  await model.search();
  await model.search();
  await model.search();
  expect(asked.map(path => query(path).get('limit'))).toEqual(['200', '450', '1000']);
});

test('everybody’s data and the bin are other questions', async () => {
  const { model, asked } = registry({ datasets: [dataset('a')] });
  await model.search();
  model.choose('a', true);
  model.showEverybody(true);
  await vi.advanceTimersByTimeAsync(0);
  model.showBin(true);
  await vi.advanceTimersByTimeAsync(0);
  expect(asked.map(path => query(path).get('mine'))).toEqual(['true', 'false', 'false']);
  expect(query(asked[2]).get('deleted')).toBe('true');
  expect(model.chosen.size).toBe(0);
});

test('what is no longer listed is no longer chosen', async () => {
  const { model } = registry({ datasets: [dataset('a'), dataset('b')] }, { datasets: [dataset('b')] });
  await model.search();
  model.choose('a', true);
  model.choose('b', true);
  await model.search();
  expect([...model.chosen]).toEqual(['b']);
  model.choose('b', false);
  expect(model.chosenDatasets).toEqual([]);
});

test('a tag is added to those that are there, once', async () => {
  const { model, sent } = registry({ datasets: [dataset('a/1', { tags: ['x'] }), dataset('b', { tags: ['new'] })] });
  await model.search();
  model.choose('a/1', true);
  model.choose('b', true);
  await model.tag('new');
  expect(sent).toEqual([
    ['PATCH', 'datasets/a%2F1', { tags: ['x', 'new'] }],
    ['PATCH', 'datasets/b', { tags: ['new'] }]
  ]);
  expect(model.said).toBe('2 tagged');
});

test('sharing lets a group read, nothing more', async () => {
  const { model, sent } = registry({ datasets: [dataset('a')] });
  await model.search();
  model.choose('a', true);
  await model.share('xtal');
  expect(sent).toEqual([['POST', 'shares', { kind: 'dataset', object_id: 'a', group: 'xtal', mode: 'read' }]]);
});

test('one that cannot go into the bin stops no other; equal reasons are said once', async () => {
  const { model, client } = registry({ datasets: ['a', 'b', 'c'].map(id => dataset(id)) });
  await model.search();
  ['a', 'b', 'c'].forEach(id => model.choose(id, true));
  client.removeDataset.mockImplementation(async id => {
    if (id !== 'b') {
      throw new Error('It is in use.');
    }
  });
  await model.toBin();
  expect(client.removeDataset.mock.calls.flat()).toEqual(['a', 'b', 'c']);
  expect([model.said, model.problem]).toEqual(['1 in the bin', 'It is in use.']);
  // What stayed needs no way back.
  expect(model.lastBinned).toEqual(['b']);
});

test('what was put into the bin comes back by one click', async () => {
  const { model, sent } = registry({ datasets: [dataset('a')] });
  await model.search();
  model.choose('a', true);
  await model.toBin();
  await model.restore(model.lastBinned);
  expect(sent).toEqual([['POST', 'datasets/a/restore', undefined]]);
  expect([model.lastBinned, model.said]).toEqual([[], '1 back']);
});

test('a refusal is shown in the registry’s words until a search succeeds', async () => {
  const { model, client } = registry({ datasets: [] });
  client.ask.mockRejectedValueOnce(new Error('A cell has six numbers.'));
  await model.search();
  expect([model.problem, model.loading]).toEqual(['A cell has six numbers.', false]);
  await model.search();
  expect(model.problem).toBe('');
});

test.each([
  [{ cell: '10 11 12 90 90 90', tolerance: '2' }, 'cell=10%2C11%2C12%2C90%2C90%2C90&tolerance=0.02'],
  [{ cell: '10.00(1); 11, 12  90 90 90', tolerance: '2,5' }, 'cell=10.00%2C11%2C12%2C90%2C90%2C90&tolerance=0.025'],
  [{ cell: '10', tolerance: 'two' }, 'cell=10&tolerance=two'],
  [{ tolerance: '2' }, ''],
  [{ r1Below: '0,05' }, 'r1_below=0.05'],
  [{ r1Below: ' 5 % ' }, 'r1_below=5+%25'],
  [{ formula: ' C10 H8 ', spaceGroup: 'P 21/n' }, 'formula=C10+H8&space_group=P+21%2Fn'],
  [{ text: 'a&mine=false' }, 'text=a%26mine%3Dfalse'],
  [{ text: '   ' }, '']
])('the facets %j are asked for as %s', (facets, query) => {
  const path = pathOf({ ...NO_FACETS, ...facets }, false, '', 10);
  expect(path).toBe(`search?limit=10&mine=true${query ? `&${query}` : ''}`);
});

test.each([
  [0, 560, 1000, [0, 25]],
  [28 * 500, 560, 1000, [495, 525]],
  [28 * 995, 560, 1000, [990, 1000]],
  [0, 560, 3, [0, 3]],
  [0, 560, 0, [0, 0]]
])('scrolled to %i in a window of %i px, of %i rows these are drawn: %j', (scrolled, height, count, rows) => {
  expect(visible(scrolled, height, 28, count)).toEqual(rows);
});

test('a closed tab does not search for what was typed last', async () => {
  vi.useFakeTimers();
  const ask = vi.fn(async () => ({ datasets: [] }));
  const model = new BrowserModel({ ask } as never);
  model.set({ text: 'C10' });
  model.dispose();
  await vi.advanceTimersByTimeAsync(1000);
  expect(ask).not.toHaveBeenCalled();
});
