import { nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import { expect, test, vi } from 'vitest';

import { CommandForm, type IFormActions } from '../src/command/form';
import { CommandModel } from '../src/command/model';
import type { RegistryStore } from '../src/registry/store';
import type { IApplication, ICalculation, ICommand, IDataset } from '../src/registry/types';
import { StartForm } from '../src/session/start_form';
import type { IProgram } from '../src/session/arguments';
import { button, fill, found, html, words } from './lab_parts';

vi.mock('@jupyterlab/ui-components', () => import('./lab_parts'));

const trans = nullTranslator.load('qcrbox');
const COMMAND = {
  id: 'cmd',
  name: 'refine_iam',
  description: 'Refines <atoms> & more.',
  missing: '',
  estimate: 'estimate_iam',
  parameters: {
    structure: { dtype: 'QCrBox.cif_data_file', required: true, takes: { endings: ['.cif'], atoms: true } },
    reflections: { dtype: 'QCrBox.data_file', companion: ['*.hkl'], takes: { endings: ['.hkl'], atoms: false } },
    cycles: { dtype: 'int', default_value: 10, valid_value: { numeric_range: [0, 50] } },
    weighting: { dtype: 'str', default_value: 'optimise', valid_value: { choices: ['optimise', 'unit'] } },
    twin: { dtype: 'bool', default_value: true },
    refined: { dtype: 'QCrBox.output_cif' }
  }
} as unknown as ICommand;
const APPLICATION = {
  id: 'app',
  slug: 'refine',
  name: 'Refine',
  version: '1',
  commands: [COMMAND, { name: 'estimate_iam', parameters: { structure: {} } }]
} as unknown as IApplication;
const CELL = ['8.003(1)', '5.91(2)', '7.2', '90', '115.1(3)', '90'];
const AZU = {
  qcrbox_dataset_id: 'd1',
  name: 'azu',
  created_at: '2026-11-29T10:00:00Z',
  data_files: {
    'azu.cif': {
      filename: 'azu.cif',
      qcrbox_file_id: 'f1',
      index: { kind: 'structure', formula_sum: 'C10 H8', cell: [8, 6, 7, 90, 115, 90], cell_text: CELL }
    },
    'azu.hkl': { filename: 'azu.hkl', qcrbox_file_id: 'f2', index: null }
  }
} as unknown as IDataset;

function form(calculations: Partial<ICalculation>[] = [], applications = [APPLICATION], command = COMMAND) {
  const store = { applications, calculations, client: { pictureUrl: (id: string) => `/picture/${id}` } };
  Object.assign(store, { changed: new Signal(store) });
  const datasets = [AZU];
  const model = new CommandModel(
    APPLICATION,
    command,
    () => datasets,
    each => each.name ?? ''
  );
  const actions = {
    run: vi.fn(),
    shown: vi.fn(),
    copy: vi.fn(),
    insert: vi.fn(),
    savePreset: vi.fn(),
    deletePreset: vi.fn()
  } satisfies IFormActions;
  return { model, datasets, actions, form: new CommandForm(model, store as unknown as RegistryStore, actions, trans) };
}

const submit = (shown: CommandForm) => {
  const preventDefault = vi.fn();
  const [element] = found(shown, each => each.type === 'form');
  (element?.props['onSubmit'] as (event: unknown) => void)({ preventDefault });
  expect(preventDefault).toHaveBeenCalled();
};

test('every input has its field, outputs have none', () => {
  const { form: shown } = form();
  const fields = found(shown, each => each.props['data-parameter'] !== undefined);
  expect(fields.map(each => each.props['data-parameter'])).toEqual([
    'structure',
    'reflections',
    'cycles',
    'weighting',
    'twin'
  ]);
});

test('a field says its range, its default, and what happens when it is left empty', () => {
  const text = words(form().form);
  expect(text).toContain('(whole number between 0 and 50)');
  expect(text).toContain('optimise (default)');
  expect(text).toContain('yes (default)');
  expect(text).toContain('azu.hkl, beside the structure');
});

test('texts of an application are text', () => {
  expect(html(form().form)).toContain('Refines &lt;atoms&gt; &amp; more.');
});

test('a filled form can be run, copied and inserted', () => {
  const { form: shown, actions, model } = form();
  expect(button(shown, 'Run').disabled).toBe(false);
  submit(shown);
  button(shown, 'Copy as code').press();
  button(shown, 'Insert into notebook').press();
  expect(actions.run).toHaveBeenCalledWith(model);
  expect(actions.copy).toHaveBeenCalledWith(model.code);
  expect(actions.insert).toHaveBeenCalledWith(model.code);
});

test('why there is no estimate stands in the form, and does not keep it from being sent', () => {
  const { form: shown, model } = form();
  model.estimateProblem = '<b>Your group may run 8 at once.';
  expect(words(shown)).toContain('No estimate of time and memory: ');
  expect(html(shown)).toContain('&lt;b&gt;Your group');
  expect(button(shown, 'Run').disabled).toBe(false);
});

test('presets are chosen, kept and deleted in the form', () => {
  const { form: shown, actions, model } = form();
  expect(words(shown)).toContain('defaults (none kept yet)');
  button(shown, 'Keep as preset …').press();
  expect(actions.savePreset).toHaveBeenCalledWith(model);
  model.hold({ quick: { cycles: 2 } }, 'quick');
  expect(html(shown)).toContain('<option value="quick" selected="">quick</option>');
  button(shown, 'Delete the preset').press();
  expect(actions.deletePreset).toHaveBeenCalledWith(model);
});

test('what is changed is checked at once: a wrong value holds the run back and says why', () => {
  const { form: shown, actions } = form();
  fill(shown, 'cycles', '99');
  expect(words(shown)).toContain('This must be a whole number between 0 and 50.');
  expect(button(shown, 'Run').disabled).toBe(true);
  submit(shown);
  expect(actions.run).not.toHaveBeenCalled();
  fill(shown, 'cycles', '5');
  expect(button(shown, 'Run').disabled).toBe(false);
});

test('what is still needed is named, and there is no code yet', () => {
  const { form: shown } = form();
  fill(shown, 'structure', '');
  expect(words(shown)).toContain('Still needed: structure');
  expect(html(shown)).not.toContain('<pre');
  expect(button(shown, 'Copy as code').disabled).toBe(true);
});

test('while it is sent it cannot be sent again; a refusal is shown', () => {
  const { form: shown, model } = form();
  model.tell({ isSending: true });
  expect(button(shown, 'Run').disabled).toBe(true);
  model.tell({ isSending: false, refusal: 'The queue is full.' });
  expect(words(shown)).toContain('The queue is full.');
});

test('a command that is not installed says what an administrator can do, until it is', () => {
  const missing = { ...COMMAND, missing: 'Install xtb.' } as ICommand;
  const { form: shown } = form([], [{ ...APPLICATION, commands: [missing] } as IApplication]);
  expect(words(shown)).toContain('Install xtb.');
  expect(button(shown, 'Run').disabled).toBe(true);
  const later = form([], [APPLICATION], missing).form;
  expect(button(later, 'Run').disabled).toBe(false);
});

test.each([
  ['2026-11-29T10:00:45Z', 'The last run took 45 s.'],
  ['2026-11-29T10:05:10Z', 'The last run took 5 min.'],
  [null, '']
])('the last run ended at %s: %s', (finished_at, text) => {
  const last = { application_slug: 'refine', command_name: 'refine_iam', status: 'successful' } as const;
  const { form: shown } = form([{ ...last, started_at: '2026-11-29T10:00:00Z', finished_at }]);
  if (text) {
    expect(words(shown)).toContain(text);
  } else {
    expect(words(shown)).not.toContain('The last run');
  }
});

test('the structure stands beside the form, and the form can be opened again as it was', () => {
  const { form: shown } = form();
  fill(shown, 'cycles', '7');
  expect(html(shown)).toContain('src="/picture/f1"');
  expect(words(shown)).toContain('8.003(1), 5.91(2), 7.2 Å; 90, 115.1(3), 90°');
  expect(shown.args).toMatchObject({ application: 'refine', command: 'refine_iam', values: { cycles: '7' } });
});

// ---------------------------------------------------------------- a program with a window

const program = (name: string, more: object = {}): IProgram =>
  ({
    application: { slug: name, name, version: '1' },
    command: {
      name: 'open',
      description: `Opens ${name}.`,
      missing: '',
      parameters: {
        structure: { dtype: 'QCrBox.cif_data_file', required: true },
        size: { dtype: 'float', unit: 'Å', default_value: 2.5 },
        dark: { dtype: 'bool' }
      },
      ...more
    }
  }) as unknown as IProgram;

test('the first program that is installed is offered, with the newest structure', () => {
  const shown = new StartForm([program('a', { missing: 'Not here.' }), program('b')], [AZU], [], trans);
  expect(words(shown)).toContain('Opens b.');
  expect(shown.request()).toEqual({
    application_slug: 'b',
    application_version: '1',
    command_name: 'open',
    command_arguments: { structure: { data_file_id: 'f1' } }
  });
});

test('what is filled in becomes arguments of their own types', () => {
  const shown = new StartForm([program('a')], [AZU], ['xtal'], trans);
  fill(shown, 'size', '3.5');
  fill(shown, 'dark', 'false');
  fill(shown, 'group', 'xtal');
  expect(shown.request()).toMatchObject({
    command_arguments: { structure: { data_file_id: 'f1' }, size: 3.5, dark: false },
    group: 'xtal'
  });
  expect(shown.update).toHaveBeenCalledTimes(3);
});

test('another program begins with its own fields', () => {
  const shown = new StartForm([program('a'), program('b')], [AZU], [], trans);
  fill(shown, 'size', '3.5');
  fill(shown, 'program', '1');
  expect(shown.request()).toMatchObject({
    application_slug: 'b',
    command_arguments: { structure: { data_file_id: 'f1' } }
  });
  expect(shown.request().command_arguments).not.toHaveProperty('size');
});

test('after a refusal the same form comes again, as it was filled in, with the reason', () => {
  const shown = new StartForm([program('a')], [AZU], ['xtal'], trans);
  const first = shown.again();
  fill(first, 'size', '4');
  fill(first, 'group', 'xtal');
  expect(shown.request()).toMatchObject({ command_arguments: { size: 4 }, group: 'xtal' });
  shown.problem = 'No display is free.';
  const second = shown.again();
  expect(words(second)).toContain('No display is free.');
  fill(second, 'dark', 'true');
  expect(shown.request()).toMatchObject({ command_arguments: { size: 4, dark: true }, group: 'xtal' });
});

test('a boolean that has to be given is not shown as yes while nothing is sent', () => {
  const parameters = { dark: { dtype: 'bool', required: true } };
  const shown = new StartForm([program('a', { parameters })], [AZU], [], trans);
  const [select] = found(shown, each => each.type === 'select' && each.props['name'] === 'dark');
  expect(select?.props['value']).toBe('');
  expect(html(shown)).toContain('<option value="" selected="">not given</option>');
  expect(shown.request().command_arguments).toEqual({});
  fill(shown, 'dark', 'false');
  expect(shown.request().command_arguments).toEqual({ dark: false });
});

test('a file that was deleted since the form was filled in holds the run back, and says why', () => {
  const { form: shown, model, datasets } = form();
  expect(button(shown, 'Run').disabled).toBe(false);
  datasets.splice(0);
  expect(model.problems['structure']).toContain('not among those that can be chosen here');
  expect(button(shown, 'Run').disabled).toBe(true);
  expect(words(shown)).toContain('This file is not among those that can be chosen here; choose another one.');
});
