import { expect, test } from 'vitest';

import { calculationCode, commandCode, datasetCode, pythonName, withoutSecondImport } from '../src/notebook/code';
import type { IApplication, ICommand, IDataset } from '../src/registry/types';

// As `identifier` of qcrbox.contract.python_names gives them: a form and a notebook name one thing alike.
test.each([
  ['refine', 'refine'],
  ['crysalis-pro', 'crysalis_pro'],
  ['3ded', '_3ded'],
  ['', '_'],
  ['import', 'import_'],
  ['lambda', 'lambda_'],
  ['None', 'None_'],
  ['match', 'match'],
  ['a.b c', 'a_b_c'],
  ['größe', 'größe'],
  ['__import__("os")', '__import____os__']
])('%j is called %s in Python', (slug, name) => {
  expect(pythonName(slug)).toBe(name);
});

const application = { slug: 'refine' } as IApplication;
const command = (parameters: object, name = 'refine_iam') => ({ name, parameters }) as unknown as ICommand;
const cif = { dtype: 'QCrBox.cif_data_file', required: true };
const line = (given: ICommand, dataset?: object) =>
  commandCode(application, given, dataset as IDataset)
    .split('\n')[2]
    ?.replace('calculation = qc.', '');

test.each([
  [{ structure: cif }, 'refine.refine_iam(qc["…"])'],
  [{ structure: cif, cycles: { dtype: 'int', required: true, default_value: 10 } }, 'refine.refine_iam(qc["…"])'],
  [{ structure: cif, cycles: { dtype: 'int', required: true } }, 'refine.refine_iam(qc["…"], cycles=…)'],
  [{ structure: cif, flag: { dtype: 'bool', required: true, default_value: false } }, 'refine.refine_iam(qc["…"])'],
  [{ structure: cif, hkl: { dtype: 'QCrBox.data_file', required: true } }, 'refine.refine_iam(qc["…"], hkl=…)'],
  [{ out: { dtype: 'QCrBox.output_cif', required: true } }, 'refine.refine_iam()'],
  [{}, 'refine.refine_iam()']
])('of the parameters %j those that are needed are named', (parameters, code) => {
  expect(line(command(parameters))).toBe(code);
});

test.each([
  ['own data by its name', { name: 'azu', qcrbox_dataset_id: 'd1' }, 'qc["azu"]'],
  ['an example as one', { name: 'azu', qcrbox_dataset_id: 'd1', read_only: true }, 'qc.examples["azu"]'],
  ['data without a name by their id', { name: '', qcrbox_dataset_id: 'd1' }, 'qc["d1"]'],
  [
    'a hostile name as a text',
    { name: 'a"]; import os\n#\\', qcrbox_dataset_id: 'd1' },
    'qc["a\\"]; import os\\n#\\\\"]'
  ]
])('a command on %s', (_, dataset, source) => {
  expect(line(command({ structure: cif }), dataset)).toBe(`refine.refine_iam(${source})`);
});

test('an application whose name is a word of Python can be called', () => {
  expect(commandCode({ slug: 'global' } as IApplication, command({}, 'pass'))).toContain('qc.global_.pass_()');
});

test('a result is read by its id, as a text', () => {
  expect(calculationCode('c"1')).toBe('import qcrbox as qc\n\nresult = qc.calculations["c\\"1"].result()\nresult');
});

test.each([
  [['import qcrbox as qc'], 's = 1'],
  [['# import\nimport qcrbox as qc\nx'], 's = 1'],
  [['import qcrbox as qc2'], 'import qcrbox as qc\n\ns = 1'],
  [['print("import qcrbox as qc")'], 'import qcrbox as qc\n\ns = 1'],
  [[], 'import qcrbox as qc\n\ns = 1']
])('beside the cells %j the code is %j', (cells, code) => {
  expect(withoutSecondImport('import qcrbox as qc\n\ns = 1', cells)).toBe(code);
});

test('code without an import stays as it is', () => {
  expect(withoutSecondImport('print(1)', ['import qcrbox as qc'])).toBe('print(1)');
});

test('two datasets of one name are told apart by their ids; an example does not make a name ambiguous', () => {
  const one = { name: 'azu', qcrbox_dataset_id: 'd1' } as IDataset;
  const two = { name: 'azu', qcrbox_dataset_id: 'd2' } as IDataset;
  const example = { name: 'azu', qcrbox_dataset_id: 'd3', read_only: true } as IDataset;
  expect(datasetCode(one, [one, two])).toContain('qc["d1"]');
  expect(datasetCode(one, [one, example])).toContain('qc["azu"]');
});
