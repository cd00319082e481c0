import { nullTranslator } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import { Signal } from '@lumino/signaling';
import * as React from 'react';
import { expect, test, vi } from 'vitest';

import { exerciseActions } from '../src/exercise/actions';
import { ExerciseModel } from '../src/exercise/model';
import { Exercises } from '../src/exercise/section';
import type { IExercise, IOwnExercise, ITask } from '../src/exercise/types';
import type { RegistryStore } from '../src/registry/store';
import { html, words } from './lab_parts';

vi.mock('@jupyterlab/ui-components', () => import('./lab_parts'));
vi.mock('@jupyterlab/apputils', () => ({ Dialog: {}, Notification: {}, showDialog: vi.fn() }));

const trans = nullTranslator.load('qcrbox');
const applications = [
  { slug: 'practice', commands: [{ name: 'read', implemented_as: 'python_callable' }] },
  {
    slug: 'refine',
    commands: [
      { name: 'refine_iam', implemented_as: 'python_callable' },
      { name: 'draw', implemented_as: 'interactive_session' }
    ]
  }
];

const task = (more: Partial<ITask> = {}) =>
  ({
    id: 'a',
    title: 'Refine',
    kind: 'calculation',
    text: '',
    command: '',
    quantity: 'r1',
    unit: '',
    choices: [],
    ...more
  }) as ITask;

function made(...tasks: ITask[]): ExerciseModel {
  const store = { applications } as unknown as { happened: Signal<unknown, unknown> };
  store.happened = new Signal<unknown, unknown>(store);
  const model = new ExerciseModel(store as unknown as RegistryStore);
  model.exercises = [{ id: 'e' } as IExercise];
  model.own = {
    exercise: { id: 'e', title: 'Quartz', phase: 'open' },
    manifest: { title: 'Quartz', text: 'A crystal <i>of</i> quartz.', tasks },
    dataset_id: 'd',
    tasks: [],
    answers: {},
    notes: [],
    snapshots: []
  } as unknown as IOwnExercise;
  return model;
}

function shown(model: ExerciseModel): JSX.Element {
  const nothing = vi.fn();
  const actions = {
    open: nothing,
    reset: nothing,
    submit: nothing,
    answer: nothing,
    run: nothing,
    openResult: nothing
  };
  return <Exercises model={model} trans={trans} actions={actions} />;
}

test('without a notebook the panel says what the exercise and each of its tasks are about', () => {
  const model = made(task({ text: 'Let the occupancies\nbe refined.' }));
  expect(words(shown(model))).toContain('A crystal &lt;i&gt;of&lt;/i&gt; quartz.');
  expect(html(shown(model))).toContain('Let the occupancies\nbe refined.');
});

test('a calculation has a button for its form, a question has none', () => {
  expect(html(shown(made(task())))).toContain('aria-label="Open the form: Refine"');
  expect(html(shown(made(task({ kind: 'answer' }))))).not.toContain('Open the form');
});

test.each([
  ['refine.refine_iam', 'qcrbox:run-command', { application: 'refine', command: 'refine_iam', input: 'd' }],
  ['refine_iam', 'qcrbox:run-command', { application: 'refine', command: 'refine_iam', input: 'd' }],
  ['refine.draw', 'qcrbox:start-session', { application: 'refine', command: 'draw', input: 'd' }],
  ['olex2.refine_iam', 'qcrbox:run-command', { input: 'd' }],
  ['', 'qcrbox:run-command', { input: 'd' }]
])('the form of a task with the command %j', async (command, id, args) => {
  const execute = vi.fn(async () => undefined);
  const actions = exerciseActions(made(), trans, { execute } as unknown as CommandRegistry);
  actions.run(task({ command }), 'd');
  await vi.waitFor(() => expect(execute).toHaveBeenCalledWith(id, args));
});

test('an exercise without data opens the form on no dataset', async () => {
  const execute = vi.fn(async () => undefined);
  const actions = exerciseActions(made(), trans, { execute } as unknown as CommandRegistry);
  actions.run(task({ command: 'practice.read' }));
  const named = { application: 'practice', command: 'read' };
  await vi.waitFor(() => expect(execute).toHaveBeenCalledWith('qcrbox:run-command', named));
});
