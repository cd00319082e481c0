import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IDataFile } from '../registry/types';
import type { ViewClient } from './client';
import { Structure } from './parts';
import { sourceOf } from './source';

interface IDensitiesProps {
  files: IDataFile[];
  views: ViewClient;
  trans: TranslationBundle;
}

/** One density at a time, as coloured surfaces around its atoms. */
export function Densities({ files, views, trans }: IDensitiesProps): JSX.Element {
  const [chosen, choose] = React.useState('');
  const file = files.find(each => each.qcrbox_file_id === chosen) ?? files[0];
  return (
    <>
      <label className="qcrbox-Density">
        {trans.__('Density')}{' '}
        <select value={file?.qcrbox_file_id} onChange={event => choose(event.target.value)}>
          {files.map(each => (
            <option key={each.qcrbox_file_id} value={each.qcrbox_file_id}>
              {each.filename}
            </option>
          ))}
        </select>
      </label>
      {file && (
        <Structure key={file.qcrbox_file_id} views={views} source={sourceOf(file)} density={false} trans={trans} />
      )}
    </>
  );
}
