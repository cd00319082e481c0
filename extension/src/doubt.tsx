import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { isDoubtful } from './command/figures';
import type { ICalculation, IDataset } from './registry/types';

/** Before the name of a result that should be looked at first: where a text cannot have a colour. */
export const DOUBT = '⚠';

/** Whether a dataset is a result with warnings, or one that has not converged. */
export function isDoubtfulDataset(dataset: IDataset, calculations: ICalculation[] = []): boolean {
  const made = calculations.find(each => each.calculation_id === dataset.calculation_id);
  return made ? isDoubtful(made) : dataset.doubtful === true;
}

/** The amber sign of such a result. */
export function Doubt({ trans }: { trans: TranslationBundle }): JSX.Element {
  const words = trans.__('with warnings, or not converged');
  return (
    <span className="qcrbox-State qcrbox-Doubt" data-doubtful="" title={words}>
      <span className="qcrbox-State-sign" role="img" aria-label={words}>
        {DOUBT}
      </span>
    </span>
  );
}
