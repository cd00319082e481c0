// @vitest-environment jsdom
/** Exercises in the panel: what a student sees, may do and sends. */
import { Signal } from '@lumino/signaling';
import { nullTranslator } from '@jupyterlab/translation';
import * as React from 'react';
import { afterEach, expect, test, vi } from 'vitest';

import { Exercises, type IExerciseActions } from '../src/exercise/section';
import type { IExercise, IOwnExercise, ITask } from '../src/exercise/types';
import { HOSTILE, mount, unmountAll } from './lab_dom';

vi.mock('@jupyterlab/ui-components', () => import('./lab_dom'));

const trans = nullTranslator.load('qcrbox');
afterEach(unmountAll);

const exercise = (more: object = {}) =>
  ({
    id: 'e1',
    title: 'Which atom?',
    course: 'XRD',
    phase: 'open',
    may_try: false,
    archived: false,
    ...more
  }) as unknown as IExercise;
const task = (id: string, more: object = {}) =>
  ({
    id,
    title: `Task ${id}`,
    kind: 'answer',
    choices: [],
    unit: '',
    quantity: 'r1',
    band: null,
    ...more
  }) as unknown as ITask;
const own = (tasks: ITask[], more: object = {}) =>
  ({
    exercise: exercise(),
    manifest: { title: '', text: '', tasks },
    tasks: tasks.map(() => ({ state: 'not_begun' })),
    answers: {},
    notes: [],
    snapshots: [],
    feedback: null,
    preview: false,
    ...more
  }) as unknown as IOwnExercise;

async function section(exercises: IExercise[], opened: IOwnExercise | null = null) {
  const model = { exercises, own: opened, close: vi.fn() };
  Object.assign(model, { changed: new Signal<unknown, void>(model) });
  const actions = Object.fromEntries(
    ['open', 'reset', 'submit', 'answer', 'openResult'].map(name => [name, vi.fn()])
  ) as unknown as Record<keyof IExerciseActions, ReturnType<typeof vi.fn>>;
  const page = await mount(<Exercises model={model as never} trans={trans} actions={actions as never} />);
  const show = (next: IOwnExercise) =>
    page.settle(() => {
      model.own = next;
      (model as unknown as { changed: Signal<unknown, void> }).changed.emit();
    });
  return { page, model, actions, show };
}

test('who has no exercise sees no part for them', async () => {
  expect((await section([])).page.words()).toBe('');
});

test.each([
  [{}, 'Begin', true],
  [{ opened_at: '2026-01-01T00:00:00Z' }, 'Go on', true],
  [{ phase: 'not_open', opens_at: '2030-01-01T00:00:00Z' }, 'Begin', false],
  [{ phase: 'not_open', may_try: true }, 'Begin', true],
  [{ phase: 'closed' }, 'Begin', true]
])('an exercise %j has the button %s, which works: %s', async (more, label, works) => {
  const { page, actions } = await section([exercise(more)]);
  await page.press(label);
  expect(actions.open.mock.calls).toEqual(works ? [['e1']] : []);
});

test('an answer is sent when it is given, and only a changed one', async () => {
  const { page, actions } = await section([exercise()], own([task('a')], { answers: { a: 'N' } }));
  expect(page.button('Answer').disabled).toBe(true);
  await page.settle(() => undefined);
  const field = page.all<HTMLTextAreaElement>('textarea')[0] as HTMLTextAreaElement;
  expect(field.value).toBe('N');
  expect(page.node.querySelector(`#${CSS_ID(field.getAttribute('aria-labelledby'))}`)?.textContent).toBe('Task a');
  await typed(page, field, 'O');
  await page.press('Answer');
  expect(actions.answer.mock.calls).toEqual([['e1', 'a', 'O']]);
});

test('what is being typed stays while the tasks are read anew; an answer from elsewhere replaces it', async () => {
  const tasks = [task('a')];
  const { page, show } = await section([exercise()], own(tasks, { answers: { a: 'N' } }));
  const field = () => page.all<HTMLTextAreaElement>('textarea')[0] as HTMLTextAreaElement;
  await typed(page, field(), 'half an ans');
  await show(own(tasks, { answers: { a: 'N' }, tasks: [{ state: 'running' }] }));
  expect(field().value).toBe('half an ans');
  await show(own(tasks, { answers: { a: 'C' } }));
  expect(field().value).toBe('C');
});

test.each([
  ['a text', {}, 'textarea'],
  ['a number', { kind: 'value', unit: 'Å' }, 'input'],
  ['a choice', { choices: ['N', HOSTILE] }, 'select']
])('%s is given in its own field', async (_, more, tag) => {
  const { page } = await section([exercise()], own([task('a', more)]));
  expect(page.all(`form ${tag}`)).toHaveLength(1);
  expect(page.node.querySelector('img')).toBe(null);
});

test('a calculation has no field; its result opens, and its hint goes when it is done', async () => {
  const calculation = task('r', { kind: 'calculation', band: { high: 0.05 } });
  const found = { state: 'out_of_band', calculation_id: 'c7', hint: 'Try a hydrogen.', words: 'R1 0.061' };
  const { page, actions, show } = await section([exercise()], own([calculation], { tasks: [found] }));
  expect(page.all('form')).toHaveLength(0);
  expect(page.words()).toContain('R1 at most 0.05');
  expect(page.words()).toContain('R1 0.061');
  await page.press('Show the result');
  expect(actions.openResult.mock.calls).toEqual([['c7']]);
  await show(own([calculation], { tasks: [{ ...found, state: 'done' }] }));
  expect(page.words()).not.toContain('Try a hydrogen.');
});

test.each([
  ['closed', { phase: 'closed' }, true],
  ['closed, for its staff', { phase: 'closed', may_try: true }, false],
  ['late', { phase: 'late' }, false],
  ['of an archived course', { archived: true }, true]
])('work on an exercise that is %s is over: %s', async (_, more, isOver) => {
  const { page } = await section([exercise()], own([task('a')], { exercise: exercise(more) }));
  const field = page.all<HTMLTextAreaElement>('textarea')[0] as HTMLTextAreaElement;
  expect([field.disabled, page.button('Submit').disabled]).toEqual([isOver, isOver]);
  expect(page.button('Reset data').disabled).toBe(false);
});

test.each([
  [[], 'Submit', ''],
  [[{ reason: 'collected', at: '2026-01-01T10:00:00Z', receipt: 'f'.repeat(64), late: null }], 'Submit', 'Collected'],
  [[{ reason: 'submitted', at: '2026-01-01T10:00:00Z', receipt: 'a'.repeat(64), late: true }], 'Submit again', '(late)']
])('after %j the button is %s', async (snapshots, label, words) => {
  const { page, actions } = await section([exercise()], own([task('a')], { snapshots }));
  await page.press(label);
  expect(actions.submit.mock.calls).toEqual([['e1']]);
  expect(page.words()).toContain(words);
  expect(page.words()).not.toMatch(/[af]{13}/);
});

test('the way back to all exercises, and the data as they were, are one click each', async () => {
  const { page, model, actions } = await section([exercise()], own([]));
  await page.press('All exercises');
  await page.press('Reset data');
  expect([model.close.mock.calls.length, actions.reset.mock.calls]).toEqual([1, [['e1']]]);
});

test('feedback has points, words and criteria; a task that is not marked has a dash', async () => {
  const feedback = {
    points: 3.5,
    most: 6,
    comment: 'Good.',
    tasks: [
      { task_id: 'a', title: 'First', points: 3.5, most: 4, comment: '', words: 'as measured', criteria: null },
      {
        task_id: 'b',
        title: 'Second',
        points: null,
        most: 2,
        comment: 'See me.',
        words: '',
        criteria: [
          { text: 'units', met: true, points: 1 },
          { text: 'error', met: false, points: 1 }
        ]
      }
    ]
  };
  const { page } = await section([exercise()], own([], { feedback }));
  const words = page.words();
  expect(words).toContain('3.5 of 6 points Good.');
  expect(words).toContain('First: 3.5 / 4 as measured');
  expect(words).toContain('Second: – / 2 See me.met: units (1)not met: error (1)');
});

test('notes of the staff, the preview and texts of others are text', async () => {
  const { page } = await section(
    [exercise({ title: HOSTILE })],
    own([task('a', { title: HOSTILE })], {
      exercise: exercise({ title: HOSTILE }),
      notes: [{ at: '1', by: 'lena', text: HOSTILE }],
      preview: true
    })
  );
  expect(page.words()).toContain('Preview: this copy is on no board');
  expect(page.words()).toContain(`lena: ${HOSTILE}`);
  expect(page.node.querySelector('img')).toBe(null);
});

test('an exercise without a manifest, which is not open yet, has no tasks and breaks nothing', async () => {
  const { page } = await section([exercise()], { ...own([]), manifest: null });
  expect(page.all('li[data-task]')).toHaveLength(0);
});

const CSS_ID = (id: string | null) => (id ?? '').replaceAll(':', '\\:');

async function typed(page: Awaited<ReturnType<typeof mount>>, field: HTMLTextAreaElement, text: string) {
  const { set } = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value') ?? {};
  await page.settle(() => {
    set?.call(field, text);
    field.dispatchEvent(new Event('input', { bubbles: true }));
  });
}
