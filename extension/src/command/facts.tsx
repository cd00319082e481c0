import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { CrystalFacts } from '../crystal_facts';
import type { IDataFile } from '../registry/types';

interface IProps {
  file: IDataFile;
  pictureUrl: string;
  trans: TranslationBundle;
}

/** What a crystallographer wants to see of a structure before it is used: its picture and its main facts. */
export function Facts({ file, pictureUrl, trans }: IProps): JSX.Element {
  const [isBroken, setBroken] = React.useState(false);
  React.useEffect(() => setBroken(false), [pictureUrl]);
  return (
    <aside className="qcrbox-Facts" aria-label={trans.__('The structure')}>
      {!isBroken && (
        <img
          src={pictureUrl}
          alt={trans.__('Displacement ellipsoids of %1', file.filename)}
          onError={() => setBroken(true)}
        />
      )}
      <CrystalFacts index={file.index ?? {}} filename={file.filename} trans={trans} />
    </aside>
  );
}
