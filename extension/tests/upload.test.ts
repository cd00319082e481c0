import { expect, test } from 'vitest';

import type { RegistryClient } from '../src/registry/client';
import { together, upload } from '../src/registry/upload';
import { wordsOf } from '../src/words_of';

const file = (name: string) => new File(['x'], name);

/** Stores everything but the files that are refused, with the error that is given for them. */
async function stored(names: string[], refused: Record<string, unknown> = {}) {
  const sent: string[] = [];
  const take = async (into: string, { name }: File) => {
    if (name in refused) {
      throw refused[name];
    }
    sent.push(`${into} ← ${name}`);
    return `of ${name}`;
  };
  const client = { newDataset: (each: File) => take('new', each), append: (id: string, each: File) => take(id, each) };
  const results = await upload(client as unknown as RegistryClient, names.map(file));
  return { sent, results };
}

test.each([
  [['a.hkl', 'a.cif'], [['a.cif', 'a.hkl']]],
  [['A.cif', 'a.HKL'], [['A.cif', 'a.HKL']]],
  [
    ['a.cif', 'b.cif'],
    [['a.cif'], ['b.cif']]
  ],
  [['x.fcf', 'x.res', 'x.hkl'], [['x.res', 'x.fcf', 'x.hkl']]],
  [
    ['a.b.cif', 'a.cif'],
    [['a.b.cif'], ['a.cif']]
  ],
  [['README'], [['README']]],
  [[], []]
])('of %j these belong together, the model first: %j', (names, groups) => {
  expect(together(names.map(file)).map(group => group.map(each => each.name))).toEqual(groups);
});

test('a model makes a dataset, its reflections go into it', async () => {
  const { sent, results } = await stored(['a.hkl', 'a.cif', 'b.cif']);
  expect(sent).toEqual(['new ← a.cif', 'of a.cif ← a.hkl', 'new ← b.cif']);
  expect(results.map(each => each.dataset)).toEqual(['of a.cif', 'of a.cif', 'of b.cif']);
});

test('a refused model keeps its reflections out, by name, and no other dataset', async () => {
  const { sent, results } = await stored(['a.hkl', 'a.cif', 'b.cif'], { 'a.cif': new Error('It is empty.') });
  expect(sent).toEqual(['new ← b.cif']);
  expect(results).toEqual([
    { name: 'a.cif', problem: 'It is empty.', without: '', dataset: '' },
    { name: 'a.hkl', problem: '', without: 'a.cif', dataset: '' },
    { name: 'b.cif', problem: '', without: '', dataset: 'of b.cif' }
  ]);
});

test('refused reflections leave their model stored, and the next file beside it is tried', async () => {
  const { sent, results } = await stored(['a.cif', 'a.hkl', 'a.fcf'], { 'a.hkl': new Error('Too large.') });
  expect(sent).toEqual(['new ← a.cif', 'of a.cif ← a.fcf']);
  expect(results.map(each => each.problem)).toEqual(['', 'Too large.', '']);
});

test.each([
  ['an error without words', new Error('')],
  ['an error of another page', Object.assign(new Error(), { name: 'TypeError' })],
  ['an empty text', ''],
  ['nothing', undefined]
])('a file that is refused by %s is never taken for stored', async (_, error) => {
  const { results } = await stored(['a.cif'], { 'a.cif': error });
  expect(results[0]?.problem).not.toBe('');
  expect(results[0]?.dataset).toBe('');
});

test.each([
  [new Error('no cell'), 'no cell'],
  [new TypeError(''), 'TypeError'],
  [new TypeError('Failed to fetch'), 'Your server does not answer.'],
  [new TypeError('NetworkError when attempting to fetch resource.'), 'Your server does not answer.'],
  ['plain', 'plain'],
  ['', 'Error'],
  [null, 'null'],
  [{ toString: (): string => 'odd' }, 'odd']
])('%o is said as %j', (thrown, words) => {
  expect(wordsOf(thrown)).toBe(words);
});
