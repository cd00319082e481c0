import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IOffer } from '../offers';
import type { RegistryStore } from '../registry/store';
import { FINAL, type ICalculation } from '../registry/types';

type Store = Pick<RegistryStore, 'applications' | 'calculations' | 'datasetOf' | 'me'>;

/** The command of a calculation as it is registered now, in the same version where there is one. */
export function commandOf(calculation: ICalculation, applications: RegistryStore['applications']): IOffer | undefined {
  const offers = applications
    .filter(each => each.slug === calculation.application_slug)
    .flatMap(application =>
      application.commands
        .filter(command => command.name === calculation.command_name)
        .map(command => ({ application, command }))
    );
  return offers.find(each => each.application.version === calculation.application_version) ?? offers[0];
}

/** Whether the same call would continue from what this calculation has kept: the registry's rule in kept_checkpoints.py. */
export function continues(calculation: ICalculation, store: Store): boolean {
  const name = commandOf(calculation, store.applications)?.command.checkpoint;
  const isMine = !store.me || calculation.owner === store.me.name;
  const isKept = Boolean(name) && Object.keys(store.datasetOf(calculation)?.data_files ?? {}).includes(name ?? '');
  return isMine && isKept && !store.calculations.some(each => hasSucceededSince(each, calculation));
}

function hasSucceededSince(other: ICalculation, calculation: ICalculation): boolean {
  const call = ({ owner, application_slug, application_version, command_name, command_arguments }: ICalculation) =>
    JSON.stringify([owner, application_slug, application_version, command_name, sorted(command_arguments)]);
  return (
    other.status === 'successful' &&
    (other.submitted_at ?? '') > (calculation.submitted_at ?? '') &&
    call(other) === call(calculation)
  );
}

function sorted(given: Record<string, unknown> | undefined): [string, unknown][] {
  return Object.entries(given ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
}

interface IProps {
  calculation: ICalculation;
  store: Store;
  repeat(calculation: ICalculation): void;
  trans: TranslationBundle;
}

/** The same call once more, of a calculation that failed, was cancelled or ran out of time; says where it begins. */
export function RunAgain({ calculation, store, repeat, trans }: IProps): JSX.Element | null {
  const hasResult = calculation.status === 'successful' || !FINAL.has(calculation.status);
  const offer = commandOf(calculation, store.applications);
  // A program with a window is opened from its own form.
  if (hasResult || calculation.interactive || !offer) {
    return null;
  }
  const { missing } = offer.command;
  const isContinued = continues(calculation, store);
  const meaning = isContinued
    ? trans.__('The same call again, as a new calculation. It continues from the checkpoint that this one has kept.')
    : trans.__('The same call again, as a new calculation, from the beginning.');
  return (
    <button
      className="qcrbox-small"
      disabled={Boolean(missing)}
      title={missing || meaning}
      onClick={() => repeat(calculation)}
    >
      {isContinued ? trans.__('Run again from the checkpoint') : trans.__('Run again from the beginning')}
    </button>
  );
}
