import * as React from 'react';

import type { RegistryStore } from '../registry/store';
import type { ICalculation } from '../registry/types';
import { wordsOf } from '../words_of';

/** The program's output, read again whenever the calculation moved on; no text before the first answer. */
export function useLog(calculation: ICalculation, store: RegistryStore): { text?: string; problem: string } {
  const [found, setFound] = React.useState<{ text?: string; problem: string }>({ problem: '' });
  const id = calculation.calculation_id;
  const moved = `${calculation.status}/${calculation.step}/${calculation.status_events.length}/${calculation.heard ?? 0}`;
  React.useEffect(() => {
    let current = true;
    store.client
      .calculation(id)
      .then(whole => current && setFound({ text: whole ? tail(whole) : '', problem: '' }))
      // What was read stays: a registry that is away for a moment takes no log from the screen.
      .catch((error: unknown) => current && setFound(known => ({ ...known, problem: wordsOf(error) })));
    return () => {
      current = false;
    };
  }, [id, moved]);
  return found;
}

function tail(calculation: ICalculation): string {
  const last = calculation.status_events[calculation.status_events.length - 1];
  const text = [last?.stdout, last?.stderr].filter(Boolean).join('\n');
  // Escape sequences colour a terminal; here they would be noise.
  // eslint-disable-next-line no-control-regex
  const plain = text.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, '');
  return plain.trim();
}
