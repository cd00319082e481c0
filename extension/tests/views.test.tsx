import { nullTranslator } from '@jupyterlab/translation';
import * as React from 'react';
import { expect, test, vi } from 'vitest';

import { StoreBrowser } from '../src/browser/view';
import { Facts } from '../src/command/facts';
import { Failure } from '../src/command/failure';
import { ResultView } from '../src/command/result';
import { Exercises } from '../src/exercise/section';
import type { TaskState } from '../src/exercise/types';
import { GuideView } from '../src/guide/view';
import { type StepName, STEPS } from '../src/guide/model';
import { CrystalFacts } from '../src/crystal_facts';
import { StepChooser } from '../src/offers';
import type { IApplication, ICalculation, ICommand, IDataFile, IDataset } from '../src/registry/types';
import { isFound } from '../src/viewer/items';
import { button, fill, found, html, words } from './lab_parts';

vi.mock('@jupyterlab/ui-components', () => import('./lab_parts'));

const trans = nullTranslator.load('qcrbox');
const acts = <T extends string>(...names: T[]) =>
  Object.fromEntries(names.map(name => [name, vi.fn()])) as Record<T, ReturnType<typeof vi.fn>>;

// ---------------------------------------------------------------- a result

const calculation = (more: object = {}) =>
  ({
    calculation_id: 'c1',
    title: 'azu · IAM',
    command_name: 'refine_iam',
    application_slug: 'refine',
    status: 'running',
    status_events: [],
    ...more
  }) as unknown as ICalculation;
const files = (...names: string[]) =>
  Object.fromEntries(names.map(name => [name, { filename: name, qcrbox_file_id: `f-${name}`, index: null }]));

function result(known: ICalculation | undefined, dataset?: object, applications: IApplication[] = []) {
  const store = {
    problem: '',
    applications,
    calculationOf: () => known,
    missingOf: () => '',
    datasetOf: () => dataset && { qcrbox_dataset_id: 'd1', ...dataset },
    client: { pictureUrl: (id: string) => `/picture/${id}`, downloadUrl: (id: string) => `/download/${id}` }
  };
  const actions = acts('rename', 'cancel', 'insert', 'project', 'open', 'refine', 'next');
  return { store, actions, view: new ResultView('c1', store as never, {} as never, actions as never, trans) };
}

test('before the registry has answered a result waits, or says what is wrong', () => {
  const { view, store } = result(undefined);
  expect(words(view)).toBe('Waiting for the registry …');
  store.problem = 'There is no calculation c1.';
  expect(words(view)).toBe('There is no calculation c1.');
});

test('while it runs there are progress and a way to cancel, and no parts of a result', () => {
  const { view, actions } = result(calculation({ progress: { fraction: 0.25, text: 'cycle 2' } }));
  expect(html(view)).toContain('value="0.25"');
  expect(words(view)).toContain('cycle 2');
  button(view, 'Cancel').press();
  expect(actions.cancel).toHaveBeenCalled();
  expect(words(view)).not.toContain('Download');
});

test('a finished result has its figures before and after, its files and its parts', () => {
  const done = calculation({ status: 'successful', progress: { metrics: { R1: 0.0412 }, history: [{ R1: 0.0873 }] } });
  const { view } = result(done, { data_files: files('azu.cif', 'azu.fcf', 'residual.cube') });
  const text = words(view);
  expect(text).toContain('R 1 0.0873 0.0412');
  expect(text).not.toContain('Cancel');
  for (const part of ['Structure', 'Densities', 'Plots', 'Alerts', 'Table 1', 'Lineage', 'Files', 'Log']) {
    expect(text).toContain(part);
  }
  expect(html(view)).toContain('href="/download/d1"');
});

test('without a structure there are log, files and lineage', () => {
  const { view } = result(calculation({ status: 'successful' }), { data_files: files('report.docx') });
  expect(words(view)).toContain('Log Files Lineage');
  expect(words(view)).not.toContain('Table 1');
});

test('a result that waits says its place in words, and "queued" once', () => {
  const { view } = result(
    calculation({ status: 'submitted', queue: { place: 3, reason: 'Your group may run 8 at once.' } })
  );
  expect(words(view)).toContain('◷ Queued: 2 before you. Your group may run 8 at once.');
  expect(words(view).match(/queued/gi)).toHaveLength(1);
});

test.each([
  [{ progress: { metrics: { converged: 0 } } }, 'not converged'],
  [{ warnings: ['Finished, but not converged: max shift/s.u. 0.43 (C12 U33).'] }, 'not converged'],
  [{ warnings: ['Two atoms are close.'] }, 'with warnings']
])('a result in doubt %j is amber: ⚠ and %s', (more, doubt) => {
  const { view } = result(calculation({ status: 'successful', ...more }));
  expect(html(view)).toMatch(/class="qcrbox-State" data-state="successful" data-doubtful="true"/);
  expect(words(view)).toContain(`⚠ done, ${doubt}`);
});

test('a failed one says what, why and next; the path and the traceback stand behind Details', () => {
  const trace = 'Traceback (most recent call last):\n  File "/srv/qcrbox/refine.py", line 3, in run\n    go()\n';
  const text = `There is no cell. azu.cif has no _cell_length_a. Choose another file.\n${trace}ValueError: no cell`;
  const { view } = result(calculation({ status: 'failed', error_msg: text }));
  const [said, details = ''] = html(view).split('<details>');
  expect(said).toContain('There is no cell. azu.cif has no _cell_length_a. Choose another file.');
  expect(said).not.toMatch(/Traceback|\/srv\/|refine\.py/);
  expect(details).toMatch(/<summary>Details<\/summary>.*Traceback.*\/srv\/qcrbox\/refine\.py/s);
});

test('a failed one says why; a name can be given to any', () => {
  const { view, actions } = result(calculation({ status: 'failed', error_msg: 'UserInputError: No cell.' }));
  expect(html(view)).toContain('role="alert">No cell.');
  button(view, 'azu · IAM').press();
  expect(actions.rename).toHaveBeenCalled();
});

test('the next step takes the structure of this one; what is not installed cannot be chosen', () => {
  const command = (name: string, missing = '') => ({
    name,
    missing,
    parameters: { structure: { dtype: 'QCrBox.cif_data_file' } }
  });
  const application = { slug: 'a', name: 'A', commands: [command('one', 'Install it.'), command('two')] };
  const offers = [application as unknown as IApplication];
  const { view, actions } = result(calculation({ status: 'successful' }), { data_files: files('azu.cif') }, offers);
  expect(words(view)).toContain('Two · a.two One · a.one (not installed)');
  expect(words(view)).toContain('Open the form …');
  const [chooser] = found(view, each => typeof each.props['start'] === 'function');
  const { start, offers: known } = chooser?.props as { start(offer: unknown): void; offers: unknown[] };
  start(known[0]);
  expect(actions.next.mock.calls[0]?.[1]).toMatchObject({ name: 'two' });
});

test('the command that made a structure is the first to be offered again, else a refinement', () => {
  const offer = (slug: string, name: string) => ({
    application: { slug, name: slug } as IApplication,
    command: { name } as ICommand
  });
  const offers = [offer('a', 'one'), offer('refine', 'refine_iam'), offer('har', 'refine_har')];
  const chooser = (usual: string) => (
    <StepChooser label="Next" act="Open" offers={offers} usual={usual} start={() => undefined} trans={trans} />
  );
  expect(html(chooser('har.refine_har'))).toContain('<option value="har.refine_har" selected="">');
  expect(html(chooser('gone.away'))).toContain('<option value="refine.refine_iam" selected="">');
});

test('a time in a title, a row or a list has ISO 8601 under the pointer', () => {
  const at = '2026-11-20T18:24:00.000Z';
  const marked = `<time dateTime="${at}" title="${at}">`;
  expect(html(result(calculation({ finished_at: at })).view)).toContain(`azu · IAM · ${marked}`);
  expect(html(result(calculation({ name: 'best', title: 'best', finished_at: at })).view)).not.toContain('<time');
});

test('the main facts of a structure have its cell with s.u., as its file gives it', () => {
  const index = { a: 10.003, b: 11, c: 12.1, alpha: 90, beta: 95.1, gamma: 90 };
  const shown = (more: object) => words(<CrystalFacts index={{ ...index, ...more }} trans={trans} />);
  const cell_text = ['10.003(1)', '11', '12.1000(20)', '90', '95.10(3)', '90'];
  expect(shown({ cell_text })).toBe('Cell 10.003(1), 11, 12.1000(20) Å; 90, 95.10(3), 90°');
  expect(shown({})).toBe('Cell 10.003, 11.000, 12.100 Å; 90.00, 95.10, 90.00°');
});

test('a traceback is behind "details", its last line in words', () => {
  const text = 'Traceback (most recent call last):\n  File "/opt/x.py", line 3\nValueError: /tmp/run/a.cif is empty';
  const shown = words(<Failure text={text} status="failed" trans={trans} />);
  expect(shown.startsWith('a.cif is empty Details Traceback')).toBe(true);
  expect(html(<Failure text="" status="failed" trans={trans} />)).toBe('');
});

test('a picture names what it shows for those who do not see it', () => {
  const file = { filename: 'azu.cif', index: { formula_sum: 'C10 H8' } } as IDataFile;
  const shown = html(<Facts file={file} pictureUrl="/p/1" trans={trans} />);
  expect(shown).toContain('alt="Displacement ellipsoids of azu.cif"');
});

// ---------------------------------------------------------------- first refinement

function guide(step: StepName, more: object = {}, known?: ICalculation) {
  const place = STEPS.indexOf(step);
  const model = {
    step,
    isDone: (each: StepName) => STEPS.indexOf(each) < place,
    candidates: [],
    chosen: '',
    candidate: undefined,
    offer: { command: { missing: '' } },
    result: known,
    calculation: known ? 'c1' : '',
    isSending: false,
    problem: '',
    ...acts('choose', 'look', 'judge', 'refine'),
    ...more
  };
  const actions = acts('addFiles', 'openResult', 'next');
  const store = { calculations: [], client: { pictureUrl: (id: string) => `/p/${id}` } };
  return { model, actions, view: new GuideView(model as never, store as never, actions as never, trans) };
}

test('steps that come later are closed, those that are done have a sign', () => {
  const shown = html(guide('refine').view);
  expect(shown.match(/✓/g)).toHaveLength(2);
  expect(shown).toContain('data-step="refine" aria-current="step"');
  expect(shown).not.toContain('usual for good data');
});

test('examples are marked among the structures', () => {
  const candidates = [false, true].map(read_only => ({
    dataset: { name: read_only ? 'thpp' : 'azu', read_only, data_files: {} } as unknown as IDataset,
    file: { qcrbox_file_id: `f-${read_only}` }
  }));
  const { view, model, actions } = guide('choose', { candidates });
  expect(words(view)).toContain('choose … azu thpp (example)');
  fill(view, 'Structure', 'f-true');
  expect(model.choose).toHaveBeenCalledWith('f-true');
  button(view, 'My own files …').press();
  expect(actions.addFiles).toHaveBeenCalled();
});

test.each([
  [{}, undefined, 'Refine with the defaults', false],
  [{ isSending: true }, undefined, 'Refine with the defaults', true],
  [{ calculation: 'c1' }, undefined, 'Queued …', true],
  [{ offer: { command: { missing: 'Install it.' } } }, undefined, 'Refine with the defaults', true],
  [{}, calculation({ status: 'failed', error_msg: 'No data.' }), 'Try again', false]
])('%j: the button "%s" is there', (more, known, text, disabled) => {
  expect(button(guide('refine', more, known).view, text).disabled).toBe(disabled);
});

test('a result is judged by its figures, and opened', () => {
  const done = calculation({ status: 'successful', progress: { metrics: { R1: 0.04 }, history: [{ R1: 0.09 }] } });
  const { view, model, actions } = guide('judge', {}, done);
  expect(words(view)).toContain('R1: 0.0900 → 0.0400');
  button(view, 'Open the result: structure, difference map, plots, alerts').press();
  expect(model.judge).toHaveBeenCalled();
  expect(actions.openResult).toHaveBeenCalledWith('c1');
});

// ---------------------------------------------------------------- the store

const row = (id: string, more: object = {}) =>
  ({ qcrbox_dataset_id: id, name: id, data_files: {}, ...more }) as unknown as IDataset;

function store(more: object = {}) {
  const list = [row('azu'), row('thpp', { read_only: true })];
  const model = {
    facets: {
      text: '',
      tag: '',
      owner: '',
      formula: '',
      elements: '',
      spaceGroup: '',
      cell: '',
      tolerance: '',
      r1Below: ''
    },
    found: list,
    chosen: new Set<string>(),
    chosenDatasets: [] as IDataset[],
    bin: false,
    everybody: false,
    more: false,
    said: '',
    problem: '',
    loading: false,
    lastBinned: [] as string[],
    ...acts('set', 'showBin', 'showEverybody', 'choose'),
    ...Object.fromEntries(['tag', 'share', 'toBin', 'restore', 'loadMore'].map(name => [name, vi.fn(async () => {})])),
    ...more
  };
  const actions = {
    ...acts('use', 'rename'),
    downloadUrl: (id: string) => id,
    maySeeOthers: () => false,
    ask: vi.fn()
  };
  return { model, actions, view: new StoreBrowser(model as never, actions as never, trans) };
}

test('examples can be exported, but neither tagged, shared nor deleted', () => {
  const { view } = store({ chosenDatasets: [row('thpp', { read_only: true })] });
  const can = ['Tag …', 'Share …', 'Export', 'Delete'].map(text => !button(view, text).disabled);
  expect(can).toEqual([false, false, true, false]);
});

test('without a choice nothing can be done; an empty answer does nothing', async () => {
  expect(['Tag …', 'Export', 'Delete'].every(text => button(store().view, text).disabled)).toBe(true);
  const { view, model, actions } = store({ chosenDatasets: [row('azu')] });
  actions.ask.mockResolvedValueOnce('  ').mockResolvedValueOnce(' new ');
  button(view, 'Tag …').press();
  await vi.waitFor(() => expect(actions.ask).toHaveBeenCalledTimes(1));
  button(view, 'Tag …').press();
  await vi.waitFor(() => expect((model as unknown as { tag: unknown }).tag).toHaveBeenCalledWith('new'));
  expect((model as unknown as { tag: unknown }).tag).toHaveBeenCalledTimes(1);
});

test('in the bin things come back, and are neither searched nor renamed nor used', () => {
  const { view, model } = store({ bin: true, chosenDatasets: [row('azu')] });
  expect(words(view)).not.toContain('Use');
  expect(found(view, each => each.type === 'input' && each.props['disabled'] === true)).toHaveLength(9);
  button(view, 'Bring back').press();
  expect((model as unknown as { restore: unknown }).restore).toHaveBeenCalledWith(['azu']);
});

test('what was deleted last comes back by one click', () => {
  const { view, model } = store({ lastBinned: ['a', 'b'] });
  button(view, 'Undo: bring back 2').press();
  expect((model as unknown as { restore: unknown }).restore).toHaveBeenCalledWith(['a', 'b']);
});

test('a result that should be looked at first has the amber sign, in the bin too', () => {
  const sign = 'aria-label="with warnings, or not converged"';
  const warned = { calculation_id: 'c1', doubtful: true };
  for (const bin of [false, true]) {
    const shown = html(store({ bin, found: [row('azu', warned), row('good', { calculation_id: 'c2' })] }).view);
    expect(shown.split(sign)).toHaveLength(2);
    expect(shown).toContain('data-doubtful');
  }
});

test('of very many rows only those in sight are in the page', () => {
  const shown = html(store({ found: Array.from({ length: 5000 }, (_, n) => row(`d${n}`)) }).view);
  expect(shown.match(/data-dataset/g)?.length).toBeLessThan(40);
  expect(shown).toContain('aria-rowcount="5001"');
});

test('a field of the search sets itself alone; the words of an empty list fit', () => {
  const { view, model } = store();
  const [cell] = found(view, each => each.props['placeholder'] === 'a b c α β γ');
  (cell?.props['onChange'] as (event: unknown) => void)({ target: { value: '7.8 6 7.9' } });
  expect(model.set).toHaveBeenCalledWith({ cell: '7.8 6 7.9' });
  expect(words(store({ found: [] }).view)).toContain('Nothing matches.');
  expect(words(store({ found: [], bin: true }).view)).toContain('The bin is empty.');
});

// ---------------------------------------------------------------- exercises

const exercise = (more: object = {}) => ({ id: 'e1', title: 'Twins', phase: 'open', course: 'X', ...more });
const task = (id: string, more: object = {}) => ({ id, title: id, kind: 'value', choices: [], unit: 'Å', ...more });
const own = (more: object = {}) => ({
  exercise: exercise(),
  notes: [],
  snapshots: [],
  answers: {},
  tasks: [{ state: 'not_begun' }],
  manifest: { tasks: [task('cell')] },
  ...more
});

function exercises(given: object | null, list: object[] = [exercise()]) {
  const model = { exercises: list, own: given, close: vi.fn() };
  const actions = acts('open', 'reset', 'submit', 'answer', 'openResult');
  return { model, actions, shown: <Exercises model={model as never} trans={trans} actions={actions as never} /> };
}

test('without exercises there is no part for them; one that is not open yet cannot be begun', () => {
  expect(html(exercises(null, []).shown)).toBe('');
  const { shown } = exercises(null, [exercise({ phase: 'not_open' })]);
  expect(html(shown)).toMatch(/disabled="">Begin/);
  expect(words(exercises(null, [exercise({ opened_at: '2026' })]).shown)).toContain('Go on');
});

test('a preview begins before the exercise is open, and answers and submits once it is closed', () => {
  const early = exercises(null, [exercise({ phase: 'not_open', may_try: true })]);
  expect(html(early.shown)).not.toContain('disabled');
  const closed = exercises(own({ preview: true, exercise: exercise({ phase: 'closed', may_try: true }) })).shown;
  expect(html(closed)).not.toMatch(/disabled="">Submit/);
  expect(html(closed)).not.toMatch(/<input[^>]*disabled=""/);
  expect(words(closed)).toContain('closed for students');
  const archived = exercise({ phase: 'closed', may_try: true, archived: true });
  expect(html(exercises(own({ preview: true, exercise: archived })).shown)).toMatch(/disabled="">Submit/);
});

test('every state of a task has sign and word; a hint helps until it is done', () => {
  const state = (given: TaskState) => words(exercises(own({ tasks: [{ state: given, hint: 'Look at b.' }] })).shown);
  expect(state('running')).toContain('◐ running');
  expect(state('failed')).toContain('Hint Look at b.');
  expect(state('done')).not.toContain('Hint');
});

test('a closed exercise takes no answers and no submission', () => {
  const shown = html(exercises(own({ exercise: exercise({ phase: 'closed' }) })).shown);
  expect(shown).toMatch(/disabled="">Submit/);
  expect(shown).toMatch(/<input[^>]*disabled=""/);
});

test('a receipt says when and whether late; a collected one is no submission', () => {
  const last = { at: '2026-11-29T10:00:00Z', receipt: '0123456789abcdef', reason: 'submitted', late: true };
  const text = words(exercises(own({ snapshots: [last] })).shown);
  expect(text).toMatch(/Submit again .*Submitted .*, receipt 0123456789ab \(late\)/);
  const collected = words(exercises(own({ snapshots: [{ ...last, reason: 'collected', late: false }] })).shown);
  expect(collected).toMatch(/Collected .*, receipt 0123456789ab$/);
});

test('feedback has the points of each task and its criteria', () => {
  const feedback = {
    points: 3,
    most: 5,
    comment: 'Good.',
    tasks: [
      {
        task_id: 'cell',
        title: 'cell',
        points: null,
        most: 2,
        words: 'open',
        criteria: [{ text: 'unit', met: true, points: 1 }]
      }
    ]
  };
  const text = words(exercises(own({ feedback })).shown);
  expect(text).toContain('3 of 5 points Good. cell: – / 2 open met: unit (1)');
});

test.each([
  ['_cell.length_b', '_cell_length_b', true],
  ['_cell_length_b', '_Cell.Length_B ', true],
  ['_cell_length_b', 'axis', true],
  ['_cell_length_b', '14.58', true],
  ['_cell_length_b', '14_58', false],
  ['_cell_length_b', '_cell_length_a', false]
])('an item written %s is found by "%s": %s', (tag, wanted, fits) => {
  expect(isFound({ tag, words: 'length of the axis b', value: '14.58' } as never, wanted)).toBe(fits);
});
