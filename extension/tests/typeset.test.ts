import { expect, test } from 'vitest';

import { figurePieces, type IPiece, quantityPieces, spaceGroupPieces } from '../src/typeset';

/** Italic as *x*, subscript as _x, a bar as ~x. */
const set = (pieces: IPiece[]) =>
  pieces.map(({ text, as }) => ({ plain: text, italic: `*${text}*`, sub: `_${text}`, bar: `~${text}` })[as]).join('');
const shown = (symbol: string) => set(spaceGroupPieces(symbol));

test.each([
  ['R1 [I > 2σ(I)]', '*R*1 [I > 2σ(I)]'],
  ['R1 (all)', '*R*1 (all)'],
  ['wR2', '*wR*2'],
  ['S', '*S*'],
  ['Rint', '*R*_int'],
  ['Mr', '*M*_r'],
  ['Z', '*Z*'],
  ['a / Å', '*a* / Å'],
  ['V / Å³', '*V* / Å³'],
  ['β / °', 'β / °'],
  ['θmax / °', 'θ_max / °'],
  ['Δρmin / e Å⁻³', 'Δρ_min / e Å⁻³'],
  ['Space group', 'Space group'],
  ['Restraints', 'Restraints'],
  ['angle', 'angle'],
  ['C1', 'C1']
])('in a table the quantity %s is set as %s', (name, expected) => {
  expect(set(quantityPieces(name))).toBe(expected);
});

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
])('%s is set as %s', (symbol, expected) => {
  expect(shown(symbol)).toBe(expected);
});

test('the letters of figures of merit are in italics', () => {
  expect(figurePieces('wR2')).toEqual([
    { text: 'wR', as: 'italic' },
    { text: '2', as: 'plain' }
  ]);
  expect(figurePieces('S')).toEqual([{ text: 'S', as: 'italic' }]);
  expect(figurePieces('max shift/s.u.')).toEqual([{ text: 'max shift/s.u.', as: 'plain' }]);
});
