import type { ICalculation } from '../registry/types';
import { FIGURE_WORDS } from './figure_words';

/** A figure of merit: its symbol, the value before the first cycle where it differs, and the value now. */
export interface IFigure {
  symbol: string;
  before: string;
  now: string;
}

const SHOWN = ['R1', 'wR2', 'S', 'max_shift_su'];

/** A reported figure in words: label and text. */
export function inWords(name: string, value: number): [label: string, text: string] {
  if (name === 'converged' || name === 'refined') {
    return [name, value ? 'yes' : 'no'];
  }
  // A program may call a figure as it likes, also "constructor", which every object has.
  const known = Object.hasOwn(FIGURE_WORDS, name) ? FIGURE_WORDS[name] : undefined;
  const [label, digits] = known ?? [name.replaceAll('_', ' '), undefined];
  const text = digits === undefined ? String(Number(value.toPrecision(4))) : value.toFixed(digits);
  // What is rounded to zero has no sign.
  return [label, text.replace('-', Number(text) === 0 ? '' : '\u2212')];
}

/** Figures of merit from the metrics of the first and the last cycle; others than these are for the log. */
export function figuresOf(calculation: ICalculation): IFigure[] {
  const { metrics = {}, history = [] } = calculation.progress ?? {};
  return SHOWN.flatMap(name => {
    // The last report of a program is on the whole; what belongs to a cycle is in the history.
    const now = metrics[name] ?? [...history].reverse().find(row => typeof row[name] === 'number')?.[name];
    if (typeof now !== 'number') {
      return [];
    }
    const first = history.find(row => typeof row[name] === 'number')?.[name];
    const [symbol, text] = inWords(name, now);
    const before = name === 'max_shift_su' || first === undefined ? '' : inWords(name, first)[1];
    return [{ symbol, before: before === text ? '' : before, now: text }];
  });
}

/** Whether the program says that it has not converged; a warning, not a failure. */
export function isUnconverged(calculation: ICalculation): boolean {
  const warned = (calculation.warnings ?? []).some(text => /not converged/i.test(text));
  return calculation.status === 'successful' && (warned || calculation.progress?.metrics?.['converged'] === 0);
}

/** Whether a finished calculation should be looked at before its result is trusted. */
export function isDoubtful(calculation: ICalculation): boolean {
  return calculation.status === 'successful' && (isUnconverged(calculation) || (calculation.warnings ?? []).length > 0);
}
