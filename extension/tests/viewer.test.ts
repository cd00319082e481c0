import { readFileSync } from 'node:fs';

import { expect, test, vi } from 'vitest';

import { failureOf } from '../src/command/failure';
import type { IDataFile, IDataset } from '../src/registry/types';
import { base64Of, bytesOf, decoded } from '../src/viewer/bytes';
import { Edits } from '../src/viewer/edits';
import { LiveModel } from '../src/viewer/live_model';
import { canBeShown, densitiesOf, queryOf, sourceOf } from '../src/viewer/source';
import { versionWord } from '../src/viewer/storing';

const file = (filename: string) => ({ filename, qcrbox_file_id: `f-${filename}` }) as IDataFile;
const dataset = (...files: IDataFile[]) =>
  ({ name: 'azu', data_files: Object.fromEntries(files.map(each => [each.filename, each])) }) as unknown as IDataset;

test('bytes survive base64, also many of them', () => {
  const bytes = Uint8Array.from({ length: 30_000 }, (_, number) => number % 256);
  expect(bytesOf(base64Of(bytes))).toEqual(bytes);
});

test('bytes of the server become views on bytes, wherever they stand', () => {
  const value = decoded({ panels: [{ x: { $bytes: base64Of(new Uint8Array([1, 2])) }, label: 'x' }] }) as {
    panels: { x: DataView; label: string }[];
  };
  expect(value.panels[0]?.x.getUint8(1)).toBe(2);
  expect(value.panels[0]?.label).toBe('x');
});

test.each([
  ['a.cif', true],
  ['a.FCF', true],
  ['a.res', true],
  ['a.cube', true],
  ['a.txt', false],
  ['cif', false]
])('%s can be shown: %s', (name, shown) => {
  expect(canBeShown(name)).toBe(shown);
});

test('a CIF is shown with the only .fcf beside it, and with none of several', () => {
  expect(sourceOf(file('a.cif'), dataset(file('a.cif'), file('a.fcf'))).fcf).toBe('f-a.fcf');
  expect(sourceOf(file('a.cif'), dataset(file('a.cif'), file('a.fcf'), file('b.fcf'))).fcf).toBeUndefined();
  expect(queryOf(sourceOf(file('a & b.cif')))).toBe('name=a+%26+b.cif&file=f-a+%26+b.cif');
});

test('the densities of a dataset are its cube files, by name', () => {
  const files = ['residual.cube', 'a.cif', 'deformation.CUBE', 'cube.txt', 'b.cub'].map(file);
  expect(densitiesOf(dataset(...files)).map(each => each.filename)).toEqual([
    'b.cub',
    'deformation.CUBE',
    'residual.cube'
  ]);
  expect(densitiesOf(undefined)).toEqual([]);
});

test('the last of several changes of one item counts, and each can be undone and done again', () => {
  const edits = new Edits();
  edits.add({ block: 'a', tag: '_Cell_length_a', value: '5' });
  edits.add({ block: 'a', tag: '_cell_length_a', value: '6' });
  edits.add({ block: 'a', tag: '_atom_site_label', row: 1, value: 'O1W' });
  expect(edits.list.map(each => each.value)).toEqual(['6', 'O1W']);
  edits.undo();
  edits.undo();
  expect(edits.valueOf('a', '_cell_length_a')).toBe('5');
  expect(edits.valueOf('b', '_cell_length_a')).toBeUndefined();
  edits.redo();
  expect(edits.valueOf('a', '_cell_length_a')).toBe('6');
  edits.add({ block: 'a', tag: '_cell_length_b', value: '7' });
  expect(edits.canRedo).toBe(false);
  edits.clear();
  expect(edits.list).toEqual([]);
});

test('a widget hears what its message changes and answers', async () => {
  const model = new LiveModel({ scene: 1 }, async () => ({
    state: { scene: 2 },
    messages: [{ re: 7, text: '1.02 Å' }]
  }));
  const [redrawn, received] = [vi.fn(), vi.fn()];
  model.on('change:scene', redrawn);
  model.on('msg:custom', received);
  await model.ask({ do: 'measure', id: 7 });
  expect(model.get('scene')).toBe(2);
  expect(redrawn).toHaveBeenCalledOnce();
  expect(received).toHaveBeenCalledWith({ re: 7, text: '1.02 Å' });
  model.off('msg:custom', received);
  await model.ask({ do: 'measure', id: 8 });
  expect(received).toHaveBeenCalledOnce();
});

test('a server that is gone is an answer, not silence', async () => {
  const model = new LiveModel({}, async () => {
    throw new Error('This view is no longer open on the server.');
  });
  const received = vi.fn();
  model.on('msg:custom', received);
  await model.ask({ do: 'table', id: 3 });
  expect(received).toHaveBeenCalledWith({ re: 3, error: 'This view is no longer open on the server.' });
});

test('a version is called by the first word that is free', () => {
  const azu = dataset(file('a.cif'));
  expect(versionWord(azu, [azu])).toBe('edited');
  expect(versionWord(azu, [azu, { name: 'azu (edited)' } as IDataset])).toBe('edited 2');
});

interface ICase {
  text: string;
  words: string;
  details: boolean;
}
const FAILURES = JSON.parse(
  readFileSync(new URL('../../qcrbox_kernel_lib/tests/display/failures.json', import.meta.url), 'utf8')
) as ICase[];

test.each(FAILURES)('a failure is read without paths and tracebacks: $text', ({ text, words, details }) => {
  expect(failureOf(text)).toEqual({ words, details: details ? text : '' });
});

function slowServer() {
  const waiting: { message: unknown; done(answer: { state: Record<string, unknown>; messages: unknown[] }): void }[] =
    [];
  const model = new LiveModel({ scene: 0 }, message => new Promise(done => waiting.push({ message, done })));
  return { model, waiting };
}

test('messages of a widget reach the server one after the other, so that no answer brings an older state back', async () => {
  const { model, waiting } = slowServer();
  const both = [model.ask({ do: 'set', n: 1 }), model.ask({ do: 'set', n: 2 })];
  await Promise.resolve();
  expect(waiting.map(each => each.message)).toEqual([{ do: 'set', n: 1 }]);
  waiting[0]?.done({ state: { scene: 1 }, messages: [] });
  await both[0];
  await Promise.resolve();
  waiting[1]?.done({ state: { scene: 2 }, messages: [] });
  await both[1];
  expect(model.get('scene')).toBe(2);
});

test('a message that fails keeps none that follow from being sent', async () => {
  const sent: unknown[] = [];
  const model = new LiveModel({}, async message => {
    sent.push(message);
    if (sent.length === 1) {
      throw new Error('Away.');
    }
    return { state: { scene: 2 }, messages: [] };
  });
  const heard: unknown[] = [];
  model.on('msg:custom', message => heard.push(message));
  await Promise.all([model.ask({ id: 1 }), model.ask({ id: 2 })]);
  expect([sent.length, heard, model.get('scene')]).toEqual([2, [{ re: 1, error: 'Away.' }], 2]);
});

test('a version of a dataset without a name is called by the file that was changed, past what is taken', () => {
  const files = Object.fromEntries(['a.hkl', 'b.cif'].map(name => [name, { filename: name, qcrbox_file_id: name }]));
  const nameless = { qcrbox_dataset_id: 'd', name: '', data_files: files } as never;
  expect(versionWord(nameless, [{ name: 'b.cif (edited)' }] as never, 'b.cif')).toBe('edited 2');
  expect(versionWord(nameless, [{ name: 'a.hkl (edited)' }] as never, 'b.cif')).toBe('edited');
});
