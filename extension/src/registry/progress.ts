import type { ICalculation, IEvent, IProgress } from './types';

/**
 * Progress after an event. A line of the log is no progress: it comes with a text of its own, and would take the
 * fraction and the figures away. What an event does not speak of stays as it was.
 */
export function progressAfter(known: ICalculation, event: IEvent): IProgress | null | undefined {
  if (event.kind !== 'progress') {
    return known.progress;
  }
  const { fraction, text, metrics, history } = known.progress ?? {};
  return {
    fraction: event.fraction ?? fraction,
    text: event.text ?? text,
    metrics: event.metrics ?? metrics,
    history: event.metrics ? [...(history ?? []), event.metrics] : history
  };
}
