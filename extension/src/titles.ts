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

/** The registry's title and when it ended: "thpp · IAM refinement · R1 0.0412 · 18:24". A given name stands alone. */
export function calculationTitle(calculation: ICalculation, now = new Date()): string {
  const title = calculation.title || calculation.name || calculation.command_name;
  return calculation.name ? title : joined(title, timeOf(calculation.finished_at ?? calculation.submitted_at, now));
}

/** The name of a dataset; of a result that nobody named, its title and when it was stored. */
export function datasetTitle(dataset: IDataset, calculations: ICalculation[] = [], now = new Date()): string {
  const name = dataset.name || Object.keys(dataset.data_files)[0] || dataset.qcrbox_dataset_id;
  // A registry that does not say it is older than this page.
  if (!dataset.calculation_id || dataset.named === true) {
    return name;
  }
  const known = calculations.find(each => each.calculation_id === dataset.calculation_id);
  return known ? calculationTitle(known, now) : joined(name, timeOf(dataset.created_at, now));
}

function joined(title: string, when: string): string {
  return when ? `${title} · ${when}` : title;
}
