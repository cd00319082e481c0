import type { TranslationBundle } from '@jupyterlab/translation';

import { timeOf } from '../titles';

import type { IExercise, ITask, TaskState } from './types';

/** Each state by its shape; the word and the colour stand beside it. */
export const SHAPES: Record<TaskState, string> = {
  not_begun: '○',
  running: '◐',
  done: '●',
  handed_in: '◆',
  out_of_band: '▲',
  failed: '✕',
  stuck: '■'
};

export function stateWord(state: TaskState, trans: TranslationBundle): string {
  const words: Record<TaskState, string> = {
    not_begun: trans.__('not begun'),
    running: trans.__('running'),
    done: trans.__('done'),
    handed_in: trans.__('handed in'),
    out_of_band: trans.__('not in the target band'),
    failed: trans.__('failed'),
    // A student is told what to do, not that they are stuck.
    stuck: trans.__('not done yet')
  };
  return words[state];
}

/** What a figure is called; a newer registry may have figures of its own. */
function quantityWords(quantity: string, trans: TranslationBundle): string {
  const words: Record<string, string> = {
    r1: 'R1',
    wr2: 'wR2',
    goof: trans.__('Goodness of fit'),
    residual_max: trans.__('Highest residual density (e/Å³)'),
    residual_min: trans.__('Lowest residual density (e/Å³)'),
    volume: trans.__('Cell volume (Å³)'),
    z: 'Z',
    temperature_k: trans.__('Temperature (K)')
  };
  return words[quantity] ?? quantity;
}

/** The target of a calculation, such as "R1 at most 0.05"; empty without one. */
export function bandWords(task: ITask, trans: TranslationBundle): string {
  const { band } = task;
  if (!band) {
    return '';
  }
  const name = quantityWords(task.quantity, trans);
  const { low, high } = band;
  if (low === null || low === undefined) {
    return trans.__('%1 at most %2', name, String(high));
  }
  return high === null || high === undefined
    ? trans.__('%1 at least %2', name, String(low))
    : trans.__('%1 from %2 to %3', name, String(low), String(high));
}

/** The moment that `dueWords` speaks of, in ISO 8601. */
export function dueMoment(exercise: IExercise): string | undefined {
  return (exercise.phase === 'not_open' ? exercise.opens_at : exercise.own_due_at) ?? undefined;
}

/** When the work is due, and whether it still counts as in time. */
export function dueWords(exercise: IExercise, trans: TranslationBundle): string {
  const due = timeOf(exercise.own_due_at);
  switch (exercise.phase) {
    case 'not_open':
      return trans.__('opens %1', timeOf(exercise.opens_at));
    case 'late':
      return trans.__('was due %1; late work is accepted', due);
    case 'closed':
      if (exercise.may_try) {
        return trans.__('closed for students');
      }
      return trans.__('closed; your work was collected');
    default:
      return due ? trans.__('due %1', due) : '';
  }
}
