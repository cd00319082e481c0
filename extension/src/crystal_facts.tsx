import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { cellWords } from './cell_words';
import type { ICifIndex } from './registry/types';
import { Figure, SpaceGroup } from './typeset';

interface IProps {
  index: ICifIndex;
  trans: TranslationBundle;
  /** Shown first, where the facts stand alone. */
  filename?: string;
}

/** The main facts of a structure, as far as the registry read them from its CIF. */
export function CrystalFacts({ index, trans, filename }: IProps): JSX.Element {
  const { a, b, c, alpha, beta, gamma, cell_text = [] } = index;
  const cell = [a, b, c, alpha, beta, gamma].map(each => each ?? null);
  const rows: [React.ReactNode, React.ReactNode][] = [
    [trans.__('File'), filename],
    [trans.__('Formula'), index.formula_moiety || index.formula_sum || ''],
    [trans.__('Space group'), index.space_group_hm && <SpaceGroup symbol={index.space_group_hm} />],
    [trans.__('Cell'), cellWords({ cell, cell_text })],
    [trans.__('Temperature'), index.temperature_k ? `${index.temperature_k} K` : ''],
    [<Figure symbol="R1" />, typeof index.r1 === 'number' ? index.r1.toFixed(4) : ''],
    [trans.__('In the CIF'), [index.has_hkl && 'hkl', index.has_res && 'res'].filter(Boolean).join(', ')],
    ...(index.warnings ?? []).map((warning): [string, string] => ['⚠', warning])
  ];
  return (
    <dl>
      {rows
        .filter(([, value]) => value)
        .map(([name, value], number) => (
          <React.Fragment key={number}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </React.Fragment>
        ))}
    </dl>
  );
}
