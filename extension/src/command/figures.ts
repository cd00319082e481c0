import type { ICalculation } from '../registry/types';

/** A figure of merit: its symbol, the value before the first cycle where it differs, and the value now. */
export interface IFigure {
  symbol: string;
  before: string;
  now: string;
}

const SHOWN: [string, string, number][] = [
  ['R1', 'R1', 4],
  ['wR2', 'wR2', 4],
  ['S', 'S', 4],
  ['max_shift_su', 'max shift/s.u.', 3]
];

/** Figures of merit from the metrics of the first and the last cycle; others than these are for the log. */
export function figuresOf(calculation: ICalculation): IFigure[] {
  const { metrics = {}, history = [] } = calculation.progress ?? {};
  return SHOWN.flatMap(([name, symbol, digits]) => {
    const now = metrics[name];
    if (typeof now !== 'number') {
      return [];
    }
    const first = history.find(row => typeof row[name] === 'number')?.[name];
    const text = now.toFixed(digits);
    const before = name === 'max_shift_su' || first === undefined ? '' : first.toFixed(digits);
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
