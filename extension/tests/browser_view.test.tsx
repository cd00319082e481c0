// @vitest-environment jsdom
/** The store browser in a page: its rows, the keyboard, and what is done with chosen datasets. */
import { nullTranslator } from '@jupyterlab/translation';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { BrowserModel } from '../src/browser/model';
import { type IActions, StoreBrowser } from '../src/browser/view';
import type { IDataset } from '../src/registry/types';
import { HOSTILE, mount, savedFiles, unmountAll } from './lab_dom';

vi.mock('@jupyterlab/ui-components', () => import('./lab_dom'));

const trans = nullTranslator.load('qcrbox');
const dataset = (id: string, more: object = {}) =>
  ({
    qcrbox_dataset_id: id,
    name: `name of ${id}`,
    owner: 'ada',
    tags: [],
    data_files: {},
    ...more
  }) as unknown as IDataset;

beforeEach(() => {
  vi.spyOn(HTMLElement.prototype, 'clientHeight', 'get').mockReturnValue(560);
});
afterEach(async () => {
  await unmountAll();
  vi.restoreAllMocks();
});

async function browser(
  found: IDataset[],
  given: { next?: string; refused?: string[]; answers?: Partial<IActions> } = {}
) {
  const asked: string[] = [];
  const gone = new Set<string>();
  const act = async (id: string) => {
    if (given.refused?.includes(id)) {
      throw new Error(`You may not change ${id}.`);
    }
    gone.add(id);
    return {};
  };
  const client = {
    ask: async (path: string, init: RequestInit = {}) => {
      asked.push(`${init.method ?? 'GET'} ${path}`);
      if (!init.method) {
        return { datasets: found.filter(each => !gone.has(each.qcrbox_dataset_id)), next: given.next ?? null };
      }
      const id = /^datasets\/([^/]+)/.exec(path)?.[1] ?? '';
      if (path.endsWith('/restore')) {
        gone.delete(id);
        return {};
      }
      return act(
        init.body && path === 'shares' ? (JSON.parse(init.body as string) as { object_id: string }).object_id : id
      );
    },
    removeDataset: act
  };
  const model = new BrowserModel(client as never);
  const actions = {
    use: vi.fn(),
    rename: vi.fn(),
    downloadUrl: (id: string) => `/download/${id}`,
    maySeeOthers: () => false,
    ask: vi.fn(async () => ''),
    ...given.answers
  };
  await model.search();
  const page = await mount(new StoreBrowser(model, actions, trans));
  const box = (id: string) => page.field(`Choose name of ${id}`);
  const choose = async (...ids: string[]) => {
    for (const id of ids) {
      await page.settle(() => box(id).click());
    }
  };
  return { page, model, actions, asked, box, choose, said: () => page.all('[role="status"]')[0]?.textContent ?? '' };
}
const THREE = [dataset('a'), dataset('b'), dataset('c')];

// ---------------------------------------------------------------- rows

test('of very many datasets the rows in sight alone are in the page, and all are counted', async () => {
  const many = Array.from({ length: 1000 }, (_, n) => dataset(`d${n}`));
  const { page } = await browser(many);
  const rows = page.all('[data-dataset]');
  expect(rows.length).toBeGreaterThanOrEqual(20);
  expect(rows.length).toBeLessThan(60);
  expect(page.all('[role="grid"]')[0]?.getAttribute('aria-rowcount')).toBe('1001');
  expect(rows.map(each => Number(each.getAttribute('aria-rowindex')))).toEqual(rows.map((_, n) => n + 2));
});

test('scrolled, the rows there are in the page, in their places', async () => {
  const { page } = await browser(Array.from({ length: 1000 }, (_, n) => dataset(`d${n}`)));
  const grid = page.all('[role="grid"]')[0] as HTMLElement;
  grid.scrollTop = 28 * 500;
  await page.settle(() => grid.dispatchEvent(new Event('scroll', { bubbles: true })));
  const row = page.node.querySelector<HTMLElement>('[data-dataset="d505"]');
  expect([row?.style.top, row?.getAttribute('aria-rowindex')]).toEqual([`${505 * 28}px`, '507']);
  expect(page.node.querySelector('[data-dataset="d0"]')).toBe(null);
});

test.each([
  ['Nothing matches.', false],
  ['The bin is empty.', true]
])('an empty list says %s', async (words, bin) => {
  const { page, model } = await browser([]);
  if (bin) {
    await page.settle(() => model.showBin(true));
  }
  expect(page.words()).toContain(words);
});

test('names, files and tags of others are text', async () => {
  const { page } = await browser([dataset('a', { name: HOSTILE, owner: HOSTILE, tags: [HOSTILE] })]);
  expect(page.node.querySelector('img')).toBe(null);
  expect(page.words().split(HOSTILE)).toHaveLength(4);
});

test('up and down go from box to box, and stay at the ends; the page does not scroll by them', async () => {
  const { page, box } = await browser(THREE);
  box('a').focus();
  for (const [key, id] of [
    ['ArrowDown', 'b'],
    ['ArrowDown', 'c'],
    ['ArrowDown', 'c'],
    ['ArrowUp', 'b']
  ] as const) {
    await page.key(document.activeElement as HTMLElement, key);
    expect(document.activeElement).toBe(box(id));
  }
});

test('a name renames where it may be changed, in the bin and of an example it is a text', async () => {
  const { page, actions, model } = await browser([dataset('a'), dataset('b', { read_only: true })]);
  await page.press('Rename name of a');
  expect(actions.rename).toHaveBeenCalledWith(expect.objectContaining({ qcrbox_dataset_id: 'a' }));
  expect(() => page.button('Rename name of b')).toThrow();
  await page.settle(() => model.showBin(true));
  expect(() => page.button('Rename name of a')).toThrow();
  expect(page.all('button').some(each => each.textContent === 'Use')).toBe(false);
});

// ---------------------------------------------------------------- chosen datasets

test('without a choice nothing can be done; with an example among the chosen nothing that changes it', async () => {
  const { page, choose } = await browser([dataset('a'), dataset('b', { read_only: true })]);
  const works = () => ['Tag …', 'Share …', 'Export', 'Delete'].filter(each => !page.button(each).disabled);
  expect(works()).toEqual([]);
  await choose('a');
  expect(works()).toEqual(['Tag …', 'Share …', 'Export', 'Delete']);
  await choose('b');
  expect(works()).toEqual(['Export']);
});

test.each([
  ['Tag …', ' crystal ', 'PATCH datasets/a'],
  ['Share …', 'xtal', 'POST shares'],
  ['Tag …', '   ', undefined],
  ['Share …', '', undefined]
])('%s answered by %j sends %s', async (button, answer, sent) => {
  const { page, choose, asked } = await browser(THREE, { answers: { ask: async () => answer } });
  await choose('a');
  await page.press(button);
  expect(asked.filter(each => !each.startsWith('GET'))).toEqual(sent ? [sent] : []);
});

test('what went into the bin can be brought back by one click, and what did not is not promised', async () => {
  const { page, choose, asked, said } = await browser(THREE, { refused: ['b'] });
  await choose('a', 'b', 'c');
  await page.press('Delete');
  expect(said()).toContain('2 in the bin');
  expect(page.all('[role="alert"]')[0]?.textContent).toBe('You may not change b.');
  await page.press('Undo: bring back 2');
  expect(asked.filter(each => each.endsWith('/restore'))).toEqual([
    'POST datasets/a/restore',
    'POST datasets/c/restore'
  ]);
  expect(page.all('button').some(each => each.textContent?.startsWith('Undo'))).toBe(false);
});

test('where nothing could be deleted there is nothing to undo', async () => {
  const { page, choose } = await browser(THREE, { refused: ['a'] });
  await choose('a');
  await page.press('Delete');
  expect(page.all('button').some(each => each.textContent?.startsWith('Undo'))).toBe(false);
});

test('a bringing back that fails can be tried again', async () => {
  const { page, choose, model } = await browser(THREE);
  await choose('a');
  await page.press('Delete');
  const client = (model as unknown as { client: { ask(path: string, init?: RequestInit): Promise<unknown> } }).client;
  const { ask } = client;
  client.ask = async (path, init) => (init?.method ? Promise.reject(new Error('Away.')) : ask(path, init));
  await page.press('Undo: bring back 1');
  expect(page.all('[role="alert"]')[0]?.textContent).toBe('Away.');
  client.ask = ask;
  await page.press('Undo: bring back 1');
  expect(model.lastBinned).toEqual([]);
});

test('chosen datasets are downloaded one after the other', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  const saved = savedFiles();
  const { page, choose } = await browser(THREE);
  await choose('a', 'b');
  await page.press('Export');
  vi.advanceTimersByTime(0);
  expect(saved).toHaveLength(1);
  vi.advanceTimersByTime(400);
  expect(saved).toHaveLength(2);
});

// ---------------------------------------------------------------- facets

test('the switch to everyone’s data is for those alone who have a right over them', async () => {
  const { page, asked } = await browser(THREE, { answers: { maySeeOthers: () => true } });
  await page.fill('Everyone', true);
  expect(asked.at(-1)).toContain('mine=false');
  expect((await browser(THREE)).page.words()).not.toContain('Everyone');
});

test('in the bin the facets rest, and clearing empties them', async () => {
  const { page, model } = await browser(THREE);
  await page.fill('Formula', 'C10 H8');
  expect(model.facets.formula).toBe('C10 H8');
  await page.press('Clear');
  expect(page.field('Formula').value).toBe('');
  await page.fill('Bin', true);
  expect(page.field('Formula').disabled).toBe(true);
  model.dispose();
});
