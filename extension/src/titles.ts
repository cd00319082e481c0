import type { ICalculation, IDataset } from './registry/types';

/** The reader's clock: the time today, the day and the time otherwise. In 24 hours, as titles have it in notebooks. */
export function timeOf(iso: string | null | undefined, now = new Date()): string {
  const at = new Date(iso ?? '');
  if (Number.isNaN(at.getTime())) {
    return '';
  }
  const time = at.toLocaleTimeString(undefined, {
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23'
  });
  return at.toDateString() === now.toDateString() ? time : `${at.toLocaleDateString()} ${time}`;
}

/** The words of a title, and the moment that stands behind them. */
export interface ITitle {
  words: string;
  at?: string | null;
}

/** The registry's title and when it ended. A given name stands alone. */
export function calculationTitleParts(calculation: ICalculation): ITitle {
  const words = calculation.title || calculation.name || calculation.command_name;
  return calculation.name ? { words } : { words, at: calculation.finished_at ?? calculation.submitted_at };
}

/** The name of a dataset; of a result without a given name, its title and when it was stored. */
export function datasetTitleParts(dataset: IDataset, calculations: ICalculation[] = []): ITitle {
  const words = dataset.name || Object.keys(dataset.data_files)[0] || dataset.qcrbox_dataset_id;
  // A registry that does not say it is older than this page.
  if (!dataset.calculation_id || dataset.named === true) {
    return { words };
  }
  const known = calculations.find(each => each.calculation_id === dataset.calculation_id);
  return known ? calculationTitleParts(known) : { words, at: dataset.created_at };
}

/** As one text, for names of tabs and options: "thpp · IAM refinement · R1 0.0412 · 18:24". */
export function calculationTitle(calculation: ICalculation, now = new Date()): string {
  return joined(calculationTitleParts(calculation), now);
}

export function datasetTitle(dataset: IDataset, calculations: ICalculation[] = [], now = new Date()): string {
  return joined(datasetTitleParts(dataset, calculations), now);
}

function joined({ words, at }: ITitle, now: Date): string {
  const when = timeOf(at, now);
  return when ? `${words} · ${when}` : words;
}
