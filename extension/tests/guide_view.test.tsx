// @vitest-environment jsdom
/** The first refinement as a student clicks through it. */
import { nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import { afterEach, expect, test, vi } from 'vitest';

import { GuideModel } from '../src/guide/model';
import { GuideView } from '../src/guide/view';
import { HOSTILE, later, mount, unmountAll } from './lab_dom';

vi.mock('@jupyterlab/ui-components', () => import('./lab_dom'));

const trans = nullTranslator.load('qcrbox');
afterEach(unmountAll);

const COMMAND = {
  name: 'refine_iam',
  missing: '',
  parameters: {
    structure: { dtype: 'QCrBox.cif_data_file', takes: { endings: ['.cif'], atoms: true } },
    reflections: { dtype: 'QCrBox.data_file', companion: ['*.hkl'], takes: { endings: ['.hkl'], atoms: false } }
  }
};
const dataset = (name: string, more: object = {}) => ({
  qcrbox_dataset_id: `d-${name}`,
  name,
  data_files: Object.fromEntries(
    ['cif', 'hkl'].map(ending => [
      `${name}.${ending}`,
      {
        qcrbox_file_id: `f-${name}.${ending}`,
        filename: `${name}.${ending}`,
        index: ending === 'cif' ? { kind: 'structure' } : null
      }
    ])
  ),
  ...more
});

async function guide(given: { command?: object; submit?: () => Promise<string> } = {}) {
  const calculations = new Map<string, object>();
  const submit = vi.fn(given.submit ?? (async () => 'c1'));
  const store = {
    applications: [{ slug: 'refine', name: 'Refine', commands: [{ ...COMMAND, ...given.command }] }],
    datasets: [dataset('azu'), dataset(HOSTILE, { read_only: true })],
    calculations: [],
    calculationOf: (id: string) => calculations.get(id),
    client: { submit, pictureUrl: (id: string) => `/picture/${id}` }
  };
  Object.assign(store, { changed: new Signal<unknown, void>(store) });
  const model = new GuideModel(store as never, () => 'key');
  const actions = { addFiles: vi.fn(), openResult: vi.fn(), next: vi.fn() };
  const page = await mount(new GuideView(model, store as never, actions, trans));
  const become = (more: object) =>
    page.settle(() => {
      calculations.set('c1', { calculation_id: 'c1', title: 'x', status_events: [], ...more });
      (store as unknown as { changed: Signal<unknown, void> }).changed.emit();
    });
  const refined = async () => {
    await page.fill('Structure', 'f-azu.cif');
    await page.press('It looks right');
    await page.press('Refine with the defaults');
  };
  return {
    page,
    model,
    actions,
    submit,
    become,
    refined,
    now: () => page.all('[aria-current="step"]').map(each => each.dataset['step'])
  };
}

test('one step is open after the other, and the done ones stay in sight', async () => {
  const { page, now, refined, become, actions, submit } = await guide();
  expect([now(), page.all('select').length]).toEqual([['choose'], 1]);
  await refined();
  expect([now(), submit.mock.calls.length]).toEqual([['refine'], 1]);
  await become({ status: 'running', progress: { text: 'cycle 3' } });
  expect(page.words()).toContain('cycle 3');
  await become({
    status: 'successful',
    progress: { metrics: { R1: 0.0412 }, history: [{ R1: 0.09 }, { R1: 0.0412 }] }
  });
  expect(page.words()).toContain('R1: 0.0900 → 0.0412');
  await page.press('Open the result: structure, difference map, plots, alerts');
  expect([actions.openResult.mock.calls, now()]).toEqual([[['c1']], ['next']]);
  await page.press('Show the project');
  await page.press('Next step with this structure …');
  expect(actions.next.mock.calls).toEqual([['project'], ['form']]);
  expect(page.all('[aria-label="done"]')).toHaveLength(4);
});

test.each([
  ['failed', { error_msg: 'No reflections.' }],
  ['cancelled', { error_msg: '' }]
])('a refinement that %s can be tried again', async (status, more) => {
  const { page, refined, become, submit } = await guide();
  await refined();
  await become({ status, ...more });
  expect(page.words()).toContain(more.error_msg);
  await page.press('Try again');
  expect(submit).toHaveBeenCalledTimes(2);
});

test('a second click while it is sent starts no second refinement', async () => {
  const answer = later<string>();
  const { page, refined, submit } = await guide({ submit: () => answer.promise });
  await refined();
  expect(page.button('Refine with the defaults').disabled).toBe(true);
  await page.press('Refine with the defaults');
  expect(submit).toHaveBeenCalledTimes(1);
  await page.settle(() => answer.answer('c1'));
  expect(page.button('Queued …').disabled).toBe(true);
});

test('the answer to the structure before is not taken for that of the one chosen now', async () => {
  const answer = later<string>();
  const { page, model, refined, become } = await guide({ submit: () => answer.promise });
  await refined();
  await page.fill('Structure', `f-${HOSTILE}.cif`);
  await page.settle(() => answer.answer('c1'));
  await become({ status: 'successful' });
  expect([model.calculation, model.step, model.problem]).toEqual(['', 'look', '']);
});

test('a refusal that belongs to the structure before is not shown at the one chosen now', async () => {
  const answer = later<string>();
  const { page, model, refined } = await guide({ submit: () => answer.promise });
  await refined();
  await page.fill('Structure', `f-${HOSTILE}.cif`);
  await page.settle(() => answer.fail(new Error('The queue is full.')));
  expect([model.problem, model.isSending]).toEqual(['', false]);
});

test('a program that is not installed says so, and cannot be started', async () => {
  const { page } = await guide({ command: { missing: 'Install the refinement.' } });
  await page.fill('Structure', 'f-azu.cif');
  await page.press('It looks right');
  expect(page.words()).toContain('Install the refinement.');
  expect(page.button('Refine with the defaults').disabled).toBe(true);
});

test('own files are asked for beside the list; names of others are text, examples are marked', async () => {
  const { page, actions } = await guide();
  await page.press('My own files …');
  expect(actions.addFiles).toHaveBeenCalledOnce();
  expect(page.all('option').map(each => each.textContent)).toEqual(['choose …', 'azu', `${HOSTILE} (example)`]);
  expect(page.node.querySelector('img')).toBe(null);
});
