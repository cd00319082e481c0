import type { TranslationBundle } from '@jupyterlab/translation';

import type { ICalculation } from '../registry/types';

/** "Queued: 14 before you, about 6 min. Your group may run 8 at once." */
export function queueWords(calculation: ICalculation, trans: TranslationBundle, now = Date.now()): string {
  const { queue } = calculation;
  if (calculation.status !== 'submitted' || !queue) {
    return '';
  }
  const before = typeof queue.place === 'number' ? Math.max(0, queue.place - 1) : undefined;
  const place =
    before === undefined ? '' : before === 0 ? trans.__('next') : trans._n('%1 before you', '%1 before you', before);
  const seconds = typeof queue.estimated_start === 'number' ? queue.estimated_start - now / 1000 : 0;
  const wait = seconds > 0 ? trans.__('about %1', length(seconds)) : '';
  const said = [place, wait].filter(Boolean).join(', ');
  const head = said ? trans.__('Queued: %1.', said) : trans.__('Queued.');
  return queue.reason ? `${head} ${queue.reason}` : head;
}

function length(seconds: number): string {
  return seconds < 90 ? `${Math.max(1, Math.round(seconds))} s` : `${Math.round(seconds / 60)} min`;
}
