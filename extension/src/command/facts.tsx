import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IDataFile } from '../registry/types';
import { Figure, SpaceGroup } from '../typeset';

interface IProps {
  file: IDataFile;
  pictureUrl: string;
  trans: TranslationBundle;
}

/** What a crystallographer wants to see of a structure before it is used: its picture and its main facts. */
export function Facts({ file, pictureUrl, trans }: IProps): JSX.Element {
  const [isBroken, setBroken] = React.useState(false);
  React.useEffect(() => setBroken(false), [pictureUrl]);
  const index = file.index ?? {};
  const rows: [React.ReactNode, React.ReactNode][] = [
    [trans.__('File'), file.filename],
    [trans.__('Formula'), index.formula_moiety || index.formula_sum || ''],
    [trans.__('Space group'), index.space_group_hm && <SpaceGroup symbol={index.space_group_hm} />],
    [trans.__('Temperature'), index.temperature_k ? `${index.temperature_k} K` : ''],
    [<Figure symbol="R1" />, typeof index.r1 === 'number' ? index.r1.toFixed(4) : ''],
    [trans.__('Reflections'), index.has_hkl ? trans.__('in the CIF') : '']
  ];
  return (
    <aside className="qcrbox-Facts" aria-label={trans.__('The structure')}>
      {!isBroken && (
        <img
          src={pictureUrl}
          alt={trans.__('Displacement ellipsoids of %1', file.filename)}
          onError={() => setBroken(true)}
        />
      )}
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
    </aside>
  );
}
