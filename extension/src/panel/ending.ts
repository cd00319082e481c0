import { FINAL, type ICalculation, type IEvent } from '../registry/types.js';

/** Shorter calculations are over before anybody looks away. */
const LONG_MS = 60_000;

/** Whether an event ends a calculation that somebody has waited long for. `known` is as it was before the event. */
export function isLongAwaitedEnd(known: ICalculation | undefined, event: IEvent, now: number): boolean {
  if (event.kind !== 'calculation' || !known || FINAL.has(known.status) || !event.status || !FINAL.has(event.status)) {
    return false;
  }
  return now - Date.parse(known.started_at ?? known.submitted_at ?? '') >= LONG_MS;
}
