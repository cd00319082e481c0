import * as React from 'react';

/** A piece of a symbol: upright, italic, subscript, or with a bar above. */
export interface IPiece {
  text: string;
  as: 'plain' | 'italic' | 'sub' | 'bar';
}

/** A Hermann–Mauguin symbol in pieces: "P 1 21/n 1" is P2₁/n, "P -1" has a bar. What is no symbol stays as it is. */
export function spaceGroupPieces(symbol: string): IPiece[] {
  // Some texts carry the bar as a combining character behind its number.
  const words = symbol
    .trim()
    .replace(/(\d)\u0305/g, '-$1')
    .split(/\s+/);
  if (!/^[PABCIFRHp]$/.test(words[0] ?? '') || !words.slice(1).every(word => /^[-0-9abcdemn/:]+$/i.test(word))) {
    return [{ text: symbol, as: 'plain' }];
  }
  // The unique axis of the monoclinic system goes without saying.
  const [, first, second, third] = words;
  const isMonoclinic = words.length === 4 && [first, second, third].filter(word => word === '1').length === 2;
  const shown = isMonoclinic ? [words[0] ?? '', ...words.slice(1).filter(word => word !== '1')] : words;
  return shown.flatMap(
    (word, number) => (number === 0 ? [{ text: word, as: 'italic' }] : wordPieces(word)) as IPiece[]
  );
}

function wordPieces(word: string): IPiece[] {
  const pieces: IPiece[] = [];
  for (const [part] of word.matchAll(/-\d|\d\d|\d|[a-z]+|\D/gi)) {
    if (/^-\d$/.test(part)) {
      pieces.push({ text: part.slice(1), as: 'bar' });
    } else if (/^\d\d$/.test(part)) {
      pieces.push({ text: part.charAt(0), as: 'plain' }, { text: part.charAt(1), as: 'sub' });
    } else {
      pieces.push({ text: part, as: /^[a-z]/i.test(part) ? 'italic' : 'plain' });
    }
  }
  return pieces;
}

/** A figure of merit: the letters in italics. */
export function figurePieces(symbol: string): IPiece[] {
  const found = /^(w?R|S)(\d?)$/.exec(symbol);
  if (!found) {
    return [{ text: symbol, as: 'plain' }];
  }
  const [, letters = '', digit = ''] = found;
  return [{ text: letters, as: 'italic' }, ...(digit ? [{ text: digit, as: 'plain' } as IPiece] : [])];
}

/** The name of a quantity as tables have it: its symbol as in print, then what follows: `R1 [I > 2σ(I)]`, `θmax / °`. */
export function quantityPieces(name: string): IPiece[] {
  const [symbol = ''] = name.split(' ', 1);
  const found = /^(?:(w?R)(1|2|int)|(M)(r)|([abcVZSαβγµ])|(θ|Δρ)(max|min))$/.exec(symbol);
  if (!found) {
    return [{ text: name, as: 'plain' }];
  }
  const [letters = '', index = ''] = found.slice(1).filter(part => part !== undefined);
  const pieces: IPiece[] = [
    { text: letters, as: /[a-z]/i.test(letters) ? 'italic' : 'plain' },
    { text: index, as: /\d/.test(index) ? 'plain' : 'sub' },
    { text: name.slice(symbol.length), as: 'plain' }
  ];
  return pieces.filter(({ text }) => text);
}

function Pieces({ pieces, label }: { pieces: IPiece[]; label: string }): JSX.Element {
  return (
    <span title={label}>
      {pieces.map(({ text, as }, number) =>
        as === 'italic' ? (
          <i key={number}>{text}</i>
        ) : as === 'sub' ? (
          <sub key={number}>{text}</sub>
        ) : as === 'bar' ? (
          <span key={number} className="qcrbox-Bar" aria-label={`minus ${text}`}>
            {text}
          </span>
        ) : (
          <React.Fragment key={number}>{text}</React.Fragment>
        )
      )}
    </span>
  );
}

export function SpaceGroup({ symbol }: { symbol: string }): JSX.Element {
  return <Pieces pieces={spaceGroupPieces(symbol)} label={symbol} />;
}

export function Quantity({ name }: { name: string }): JSX.Element {
  return <Pieces pieces={quantityPieces(name)} label={name} />;
}

export function Figure({ symbol }: { symbol: string }): JSX.Element {
  return <Pieces pieces={figurePieces(symbol)} label={symbol} />;
}
