import { expect, test, vi } from 'vitest';

import { GuideModel } from '../src/guide/model';
import type { ICalculation, IDataset } from '../src/registry/types';

const parameters = {
  structure: { dtype: 'QCrBox.cif_data_file', required: true, takes: { endings: ['.cif'], atoms: true } },
  reflections: { dtype: 'QCrBox.data_file', companion: ['*.hkl'], takes: { endings: ['.hkl'], atoms: false } }
};
const application = { slug: 'refine', commands: [{ name: 'refine_iam', missing: '', parameters }] };
const dataset = (name: string, files: string[], more: object = {}, hasHkl = false) =>
  ({
    name,
    kind: 'data',
    read_only: false,
    data_files: Object.fromEntries(
      files.map(filename => [
        filename,
        {
          filename,
          qcrbox_file_id: `${name}/${filename}`,
          index: /cif$/.test(filename) ? { kind: 'structure', has_hkl: hasHkl } : null
        }
      ])
    ),
    ...more
  }) as unknown as IDataset;

function guide(datasets: IDataset[], submit = vi.fn(async () => 'c1')) {
  const calculations: ICalculation[] = [];
  const store = {
    applications: [application],
    datasets,
    client: { submit },
    calculationOf: (id: string) => calculations.find(each => each.calculation_id === id)
  };
  return { model: new GuideModel(store as never, () => 'key'), calculations, submit };
}

test('only structures with reflections are offered, own ones before examples, results not', () => {
  const { model } = guide([
    dataset('example', ['e.cif', 'e.hkl'], { read_only: true }),
    dataset('alone', ['a.cif']),
    dataset('embedded', ['b.cif'], {}, true),
    dataset('pair', ['c.cif', 'c.hkl']),
    dataset('result', ['d.cif', 'd.hkl'], { kind: 'output' })
  ]);
  expect(model.candidates.map(each => each.dataset.name)).toEqual(['embedded', 'pair', 'example']);
});

test('the steps follow each other to a judged result', async () => {
  const { model, calculations, submit } = guide([dataset('azu', ['a.cif', 'a.hkl'])]);
  expect(model.step).toBe('choose');
  model.choose('azu/a.cif');
  expect(model.step).toBe('look');
  model.look();
  expect(model.step).toBe('refine');
  await model.refine();
  expect(submit).toHaveBeenCalledWith(
    application,
    application.commands[0],
    { structure: { data_file_id: 'azu/a.cif' } },
    'key'
  );
  calculations.push({ calculation_id: 'c1', status: 'running' } as ICalculation);
  expect(model.step).toBe('refine');
  calculations[0] = { calculation_id: 'c1', status: 'successful' } as ICalculation;
  expect(model.step).toBe('judge');
  model.judge();
  expect(model.step).toBe('next');
});

test('another structure begins anew', async () => {
  const { model } = guide([dataset('azu', ['a.cif', 'a.hkl']), dataset('b', ['b.cif', 'b.hkl'])]);
  model.choose('azu/a.cif');
  model.look();
  await model.refine();
  model.choose('b/b.cif');
  expect([model.step, model.calculation]).toEqual(['look', '']);
});

test('a refusal is shown and the step stays', async () => {
  const refused = vi.fn(async () => {
    throw new Error('The queue is full.');
  });
  const { model } = guide([dataset('azu', ['a.cif', 'a.hkl'])], refused as never);
  model.choose('azu/a.cif');
  model.look();
  await model.refine();
  expect([model.step, model.problem, model.isSending]).toEqual(['refine', 'The queue is full.', false]);
});
