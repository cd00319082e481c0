import { expect, test } from 'vitest';

import { localise } from '../src/local_moments';
import { datasetCode } from '../src/notebook/code';
import type { ICalculation, IDataset } from '../src/registry/types';
import { calculationTitle, datasetTitle, timeOf } from '../src/titles';

const NOW = new Date('2026-11-29T20:00:00');
const calculation = (more: Partial<ICalculation>) =>
  ({
    calculation_id: 'c1',
    title: 'thpp · IAM refinement · R1 0.0412',
    name: '',
    finished_at: '2026-11-29T18:24:00',
    ...more
  }) as ICalculation;
const dataset = (more: Partial<IDataset>) =>
  ({ qcrbox_dataset_id: 'd1', name: 'azu', data_files: {}, ...more }) as IDataset;

test('an automatic title has the time of the end, on another day the day too', () => {
  expect(calculationTitle(calculation({}), NOW)).toBe(
    'thpp · IAM refinement · R1 0.0412 · 18:24' // as the notebook has it
  );
  const earlier = calculationTitle(calculation({ finished_at: '2026-11-20T18:24:00' }), NOW);
  expect(earlier).toContain(new Date('2026-11-20T18:24:00').toLocaleDateString());
});

test('a name that a person gave stands alone', () => {
  expect(calculationTitle(calculation({ name: 'best', title: 'best' }), NOW)).toBe('best');
});

test('a result is called in the store as its calculation is in the panel', () => {
  const output = dataset({ name: 'thpp · IAM refinement · R1 0.0412', calculation_id: 'c1' });
  expect(datasetTitle(output, [calculation({})], NOW)).toBe(calculationTitle(calculation({}), NOW));
  expect(datasetTitle(dataset({}), [], NOW)).toBe('azu');
  // Also where the calculation is not known: in the store, and to those it is shared with.
  expect(datasetTitle(dataset({ name: 'best model', calculation_id: 'c1', named: true }), [], NOW)).toBe('best model');
});

test('no time is better than a wrong one', () => {
  expect(timeOf(undefined)).toBe('');
  expect(timeOf('yesterday')).toBe('');
});

test('code names one of several datasets of one name by its id', () => {
  const twins = [dataset({}), dataset({ qcrbox_dataset_id: 'd2' })];
  expect(datasetCode(twins[1] as IDataset, twins)).toContain('qc["d2"]');
  expect(datasetCode(dataset({}), [dataset({})])).toContain('qc["azu"]');
});

test('a moment of an output is written on the clock of the reader; what is no moment stays as the kernel wrote it', () => {
  const moment = (iso: string) => ({ textContent: '2026-11-20 01:02', getAttribute: () => iso });
  const [right, wrong] = [moment('2026-11-20T18:24:00Z'), moment('soon')];
  localise({ querySelectorAll: () => [right, wrong] } as unknown as ParentNode);
  expect(right?.textContent).toBe(timeOf('2026-11-20T18:24:00Z'));
  expect(wrong?.textContent).toBe('2026-11-20 01:02');
});
