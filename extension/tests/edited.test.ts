import { expect, test } from 'vitest';

import { editedRefinement } from '../src/command/edited';
import type { IApplication, ICalculation, IDataFile, IDataset } from '../src/registry/types';
import { argumentsOf } from '../src/session/arguments';
import { reflectionsBeside } from '../src/viewer/source';

const trans = {
  __: (text: string, ...values: unknown[]) => text.replace(/%(\d)/g, (_, k) => String(values[Number(k) - 1]))
} as never;
const file = (filename: string) => ({ filename, qcrbox_file_id: `f-${filename}` }) as IDataFile;
const dataset = (...names: string[]) =>
  ({
    qcrbox_dataset_id: 'd',
    data_files: Object.fromEntries(names.map(name => [name, file(name)]))
  }) as unknown as IDataset;
const text = { dtype: 'str', required: false };
const input = { dtype: 'QCrBox.cif_data_file', required: true };
const table = { dtype: 'QCrBox.data_file', required: true };
const command = (name: string, parameters: object) => ({ name, parameters });
const how = { edits: text, weighting: text, adp: text, hydrogens: text, cycles: { dtype: 'int', required: false } };
const output = { dtype: 'QCrBox.output_cif' };
const applications = [
  {
    slug: 'refine',
    commands: [
      command('refine_iam', { structure: input, ...how, refined: output }),
      command('refine_shelx', { instructions: table, reflections: table, ...how }),
      command('refine_tsc', { structure: input, table, ...how })
    ]
  },
  { slug: 'har', commands: [command('refine_har', { structure: input, basis: text, ...how })] },
  { slug: 'qcrboxtools', commands: [command('convert', { structure: input })] }
] as unknown as IApplication[];
const made = (application_slug: string, command_name: string, command_arguments: object) =>
  ({ application_slug, command_name, command_arguments }) as unknown as ICalculation;
const next = (name: string, calculation?: ICalculation, ...beside: string[]) => {
  const found = editedRefinement(file(name), dataset(name, ...beside), 'iso C1', applications, calculation, trans);
  return {
    name: `${found.application.slug}.${found.command.name}`,
    arguments: argumentsOf(found.command, found.values)
  };
};
const structure = { structure: { data_file_id: 'f-a.cif' }, edits: 'iso C1' };

test('a CIF that was uploaded is refined with independent atoms', () => {
  expect(next('a.cif')).toEqual({ name: 'refine.refine_iam', arguments: structure });
});

test('the result of a refinement is refined as before, but for what the edits decide', () => {
  const before = {
    structure: { data_file_id: 'older' },
    edits: 'delete C9',
    weighting: 'keep',
    adp: 'anisotropic',
    hydrogens: 'none',
    cycles: 3,
    refined: 'refined.cif'
  };
  expect(next('a.cif', made('refine', 'refine_iam', before))).toEqual({
    name: 'refine.refine_iam',
    arguments: { ...structure, weighting: 'keep' }
  });
});

test('aspherical atoms stay aspherical; a table of the old model is not used again', () => {
  const har = { basis: 'def2-SVP', hydrogens: 'anisotropic', cycles: 3 };
  expect(next('a.cif', made('har', 'refine_har', har))).toEqual({
    name: 'har.refine_har',
    arguments: { ...structure, basis: 'def2-SVP', hydrogens: 'anisotropic' }
  });
  expect(next('a.cif', made('refine', 'refine_tsc', {})).name).toBe('refine.refine_iam');
  expect(next('a.cif', made('qcrboxtools', 'convert', {})).name).toBe('refine.refine_iam');
});

test('instructions are refined with the reflections beside them, or not at all', () => {
  expect(next('a.res', undefined, 'a.hkl')).toEqual({
    name: 'refine.refine_shelx',
    arguments: {
      instructions: { data_file_id: 'f-a.res' },
      reflections: { data_file_id: 'f-a.hkl' },
      edits: 'iso C1'
    }
  });
  expect(() => next('a.res')).toThrow('needs one .hkl file');
  expect(() => next('a.res', undefined, 'a.hkl', 'b.hkl')).toThrow('there are 2');
});

test('what is not installed is not started', () => {
  const command = { ...applications[0]?.commands[0], missing: 'cctbx is not installed.' };
  const gone = [{ slug: 'refine', commands: [command] }] as unknown as IApplication[];
  const refine = () => editedRefinement(file('a.cif'), dataset('a.cif'), 'iso C1', gone, undefined, trans);
  expect(refine).toThrow('cctbx is not installed.');
  expect(() => editedRefinement(file('a.cif'), dataset('a.cif'), 'iso C1', [], undefined, trans)).toThrow(
    'not registered'
  );
});

test('of a folder the reflections that have the name of the model are taken', () => {
  const paths = ['x/a.cif', 'x/A.HKL', 'x/b.hkl', 'a.hkl'];
  expect(reflectionsBeside('x/a.cif', paths)).toEqual(['x/A.HKL']);
  expect(reflectionsBeside('x/c.cif', paths)).toEqual([]);
  expect(reflectionsBeside('a.res', ['a.hkl'])).toEqual(['a.hkl']);
});
