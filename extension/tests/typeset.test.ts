import { expect, test } from 'vitest';

import { figurePieces, spaceGroupPieces } from '../src/typeset';

/** Italic as *x*, subscript as _x, a bar as ~x. */
const shown = (symbol: string) =>
  spaceGroupPieces(symbol)
    .map(({ text, as }) => ({ plain: text, italic: `*${text}*`, sub: `_${text}`, bar: `~${text}` })[as])
    .join('');

test.each([
  ['P 1 21/n 1', '*P*2_1/*n*'],
  ['P -1', '*P*~1'],
  ['P 1\u0305', '*P*~1'],
  ['P 1', '*P*1'],
  ['C 1 2/c 1', '*C*2/*c*'],
  ['P 21 21 21', '*P*2_12_12_1'],
  ['R -3 c', '*R*~3*c*'],
  ['F m -3 m', '*F**m*~3*m*'],
  ['P n a 21', '*P**n**a*2_1'],
  ['P 1 1 21/b', '*P*2_1/*b*'],
  ['not a group', 'not a group'],
  ['', '']
])('%s is set as %s', (symbol, set) => {
  expect(shown(symbol)).toBe(set);
});

test('the letters of figures of merit are in italics', () => {
  expect(figurePieces('wR2')).toEqual([
    { text: 'wR', as: 'italic' },
    { text: '2', as: 'plain' }
  ]);
  expect(figurePieces('S')).toEqual([{ text: 'S', as: 'italic' }]);
  expect(figurePieces('max shift/s.u.')).toEqual([{ text: 'max shift/s.u.', as: 'plain' }]);
});
