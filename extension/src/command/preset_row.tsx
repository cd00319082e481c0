import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { CommandModel } from './model';

interface IProps {
  model: CommandModel;
  actions: { savePreset(model: CommandModel): void; deletePreset(model: CommandModel): void };
  id: string;
  trans: TranslationBundle;
}

/** Chooses, keeps and deletes named sets of options; files stay as they are. */
export function PresetRow({ model, actions, id, trans }: IProps): JSX.Element {
  const names = Object.keys(model.presets);
  return (
    <div className="qcrbox-CommandForm-presets" role="group" aria-label={trans.__('Presets')}>
      <label htmlFor={id}>{trans.__('Preset')}</label>
      <select id={id} value={model.preset} onChange={event => model.usePreset(event.target.value)}>
        <option value="">{names.length ? trans.__('defaults') : trans.__('defaults (none kept yet)')}</option>
        {names.map(name => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
      <button
        type="button"
        className="qcrbox-small"
        title={trans.__('Keep the options as they are now under a name, for this command and any structure.')}
        onClick={() => actions.savePreset(model)}
      >
        {trans.__('Keep as preset …')}
      </button>
      {model.preset && (
        <button type="button" className="qcrbox-small" onClick={() => actions.deletePreset(model)}>
          {trans.__('Delete the preset')}
        </button>
      )}
    </div>
  );
}
