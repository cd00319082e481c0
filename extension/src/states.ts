import type { TranslationBundle } from '@jupyterlab/translation';

import type { State } from './registry/types';

/** A state is never shown by colour alone: a sign and a word say the same. */
export const SIGNS: Record<State, string> = {
  submitted: '◷',
  running: '◌',
  successful: '✓',
  failed: '✗',
  cancelled: '⊘',
  unknown: '?'
};

export function word(state: State, step: string | undefined, trans: TranslationBundle): string {
  const steps: Record<string, string> = {
    queued: trans.__('queued'),
    starting: trans.__('starting'),
    fetching: trans.__('fetching files'),
    converting: trans.__('converting'),
    preparing: trans.__('preparing'),
    running: trans.__('running'),
    open: trans.__('open'),
    finalising: trans.__('finalising'),
    uploading: trans.__('storing results'),
    cancelling: trans.__('cancelling')
  };
  const states: Record<State, string> = {
    submitted: trans.__('queued'),
    running: trans.__('running'),
    successful: trans.__('done'),
    failed: trans.__('failed'),
    cancelled: trans.__('cancelled'),
    unknown: trans.__('unknown')
  };
  const moving = state === 'submitted' || state === 'running';
  return (moving && step && steps[step]) || states[state] || state;
}
