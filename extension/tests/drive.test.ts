import { expect, test, vi } from 'vitest';

import { StoreDrive } from '../src/drive/drive';
import { named, partOf } from '../src/drive/names';
import type { RegistryStore } from '../src/registry/store';
import type { IDataset } from '../src/registry/types';
import { base64Of } from '../src/viewer/bytes';

vi.mock('@jupyterlab/services', () => ({
  ServerConnection: {
    ResponseError: class extends Error {
      constructor(
        readonly response: Response,
        message: string
      ) {
        super(message);
      }
    }
  }
}));

const dataset = (id: string, name: string, files: string[], more: object = {}) =>
  ({
    qcrbox_dataset_id: id,
    name,
    kind: 'data',
    created_at: '2026-11-29T18:24:00Z',
    data_files: Object.fromEntries(
      files.map(filename => [filename, { qcrbox_file_id: `${id}-${filename}`, filename, size: 7 }])
    ),
    ...more
  }) as unknown as IDataset;

const LATIN1 = Uint8Array.from([0xe9, 0x0a]);

function opened(datasets = [dataset('d1', 'azu', ['azu.cif', 'azu.hkl'])]) {
  const kept: [string, string, string][] = [];
  const asked: string[] = [];
  const older: IDataset[] = [];
  const store = {
    datasets,
    calculations: [],
    everybody: false,
    start: async () => undefined,
    refresh: async () => undefined,
    client: {
      bytes: async (id: string) => (id.endsWith('latin.cif') ? LATIN1 : new TextEncoder().encode(`of ${id}`)),
      fileUrl: (id: string) => `/file/${id}`,
      newDataset: async (file: File) => {
        kept.push(['new', file.name, await file.text()]);
        store.datasets.push(dataset('d9', file.name, [file.name]));
        return 'd9';
      },
      append: async (id: string, file: File) => {
        kept.push([id, file.name, await file.text()]);
        const into = store.datasets.find(each => each.qcrbox_dataset_id === id) as IDataset;
        into.data_files[file.name] = { qcrbox_file_id: 'new', filename: file.name } as never;
      },
      olderDatasets: async () => {
        asked.push('older');
        return older;
      },
      projects: async () => [{ id: 'p1', name: 'thpp' }],
      ask: async () => ({
        nodes: [
          { id: 'n1', title: 'HAR B3LYP/def2-SVP', at: '', files: [{ qcrbox_file_id: 'f1', filename: 'r.cif' }] },
          { id: 'n2', title: 'running', at: '', files: [] }
        ]
      })
    }
  };
  const drive = new StoreDrive(store as unknown as RegistryStore, {} as never);
  return { drive, kept, store, older, asked };
}
const namesIn = async (drive: StoreDrive, path: string) =>
  ((await drive.get(path)).content as { path: string; type: string }[]).map(each => `${each.type} ${each.path}`);

test('datasets and projects are folders of files', async () => {
  const { drive } = opened();
  expect(await namesIn(drive, '')).toEqual(['directory Datasets', 'directory Projects']);
  expect(await namesIn(drive, 'Datasets')).toEqual(['directory Datasets/azu']);
  expect(await namesIn(drive, 'Datasets/azu')).toEqual(['file Datasets/azu/azu.cif', 'file Datasets/azu/azu.hkl']);
  expect(await namesIn(drive, 'Projects/thpp')).toEqual(['directory Projects/thpp/HAR B3LYP-def2-SVP']);
  expect(await namesIn(drive, 'Projects/thpp/HAR B3LYP-def2-SVP')).toEqual([
    'file Projects/thpp/HAR B3LYP-def2-SVP/r.cif'
  ]);
});

test('datasets beyond those of the panel are folders too, asked for once until the list is read again', async () => {
  const { drive, store, older, asked } = opened();
  older.push(dataset('d0', 'oldest', ['old.cif']), dataset('d1', 'azu', ['azu.cif', 'azu.hkl']));
  expect(await namesIn(drive, 'Datasets')).toEqual(['directory Datasets/azu', 'directory Datasets/oldest']);
  expect(await namesIn(drive, 'Datasets/oldest')).toEqual(['file Datasets/oldest/old.cif']);
  expect(asked).toHaveLength(1);
  await drive.get('Datasets');
  expect(asked).toHaveLength(1);
  store.datasets = [...store.datasets];
  await drive.get('Datasets');
  expect(asked).toHaveLength(2);
});

test('a list of older datasets that failed is asked for again', async () => {
  const { drive, store } = opened();
  const works = store.client.olderDatasets;
  store.client.olderDatasets = () => Promise.reject(new Error('The registry does not answer.'));
  await expect(drive.get('Datasets')).rejects.toThrow('does not answer');
  store.client.olderDatasets = works;
  expect(await namesIn(drive, 'Datasets')).toEqual(['directory Datasets/azu']);
});

test('a file is read as text or as its bytes, and is not writable', async () => {
  const { drive } = opened([dataset('d1', 'azu', ['azu.cif', 'latin.cif'])]);
  const text = await drive.get('Datasets/azu/azu.cif');
  expect(text).toMatchObject({ format: 'text', content: 'of d1-azu.cif', writable: false, size: 7 });
  const bytes = await drive.get('Datasets/azu/latin.cif', { format: 'base64' });
  expect(bytes.content).toBe(base64Of(LATIN1));
  expect((await drive.get('Datasets/azu/latin.cif')).format).toBe('base64');
  await expect(drive.get('Datasets/azu/latin.cif', { format: 'text' })).rejects.toThrow('not text in UTF-8');
  expect((await drive.get('Datasets/azu/azu.cif', { content: false })).content).toBeNull();
  expect(await drive.getDownloadUrl('Datasets/azu/azu.cif')).toBe('/file/d1-azu.cif');
});

test.each(['Datasets/other', 'Datasets/azu/no.cif', 'Elsewhere', 'Projects/none', 'Projects/thpp/none/x', 'a/b/c/d/e'])(
  'what is not there is not found: %s',
  async path => {
    await expect(opened().drive.get(path)).rejects.toMatchObject({ response: { status: 404 } });
  }
);

test('a file dropped among the datasets is a new one, in a dataset a further file of it', async () => {
  const { drive, kept } = opened();
  const content = base64Of(new TextEncoder().encode('data_x'));
  const made = await drive.save('Datasets/x.cif', { type: 'file', format: 'base64', content });
  expect(made.path).toBe('Datasets/x.cif');
  expect(made.type).toBe('directory');
  await drive.save('Datasets/azu/azu.fcf', { type: 'file', format: 'base64', content });
  expect(kept).toEqual([
    ['new', 'x.cif', 'data_x'],
    ['d1', 'azu.fcf', 'data_x']
  ]);
});

test('a large file comes in parts and is stored once', async () => {
  const { drive, kept } = opened();
  for (const [chunk, text] of [
    [1, 'da'],
    [2, 'ta'],
    [-1, '_x']
  ] as const) {
    await drive.save('Datasets/x.cif', { type: 'file', format: 'base64', chunk, content: btoa(text) });
  }
  expect(kept).toEqual([['new', 'x.cif', 'data_x']]);
});

test.each([
  ['Datasets/azu/azu.cif', 'never changes'],
  ['Projects/thpp/x.cif', 'can be added in Datasets'],
  ['x.cif', 'can be added in Datasets'],
  ['Datasets/made/x.cif', 'can be added in Datasets']
])('%s is not overwritten or put where nothing can be added', async (path, words) => {
  const { drive, kept } = opened([
    dataset('d1', 'azu', ['azu.cif']),
    dataset('d2', 'made', ['r.cif'], { kind: 'output' })
  ]);
  await expect(drive.save(path, { type: 'file', format: 'text', content: 'x' })).rejects.toThrow(words);
  expect(kept).toEqual([]);
});

test('nothing can be deleted, renamed or made empty here, and the words say where it can', async () => {
  const { drive } = opened();
  await expect(drive.delete()).rejects.toThrow('in the store');
  await expect(drive.rename()).rejects.toThrow('in the store');
  await expect(drive.newUntitled()).rejects.toThrow('Drop a file');
  await expect(drive.copy()).rejects.toThrow('download');
});

test.each([
  ['HAR B3LYP/def2-SVP', 'HAR B3LYP-def2-SVP'],
  ['..', '_..'],
  ['', '_'],
  ['a\\b\u0000c', 'a-b-c'],
  ['<img src=x>', '<img src=x>']
])('the name %j is the part %j of a path', (name, part) => {
  expect(partOf(name)).toBe(part);
});

test('names that several share carry the ends of their ids, and nothing is lost', () => {
  const things = [
    { name: 'azu', id: 'qcrbox_ds_0x01a2286f07650000d7c53f377fa9dc59' },
    { name: 'azu', id: 'qcrbox_ds_0x01a2286f07650000d7c53f37a1b2c3d4' },
    { name: 'azu', id: 'qcrbox_ds_0x01a2286f07660000d7c53f37a1b2c3d4' },
    { name: 'x', id: 'qcrbox_ds_0x01a2286f07670000d7c53f37a1b2c3d4' },
    { name: 'azu [7fa9dc59]', id: 'qcrbox_ds_0x01a2286f07680000d7c53f37a1b2c3d4' }
  ];
  const known = named(
    things,
    each => each.name,
    each => each.id
  );
  expect([...known.values()]).toEqual(things);
  expect([...known.keys()]).toEqual([
    'azu [7fa9dc59]',
    'azu [a1b2c3d4]',
    `azu [${things[2]?.id}]`,
    'x',
    `azu [7fa9dc59] [${things[4]?.id}]`
  ]);
});

test('a store that could not be read is an error, not an empty folder', async () => {
  const store = {
    datasets: [],
    calculations: [],
    everybody: false,
    client: { olderDatasets: async () => [] },
    start: async () => undefined,
    connection: 'lost',
    me: undefined,
    problem: 'The registry does not answer.'
  };
  const drive = new StoreDrive(store as unknown as RegistryStore, {} as never);
  await expect(drive.get('Datasets')).rejects.toThrow('The registry does not answer.');
  Object.assign(store, { me: { name: 'ada' } });
  // What was read before stays in sight while the connection is lost.
  expect(await namesIn(drive, 'Datasets')).toEqual([]);
});

const notebookDrive = (text: string) => {
  const store = {
    datasets: [dataset('d1', 'nb', ['a.ipynb'])],
    calculations: [],
    everybody: false,
    start: async () => undefined,
    client: { bytes: async () => new TextEncoder().encode(text), olderDatasets: async () => [] }
  };
  return new StoreDrive(store as unknown as RegistryStore, {} as never);
};

test('a stored notebook opens as one; a file that only has its name says what is wrong', async () => {
  const model = await notebookDrive('{"cells": []}').get('Datasets/nb/a.ipynb', { type: 'notebook' });
  expect(model).toMatchObject({ type: 'notebook', format: 'json', content: { cells: [] } });
  const broken = notebookDrive('not JSON').get('Datasets/nb/a.ipynb', { type: 'notebook' });
  await expect(broken).rejects.toThrow('a.ipynb is not a notebook: its text is not JSON.');
});

test('text that is asked for as text and is none says so; asked for as bytes it is given', async () => {
  const { drive } = opened([dataset('d1', 'azu', ['latin.cif'])]);
  await expect(drive.get('Datasets/azu/latin.cif', { format: 'text' })).rejects.toThrow('is not text in UTF-8');
  expect((await drive.get('Datasets/azu/latin.cif', { format: 'base64' })).content).toBe(base64Of(LATIN1));
});

test('a look at a folder or file without its content reads no file', async () => {
  const { drive } = opened();
  const bytes = vi.spyOn((drive as unknown as { store: { client: { bytes(): unknown } } }).store.client, 'bytes');
  expect((await drive.get('Datasets/azu', { content: false })).content).toBe(null);
  expect((await drive.get('Datasets/azu/azu.cif', { content: false })).content).toBe(null);
  expect(bytes).not.toHaveBeenCalled();
});

test.each(['directory', 'notebook'] as const)('a new %s is not made in the store', async type => {
  const { drive, kept } = opened();
  await expect(drive.save('Datasets/new', { type })).rejects.toThrow('Files can be added');
  expect(kept).toEqual([]);
});

test('the first part of an upload begins it anew: what an earlier one left is not in it', async () => {
  const { drive, kept } = opened();
  const part = (chunk: number, content: string) =>
    drive.save('Datasets/big.hkl', { type: 'file', format: 'text', chunk, content });
  await part(1, 'given up');
  await part(1, 'a');
  await part(2, 'b');
  await part(-1, 'c');
  expect(kept).toEqual([['new', 'big.hkl', 'abc']]);
});

test('a download has the address of the file, and of none there is an error', async () => {
  const { drive } = opened();
  expect(await drive.getDownloadUrl('Datasets/azu/azu.cif')).toBe('/file/d1-azu.cif');
  await expect(drive.getDownloadUrl('Datasets/azu/no.cif')).rejects.toThrow('The store has no Datasets/azu/no.cif.');
});

test('a stored file has no checkpoints to go back to, and Lab may make and forget one', async () => {
  const { drive } = opened();
  expect([(await drive.createCheckpoint()).id, await drive.listCheckpoints()]).toEqual(['stored', []]);
  await expect(drive.deleteCheckpoint()).resolves.toBe(undefined);
  await expect(drive.restoreCheckpoint()).rejects.toThrow('A stored file never changes');
});

test('a folder whose name holds slashes, dots or nothing is opened by its safe name', async () => {
  const { drive } = opened([
    dataset('d1', '../..', ['a.cif']),
    dataset('d2', 'a/b\\c', ['a.cif']),
    dataset('d3', '..', ['b.cif'])
  ]);
  const names = await namesIn(drive, 'Datasets');
  expect(names).toEqual(['directory Datasets/..-..', 'directory Datasets/a-b-c', 'directory Datasets/_..']);
  for (const name of names) {
    expect(await namesIn(drive, name.slice('directory '.length))).toHaveLength(1);
  }
});
