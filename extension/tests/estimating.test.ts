// @vitest-environment jsdom
/** The estimate of a form: asked for by itself, once, and not while values are being filled in. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { ESTIMATE_TAG, Estimating, PAUSE_MS } from '../src/command/estimating';
import { CommandModel } from '../src/command/model';
import type { IApplication, ICommand, IDataset } from '../src/registry/types';

const structure = { dtype: 'QCrBox.cif_data_file', required: true, takes: { endings: ['.cif'], atoms: false } };
const command = (more: object = {}) => ({
  name: 'refine',
  estimate: 'plan',
  parameters: { structure, cycles: { dtype: 'int' }, note: { dtype: 'str' } },
  ...more
});
const plan = (more: object = {}) => ({
  name: 'plan',
  missing: '',
  parameters: { structure, cycles: { dtype: 'int' } },
  ...more
});
const AZU = {
  qcrbox_dataset_id: 'd',
  name: 'azu',
  data_files: { 'azu.cif': { filename: 'azu.cif', qcrbox_file_id: 'f', index: null } }
} as unknown as IDataset;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function formOf(given: { commands?: object[]; datasets?: IDataset[]; known?: Map<string, string> } = {}) {
  const commands = (given.commands ?? [command(), plan()]) as ICommand[];
  const application = { slug: 'a', version: '1', commands } as unknown as IApplication;
  const datasets = given.datasets ?? [AZU];
  const model = new CommandModel(
    application,
    commands[0] as ICommand,
    () => datasets,
    each => each.name
  );
  let number = 0;
  const client = {
    submit: vi.fn(async (..._given: unknown[]) => `e${++number}`),
    cancel: vi.fn(async (_id: string) => undefined)
  };
  const store = { calculations: [] as object[], client };
  const front = { isShown: true };
  const known = given.known ?? new Map<string, string>();
  const estimating = new Estimating(model, store as never, known, () => front.isShown);
  const later = (ms = PAUSE_MS) => vi.advanceTimersByTimeAsync(ms);
  return { model, client, store, front, known, estimating, later };
}

test('a filled form asks after a pause, with what both commands take, marked as an estimate', async () => {
  const { model, client, later } = formOf();
  await later(PAUSE_MS - 1);
  expect(client.submit).not.toHaveBeenCalled();
  await later(1);
  expect(client.submit).toHaveBeenCalledTimes(1);
  const [, asked, given, , tags] = client.submit.mock.calls[0] ?? [];
  expect([(asked as ICommand).name, given, tags]).toEqual([
    'plan',
    { structure: { data_file_id: 'f' } },
    [ESTIMATE_TAG]
  ]);
  expect([model.estimateId, model.isSending]).toEqual(['e1', false]);
});

test('while values change nothing is asked; the last ones are', async () => {
  const { model, client, later } = formOf();
  for (const cycles of ['1', '12', '123']) {
    model.set('cycles', cycles);
    await later(PAUSE_MS / 2);
  }
  expect(client.submit).not.toHaveBeenCalled();
  await later();
  expect(client.submit.mock.calls.map(each => each[2])).toEqual([{ structure: { data_file_id: 'f' }, cycles: 123 }]);
});

test('a value that the estimate does not take asks nothing, and what was estimated stays', async () => {
  const { model, client, later } = formOf();
  await later();
  model.set('note', 'x');
  expect(model.estimateId).toBe('e1');
  await later();
  expect(client.submit).toHaveBeenCalledTimes(1);
});

test('what was asked before is not asked again, also by another form of the page', async () => {
  const { model, client, store, known, later } = formOf();
  await later();
  store.calculations = [{ calculation_id: 'e1', status: 'successful' }];
  model.set('cycles', '5');
  await later();
  model.set('cycles', '');
  await later();
  expect([client.submit.mock.calls.length, model.estimateId]).toEqual([2, 'e1']);
  const other = formOf({ known });
  await other.later();
  expect([other.client.submit.mock.calls.length, other.model.estimateId]).toEqual([0, 'e1']);
});

test('an estimate that is overtaken is cancelled, before its answer and after it', async () => {
  const { model, client, store, later } = formOf();
  await later();
  store.calculations = [{ calculation_id: 'e1', status: 'running' }];
  model.set('cycles', '5');
  expect(client.cancel.mock.calls).toEqual([['e1']]);
  let answer: (id: string) => void = () => undefined;
  client.submit.mockImplementationOnce(() => new Promise<string>(done => (answer = done)));
  await later();
  model.set('cycles', '6');
  answer('late');
  await later(0);
  expect([client.cancel.mock.calls.at(-1), model.estimateId]).toEqual([['late'], '']);
});

test('an estimate that has ended is not cancelled', async () => {
  const { client, store, later, estimating } = formOf();
  await later();
  store.calculations = [{ calculation_id: 'e1', status: 'failed' }];
  estimating.dispose();
  expect(client.cancel).not.toHaveBeenCalled();
});

test('when the form is sent its estimate leaves the queue, and is not asked for again', async () => {
  const { model, client, estimating, later } = formOf();
  await later();
  estimating.drop();
  model.tell({ isSending: false });
  await later();
  expect([client.cancel.mock.calls, client.submit.mock.calls.length, model.estimateId]).toEqual([[['e1']], 1, '']);
});

test('a form in the background asks when it comes to the front', async () => {
  const { client, front, estimating, later } = formOf();
  front.isShown = false;
  await later();
  expect(client.submit).not.toHaveBeenCalled();
  front.isShown = true;
  estimating.follow();
  await later();
  expect(client.submit).toHaveBeenCalledTimes(1);
});

test.each([
  ['the command offers no estimate', { commands: [command({ estimate: '' }), plan()] }],
  ['what estimates is not installed', { commands: [command(), plan({ missing: 'Install it.' })] }],
  ['the form is not filled in', { datasets: [] }]
])('nothing is asked where %s', async (_what, given) => {
  const { client, later } = formOf(given);
  await later();
  expect(client.submit).not.toHaveBeenCalled();
});

test('why no estimate could be asked for stands in the form until a value changes', async () => {
  const { model, client, later } = formOf();
  client.submit.mockRejectedValueOnce(new Error('The registry restarts.'));
  await later();
  expect([model.estimateProblem, model.refusal]).toEqual(['The registry restarts.', '']);
  model.set('cycles', '5');
  expect(model.estimateProblem).toBe('');
});

test('a closed form asks nothing any more', async () => {
  const { client, estimating, model, later } = formOf();
  estimating.dispose();
  model.set('cycles', '5');
  await later();
  expect(client.submit).not.toHaveBeenCalled();
});
