import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { RegistryStore } from '../registry/store';
import type { ICalculation } from '../registry/types';
import { Failure } from './failure';

export interface IEstimateProps {
  id: string;
  store: Pick<RegistryStore, 'calculations'>;
  trans: TranslationBundle;
}

/** What a run would cost, or why it would be refused, from the calculation that found it out. */
export function Estimate({ id, store, trans }: IEstimateProps): JSX.Element {
  const calculation = store.calculations.find(each => each.calculation_id === id);
  if (calculation?.status === 'failed') {
    const { error_msg, status } = calculation;
    return <Failure text={error_msg || ' '} status={status} lead={trans.__('A run would be refused:')} trans={trans} />;
  }
  return <p role="status">{estimateText(calculation, trans)}</p>;
}

/** The estimate in words; what it waits for until it is there. */
export function estimateText(calculation: ICalculation | undefined, trans: TranslationBundle): string {
  // A program may begin with the word itself.
  const text = (calculation?.progress?.text ?? '').replace(/^estimate:\s*/i, '');
  if (calculation?.status === 'successful') {
    return trans.__('Estimate: %1', text);
  }
  if (calculation?.status === 'cancelled') {
    return trans.__('The estimate was cancelled.');
  }
  return text ? trans.__('Estimating: %1', text) : trans.__('Estimating …');
}
