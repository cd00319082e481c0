import type { TranslationBundle } from '@jupyterlab/translation';
import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { expect, test } from 'vitest';

import { Estimate, estimateText } from '../src/command/estimate';
import { fits, problemOf, withModel } from '../src/command/fields';
import { figuresOf, inWords, isDoubtful, isUnconverged } from '../src/command/figures';
import { CommandModel } from '../src/command/model';
import { FormPresets } from '../src/command/presets';
import { Remarks } from '../src/command/remarks';
import { offerLabel, structureCommands } from '../src/offers';
import type { IApplication, ICalculation, ICommand, IDataFile, IDataset, IParameter } from '../src/registry/types';

const STRUCTURE: IParameter = {
  dtype: 'QCrBox.cif_data_file',
  required: true,
  takes: { endings: ['.cif'], atoms: true }
};
const REFLECTIONS: IParameter = {
  dtype: 'QCrBox.data_file',
  required: false,
  companion: ['*.hkl'],
  takes: { endings: ['.hkl', '.fcf'], atoms: false },
  description: 'Reflections: SHELX .hkl file (HKLF 4) or .fcf file. Not given: the one beside the structure.'
};
const CYCLES: IParameter = { dtype: 'int', default_value: 10, valid_value: { numeric_range: [0, 50] } };
const command = {
  name: 'refine_iam',
  parameters: { structure: STRUCTURE, reflections: REFLECTIONS, cycles: CYCLES, place: { dtype: 'bool' } }
} as unknown as ICommand;
const application = { slug: 'refine', name: 'Refine' } as IApplication;

function file(filename: string, kind?: string): IDataFile {
  return { qcrbox_file_id: `f-${filename}`, filename, index: kind ? { kind } : null } as IDataFile;
}

function dataset(name: string, ...files: IDataFile[]): IDataset {
  const byName = Object.fromEntries(files.map(each => [each.filename, each]));
  return { qcrbox_dataset_id: `d-${name}`, name, data_files: byName } as unknown as IDataset;
}

const AZU = dataset('azu', file('azu.cif', 'structure'), file('azu.hkl'), file('peaks.json'));
const model = (input?: string, datasets = [AZU]) =>
  new CommandModel(
    application,
    command,
    () => datasets,
    each => each.name,
    input
  );

test('a picker of reflections offers neither CIFs nor lists of peaks', () => {
  expect(['azu.hkl', 'azu.fcf', 'azu.cif', 'peaks.json'].map(name => fits(REFLECTIONS, file(name)))).toEqual([
    true,
    true,
    false,
    false
  ]);
});

test('a picker of structures leaves out a CIF without atoms', () => {
  expect(fits(STRUCTURE, file('data.cif', 'reflections'))).toBe(false);
  expect(fits(STRUCTURE, file('azu.cif', 'structure'))).toBe(true);
  expect(fits(STRUCTURE, file('new.cif'))).toBe(true); // not indexed yet
});

test.each([
  ['', ''],
  ['20', ''],
  ['2.5', 'must be a whole number between 0 and 50'],
  ['51', 'must be a whole number between 0 and 50'],
  ['many', 'must be a whole number between 0 and 50']
])('cycles %j: %j', (text, problem) => {
  expect(problemOf(CYCLES, text)).toBe(problem);
});

test('a form is ready with the input it was opened for, and not without one', () => {
  expect(model('d-azu').value('structure')).toBe('f-azu.cif');
  expect(model('d-azu').problems).toEqual({});
  expect(model('d-other').problems).toEqual({ structure: 'needed' });
});

test('code and arguments say the same', () => {
  const made = model('d-azu');
  made.set('cycles', '20');
  made.set('place', 'true');
  made.set('reflections', 'f-azu.hkl');
  expect(made.arguments).toEqual({
    structure: { data_file_id: 'f-azu.cif' },
    reflections: { data_file_id: 'f-azu.hkl' },
    cycles: 20,
    place: true
  });
  expect(made.code).toContain(
    'qc.refine.refine_iam(qc["azu"], reflections=qc["azu"].files["azu.hkl"], cycles=20, place=True)'
  );
});

const ended = (more: object) => ({ status: 'successful', warnings: [], ...more }) as unknown as ICalculation;

test('figures have their value before the first cycle and a fixed number of digits', () => {
  const progress = {
    metrics: { R1: 0.041, S: 1, converged: 1, cycle: 3 },
    history: [{ R1: 0.0756, max_shift_su: 2 }, { max_shift_su: 0.0042 }, { R1: 0.041, S: 1 }]
  };
  expect(figuresOf(ended({ progress }))).toEqual([
    { symbol: 'R1', before: '0.0756', now: '0.0410' },
    { symbol: 'S', before: '', now: '1.000' },
    { symbol: 'max shift/s.u.', before: '', now: '0.004' }
  ]);
});

test('a result that has not converged, or has warnings, is doubtful', () => {
  expect(isUnconverged(ended({ progress: { metrics: { converged: 0 } } }))).toBe(true);
  expect(isUnconverged(ended({ warnings: ['Finished, but not converged: max shift/s.u. 0.43'] }))).toBe(true);
  expect(isDoubtful(ended({ warnings: ['Digits were lost.'] }))).toBe(true);
  expect(isDoubtful(ended({ progress: { metrics: { converged: 1 } } }))).toBe(false);
  // Without cycles nothing was refined: no doubt about what was asked for.
  expect(isDoubtful(ended({ progress: { metrics: { refined: 0 } } }))).toBe(false);
});

test('notes and what was not applied inform and make nothing doubtful', () => {
  const remarks = [
    { kind: 'note', text: 'N3 and C3 are taken as alternatives.' },
    { kind: 'not_applied', text: 'CONF (torsion angles are not listed)' }
  ];
  const calculation = ended({ remarks });
  expect(isDoubtful(calculation)).toBe(false);
  const trans = {
    __: (text: string, ...values: unknown[]) => text.replace('%1', String(values[0]))
  } as TranslationBundle;
  const html = renderToStaticMarkup(createElement(Remarks, { calculation, trans }));
  expect(html).toContain('Not applied:<ul><li>CONF (torsion angles are not listed)</li></ul>');
  expect(html).toContain('<details class="qcrbox-Notes"><summary>Notes (1)</summary>');
  expect(html).not.toContain('⚠');
});

test.each([
  ['converged', 1, 'converged', 'yes'],
  ['refined', 0, 'refined', 'no'],
  ['residual_min', -0.2, 'Δρ min / e Å⁻³', '\u22120.20'],
  ['residual_min', -0.001, 'Δρ min / e Å⁻³', '0.00'],
  ['S', 1, 'S', '1.000'],
  ['my_score', 2.5, 'my score', '2.5']
])('%s is shown in words', (name, value, label, text) => {
  expect(inWords(name, value)).toEqual([label, text]);
});

test('what is not installed comes last and says so', () => {
  const trans = { __: (text: string, ...values: string[]) => text.replace('%1', values[0] ?? '') } as never;
  const absent = { ...command, name: 'draw', missing: 'drawer is not installed.' };
  const offers = structureCommands([
    { ...application, commands: [absent, { ...command, missing: '' }] } as IApplication
  ]);
  expect(offers.map(each => offerLabel(each, trans))).toEqual([
    'Refine iam · refine.refine_iam',
    'Draw · refine.draw (not installed)'
  ]);
});

test('a form is filled in again after a reload', () => {
  const before = model();
  before.set('cycles', '3');
  const after = new CommandModel(
    application,
    command,
    () => [AZU],
    each => each.name,
    undefined,
    JSON.parse(JSON.stringify(before.values))
  );
  expect(after.values).toEqual(before.values);
  expect(after.arguments).toEqual({ structure: { data_file_id: 'f-azu.cif' }, cycles: 3 });
});

const PLAN = {
  name: 'plan_iam',
  parameters: { structure: STRUCTURE, cycles: CYCLES }
} as unknown as ICommand;

function estimated(values: Record<string, string> = {}): CommandModel {
  const both = { ...application, commands: [{ ...command, estimate: 'plan_iam' }, PLAN] } as IApplication;
  const asked = both.commands[0] as ICommand;
  return new CommandModel(
    both,
    asked,
    () => [AZU],
    each => each.name,
    undefined,
    values
  );
}

test('an estimate takes the arguments that both commands have', () => {
  const filled = estimated({ cycles: '5', place: 'true' });
  expect(filled.estimator?.name).toBe('plan_iam');
  expect(Object.keys(filled.arguments).sort()).toEqual(['cycles', 'place', 'structure']);
  expect(Object.keys(filled.estimateArguments).sort()).toEqual(['cycles', 'structure']);
});

test('a command without an estimate has no estimator', () => {
  expect(model().estimator).toBeUndefined();
});

test('an estimate is void once a value changes', () => {
  const filled = estimated();
  filled.estimated('c-1');
  expect(filled.estimateId).toBe('c-1');
  filled.set('cycles', '7');
  expect(filled.estimateId).toBe('');
});

const words = {
  __: (text: string, ...values: unknown[]) => text.replace(/%(\d)/g, (_, n) => String(values[Number(n) - 1]))
} as unknown as TranslationBundle;

test.each([
  [undefined, 'Estimating …'],
  [{ status: 'running', progress: { text: 'sizes' } }, 'Estimating: sizes'],
  [{ status: 'successful', progress: { text: 'about 3 min' } }, 'Estimate: about 3 min'],
  [{ status: 'successful', progress: { text: 'Estimate: about 3 min' } }, 'Estimate: about 3 min'],
  [{ status: 'running', progress: { text: 'Estimate: about 3 min' } }, 'Estimating: about 3 min'],
  [{ status: 'cancelled' }, 'The estimate was cancelled.']
])('the form says how far an estimate is', (calculation, text) => {
  expect(estimateText(calculation as unknown as ICalculation | undefined, words)).toBe(text);
});

test('a refusal is an alert with the reason', () => {
  const failed = { calculation_id: 'c-1', status: 'failed', error_msg: 'there is <not> enough memory' };
  const store = { calculations: [failed as unknown as ICalculation] };
  const html = renderToStaticMarkup(createElement(Estimate, { id: 'c-1', store, trans: words }));
  expect(html).toContain('role="alert"');
  expect(html).toContain('A run would be refused: there is &lt;not&gt; enough memory');
});

test('of a refusal the words are read, and the traceback with its paths stands behind Details', () => {
  const error_msg =
    'UserInputError: no hydrogen.\nTraceback (most recent call last):\n  File "/srv/run/plan.py", line 1\nX: y';
  const store = { calculations: [{ calculation_id: 'c-1', status: 'failed', error_msg } as unknown as ICalculation] };
  const html = renderToStaticMarkup(createElement(Estimate, { id: 'c-1', store, trans: words }));
  const [said, details] = html.split('<details>');
  expect(said).toContain('A run would be refused: no hydrogen.');
  expect(said).not.toMatch(/Traceback|srv|plan\.py/);
  expect(details).toContain('/srv/run/plan.py');
});

// ---------------------------------------------------------------- presets

const FORM = {
  name: 'refine_iam',
  parameters: {
    structure: STRUCTURE,
    cycles: CYCLES,
    weighting: { dtype: 'str', default_value: 'optimise' },
    place: { dtype: 'bool' }
  }
} as unknown as ICommand;
const filledForm = () => {
  const made = new CommandModel(
    application,
    FORM,
    () => [AZU],
    each => each.name,
    'd-azu'
  );
  made.set('cycles', '3');
  made.set('place', 'true');
  return made;
};

test('a preset keeps the options and no file', () => {
  expect(filledForm().options).toEqual({ cycles: 3, place: true });
});

test('a preset sets what it names, takes back the rest, and leaves the structure; a change by hand leaves the preset', () => {
  const made = filledForm();
  made.hold({ quick: { weighting: 'keep', place: false } });
  made.usePreset('quick');
  expect(made.values).toEqual({ structure: 'f-azu.cif', cycles: '', weighting: 'keep', place: 'false' });
  expect(made.preset).toBe('quick');
  expect(made.arguments).toMatchObject({ weighting: 'keep', place: false });
  made.set('cycles', '1');
  expect(made.preset).toBe('');
});

test('presets are kept under the name that is asked for, and deleted by it', async () => {
  const made = filledForm();
  const sent: [string, RequestInit][] = [];
  const local = <T>(path: string, init: RequestInit) => {
    sent.push([path, init]);
    return Promise.resolve((init.method === 'DELETE' ? {} : { 'two words': { cycles: 3, place: true } }) as T);
  };
  const presets = new FormPresets({ local }, made, () => Promise.resolve(' two words '));
  await presets.save();
  expect(sent[0]?.[0]).toBe('presets/refine/refine_iam');
  expect(JSON.parse(String(sent[0]?.[1].body))).toEqual({ name: 'two words', options: { cycles: 3, place: true } });
  expect(made.preset).toBe('two words');
  await presets.delete();
  expect(sent[1]?.[0]).toBe('presets/refine/refine_iam?name=two%20words');
  expect(made.presets).toEqual({});
});

test('without a name nothing is kept; presets that cannot be read are told in the form', async () => {
  const made = filledForm();
  const refuse = <T>(): Promise<T> => Promise.reject(new Error('Your presets cannot be read.'));
  await new FormPresets({ local: refuse }, made, () => Promise.resolve('')).save();
  expect(made.refusal).toBe('');
  await new FormPresets({ local: refuse }, made, () => Promise.resolve('')).load();
  expect(made.refusal).toBe('Your presets cannot be read.');
});

test('reflections are named by their file, a structure by its dataset', () => {
  expect(
    model('d-azu')
      .choices('reflections')
      .map(each => each.label)
  ).toEqual(['azu / azu.hkl']);
  expect(
    model('d-azu')
      .choices('structure')
      .map(each => each.label)
  ).toEqual(['azu']);
});

test('of several datasets that were kept at once the one with a CIF is refined', () => {
  const peaks = dataset('peaks', file('peaks.json'));
  expect(withModel(['d-peaks', 'd-azu'], [peaks, AZU])).toBe('d-azu');
  expect(withModel(['d-peaks'], [peaks, AZU])).toBe('d-peaks');
  expect(withModel([], [AZU])).toBeUndefined();
});
