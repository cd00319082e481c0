import { expect, test, vi } from 'vitest';

import type { RegistryStore } from '../src/registry/store';
import type { IDataFile, IDataset } from '../src/registry/types';
import { base64Of } from '../src/viewer/bytes';
import { ViewClient } from '../src/viewer/client';
import { RememberedLook } from '../src/viewer/look';
import { reflectionsBeside } from '../src/viewer/source';
import { storeVersion, versionWord } from '../src/viewer/storing';

function server(...answers: unknown[]) {
  const asked: { path: string; init: RequestInit }[] = [];
  const local = vi.fn(async (path: string, init: RequestInit): Promise<unknown> => {
    asked.push({ path, init });
    return answers.shift();
  });
  const client = { local, localText: vi.fn(async (_path: string) => ''), ask: vi.fn(async (_path: string) => ({})) };
  return { views: new ViewClient(client as never), client, asked };
}

const BYTES = new Uint8Array([100, 97, 116, 97]);

test('a stored file is named, one that is not stored is sent', async () => {
  const { views, asked } = server({}, {});
  await views.part('items', { name: 'a.cif', file: 'f1', fcf: 'f2' });
  await views.part('items', { name: 'b.cif', bytes: BYTES });
  expect(asked.map(each => [each.path, each.init.method])).toEqual([
    ['view/items?name=a.cif&file=f1&fcf=f2', undefined],
    ['view/items?name=b.cif', 'POST']
  ]);
  expect(new Uint8Array(await (asked[1]?.init.body as Blob).arrayBuffer())).toEqual(BYTES);
});

test('a plot is the model of its widget, with its bytes', async () => {
  const { views, asked } = server({ panels: { $bytes: base64Of(BYTES) } });
  const model = await views.plot('wilson', { name: 'a.cif', file: 'f' });
  expect(asked[0]?.path).toBe('view/plot-wilson?name=a.cif&file=f');
  expect((model.get('panels') as DataView).getUint8(0)).toBe(100);
});

test('what a live structure asks goes to its own key, and comes back as changes', async () => {
  const { views, asked } = server({ key: 'k1', state: { scene: 1 } }, { state: { scene: 2 }, messages: [{ re: 1 }] });
  const model = await views.structure({ name: 'a.cif', file: 'f' }, true);
  expect([model.get('scene'), model.get('refine')]).toEqual([1, true]);
  const heard: unknown[] = [];
  model.on('change:scene', () => heard.push(model.get('scene')));
  model.on('msg:custom', message => heard.push(message));
  await model.ask({ do: 'grow', id: 1 });
  expect(asked[1]?.path).toBe('live/k1');
  expect(JSON.parse(asked[1]?.init.body as string)).toEqual({ do: 'grow', id: 1 });
  expect(heard).toEqual([2, { re: 1 }]);
});

test('a question that fails is answered with its reason, to the one who asked', async () => {
  const { views, client } = server({ key: 'k1', state: {} });
  const model = await views.structure({ name: 'a.cif', file: 'f' });
  client.local.mockRejectedValueOnce(new Error('The file is gone.'));
  const heard: unknown[] = [];
  model.on('msg:custom', message => heard.push(message));
  await model.ask({ do: 'grow', id: 7 });
  expect(heard).toEqual([{ re: 7, error: 'The file is gone.' }]);
});

test('what is no longer listened to is not called', async () => {
  const { views } = server({ key: 'k1', state: {} }, { state: { a: 1 }, messages: [] });
  const model = await views.structure({ name: 'a.cif', file: 'f' });
  const heard = vi.fn();
  model.on('change:a', heard);
  model.off('change:a', heard);
  await model.ask({});
  expect(heard).not.toHaveBeenCalled();
});

test('changes of items come back as bytes with remarks; a stored file is named, another sent along', async () => {
  const answer = () => ({ content: { $bytes: base64Of(BYTES) }, remarks: [{ line: 1, tag: '_a', text: 'x' }] });
  const { views, asked } = server(answer(), answer());
  const edits = [{ block: 'a', tag: '_a', value: '1' }];
  const { bytes, remarks } = await views.edited({ name: 'a.cif', file: 'f' }, edits);
  expect([...bytes]).toEqual([...BYTES]);
  expect(remarks).toHaveLength(1);
  await views.edited({ name: 'a.cif', bytes: BYTES }, edits);
  expect(asked.map(each => JSON.parse(each.init.body as string) as unknown)).toEqual([
    { name: 'a.cif', file: 'f', edits },
    { name: 'a.cif', content: base64Of(BYTES), edits }
  ]);
});

test('the lineage is drawn around the object that was asked for', async () => {
  const { views, client, asked } = server({ svg: '<svg/>' });
  client.ask.mockResolvedValue({ nodes: [] });
  const model = await views.lineage('dataset', 'd/1');
  expect(client.ask).toHaveBeenCalledWith('lineage/dataset/d%2F1');
  expect(JSON.parse(asked[0]?.init.body as string)).toEqual({ graph: { nodes: [] }, focus: 'd/1' });
  expect(model.get('svg')).toBe('<svg/>');
});

test('a module that could not be loaded is asked for again', async () => {
  const { views, client } = server();
  client.localText.mockRejectedValueOnce(new Error('The server restarts.'));
  await expect(views.module('chart')).rejects.toThrow('restarts');
  client.localText.mockRejectedValueOnce(new Error('still'));
  await expect(views.module('chart')).rejects.toThrow('still');
  expect(client.localText.mock.calls).toEqual([['widgets/chart.js'], ['widgets/chart.js']]);
});

test('tabs that open at once load one module', async () => {
  const { views, client } = server();
  client.localText.mockReturnValue(new Promise(() => undefined));
  void views.module('chart');
  void views.module('chart');
  void views.module('lineage');
  expect(client.localText).toHaveBeenCalledTimes(2);
});

const file = (filename: string) => ({ filename, qcrbox_file_id: `f-${filename}` }) as IDataFile;
const dataset = (name: string, ...files: string[]) =>
  ({
    name,
    qcrbox_dataset_id: `d-${name}`,
    data_files: Object.fromEntries(files.map(each => [each, file(each)]))
  }) as unknown as IDataset;

function store(projects: { id: string }[], datasets: IDataset[] = []) {
  const calls: unknown[][] = [];
  const client = {
    newDataset: async (each: File) => (calls.push(['new', each.name, await each.text()]), 'd-new'),
    renameDataset: async (...given: unknown[]) => void calls.push(['rename', ...given]),
    append: async (id: string, each: File) => void calls.push(['append', id, each.name]),
    bytes: async (_id: string) => BYTES,
    ask: async (path: string, init?: RequestInit) =>
      init ? void calls.push(['annotate', path, JSON.parse(init.body as string)]) : { projects }
  };
  return { store: { client, datasets, refresh: vi.fn() } as unknown as RegistryStore, calls };
}

test('a version keeps the reflections beside it and stays in its project', async () => {
  const { store: made, calls } = store([{ id: 'p1' }]);
  const source = dataset('azu', 'azu.cif', 'azu.hkl', 'azu.TSC', 'report.pdf');
  expect(await storeVersion(made, source, file('azu.cif'), BYTES)).toBe('d-new');
  expect(calls).toEqual([
    ['new', 'azu.cif', 'data'],
    ['rename', 'd-new', 'azu (edited)'],
    ['append', 'd-new', 'azu.hkl'],
    ['append', 'd-new', 'azu.TSC'],
    ['annotate', 'annotations/dataset/d-new', { project: 'p1' }]
  ]);
  expect(made.refresh).toHaveBeenCalledTimes(1);
});

test.each([[[]], [[{ id: 'ada@P21' }]]])('a project that nobody made (%j) is not written down', async projects => {
  const { store: made, calls } = store(projects);
  await storeVersion(made, dataset('azu', 'azu.cif'), file('azu.cif'), BYTES);
  expect(calls.map(each => each[0])).toEqual(['new', 'rename']);
});

test('versions are numbered from the second on, past every name that is taken', () => {
  const azu = dataset('azu', 'azu.cif');
  expect(versionWord(azu, [])).toBe('edited');
  expect(versionWord(azu, [dataset('azu (edited)'), dataset('azu (edited 2)')])).toBe('edited 3');
});

test.each([
  ['data/azu.res', ['data/azu.hkl']],
  ['data/AZU.cif', ['data/azu.hkl']],
  ['azu.cif', []],
  ['data/b.cif', []]
])('beside %s are the reflections %j', (model, found) => {
  expect(reflectionsBeside(model, ['data/azu.hkl', 'data/azu.fcf', 'other/b.hkl'])).toEqual(found);
});

// ---------------------------------------------------------------- the look that was chosen last

function storage(kept: Record<string, string> = {}) {
  return {
    getItem: (key: string) => kept[key] ?? null,
    setItem: (key: string, value: string) => void (kept[key] = value)
  };
}

test('the next structure is drawn as the last one was chosen to be, in its own atoms', async () => {
  const kept = storage();
  const { views } = server(
    { key: 'k1', state: { scene: 1 } },
    { state: {}, messages: [] },
    { state: {}, messages: [] }
  );
  const first = new ViewClient(Reflect.get(views, 'client') as never, new RememberedLook(kept));
  const model = await first.structure({ name: 'a.cif', file: 'f' });
  await model.ask({ do: 'note', options: { labels: 'heavy' } });
  await model.ask({ do: 'set', options: { grow: 'cell', hydrogens: 'none' } });

  const { views: others, asked } = server({ key: 'k2', state: { scene: 1 } }, { state: { scene: 2 }, messages: [] });
  const second = new ViewClient(Reflect.get(others, 'client') as never, new RememberedLook(kept));
  expect((await second.structure({ name: 'b.cif', file: 'g' })).get('scene')).toBe(2);
  expect(asked.map(each => each.path)).toEqual(['live?name=b.cif&file=g', 'live/k2']);
  expect(JSON.parse(asked[1]?.init.body as string)).toEqual({
    do: 'set',
    options: { labels: 'heavy', hydrogens: 'none' }
  });
});

test('what is no look is not remembered, and what cannot be read is none', () => {
  const look = new RememberedLook(storage({ 'qcrbox:structure-look': 'no JSON' }));
  expect(look.options).toEqual({});
  look.hear({ do: 'grow', mode: 'bond' });
  look.hear({ do: 'set', options: { disorder: 'minor' } });
  look.hear(null);
  expect(look.options).toEqual({});
  look.hear({ do: 'note', options: { palette: 'grey', height: 9 } });
  expect(look.options).toEqual({ palette: 'grey' });
  expect(new RememberedLook().options).toEqual({});
});

test('a structure that refuses the options has its defaults', async () => {
  const { views, client } = server({ key: 'k', state: { scene: 1 } });
  const look = new RememberedLook(storage({ 'qcrbox:structure-look': '{"palette":"gone"}' }));
  client.local.mockImplementationOnce(async () => ({ key: 'k', state: { scene: 1 } }));
  client.local.mockImplementationOnce(() => Promise.reject(new Error('no such palette')));
  const made = new ViewClient(Reflect.get(views, 'client') as never, look);
  expect((await made.structure({ name: 'a.cif', file: 'f' })).get('scene')).toBe(1);
});
