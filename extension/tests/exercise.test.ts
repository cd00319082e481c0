import { nullTranslator } from '@jupyterlab/translation';
import { expect, test, vi } from 'vitest';
import { Signal } from '@lumino/signaling';

import { EXERCISE_LINK, withoutExercise } from '../src/exercise/link';
import { ExerciseModel } from '../src/exercise/model';
import type { IExercise, ITask } from '../src/exercise/types';
import { bandWords, dueWords, SHAPES } from '../src/exercise/words';
import type { RegistryStore } from '../src/registry/store';

const trans = nullTranslator.load('qcrbox');
const ID = '0123456789abcdef0123456789abcdef';
const exercise = (more: Partial<IExercise>) => ({ id: ID, title: 'x', phase: 'open', ...more }) as IExercise;
const task = (band: ITask['band']) => ({ id: 'a', quantity: 'r1', band }) as ITask;

test('a link names one exercise and is taken out of the address', () => {
  expect(EXERCISE_LINK.exec(`?a=1&qcrbox-exercise=${ID}`)?.[1]).toBe(ID);
  expect(EXERCISE_LINK.exec('?qcrbox-exercise=../../x')).toBeNull();
  expect(EXERCISE_LINK.exec(`?qcrbox-exercise=${ID}0`)).toBeNull();
  expect(withoutExercise(`http://hub/user/a/lab?b=2&qcrbox-exercise=${ID}#c`)).toBe('/user/a/lab?b=2#c');
});

test('every end of a band has its words', () => {
  expect(bandWords(task(null), trans)).toBe('');
  expect(bandWords(task({ high: 0.05 }), trans)).toBe('R1 at most 0.05');
  expect(bandWords(task({ low: 0.02, high: null }), trans)).toBe('R1 at least 0.02');
  expect(bandWords(task({ low: 0, high: 0.05 }), trans)).toBe('R1 from 0 to 0.05');
});

test.each([
  ['r1', 'R1 at most 2'],
  ['wr2', 'wR2 at most 2'],
  ['goof', 'Goodness of fit at most 2'],
  ['residual_max', 'Highest residual density (e/Å³) at most 2'],
  ['of_tomorrow', 'of_tomorrow at most 2']
])('the figure %s has the name that people read', (quantity, words) => {
  expect(bandWords({ ...task({ high: 2 }), quantity }, trans)).toBe(words);
});

test('the words of a deadline follow the phase', () => {
  expect(dueWords(exercise({}), trans)).toBe('');
  expect(dueWords(exercise({ own_due_at: '2026-01-01T00:00:00Z' }), trans)).toMatch(/^due /);
  expect(dueWords(exercise({ phase: 'closed' }), trans)).toContain('collected');
  expect(dueWords(exercise({ phase: 'late', own_due_at: '2026-01-01T00:00:00Z' }), trans)).toContain('late work');
});

test('each state has its own shape', () => {
  expect(new Set(Object.values(SHAPES)).size).toBe(Object.keys(SHAPES).length);
});

function model(answers: Record<string, unknown>) {
  const store = {} as { happened: Signal<unknown, unknown>; client: { ask: (path: string) => Promise<unknown> } };
  store.happened = new Signal<unknown, unknown>(store);
  store.client = { ask: vi.fn(async (path: string) => answers[path]) };
  return { store, made: new ExerciseModel(store as unknown as RegistryStore) };
}

test('exercises that can be worked on come first, archived courses are left out', async () => {
  const { made } = model({
    courses: { courses: [{ id: 'c' }, { id: 'old', archived_at: '2025' }] },
    'courses/c/exercises': { exercises: [exercise({ id: 'a', phase: 'closed' }), exercise({ id: 'b' })] }
  });
  await made.load();
  expect(made.exercises.map(each => each.id)).toEqual(['b', 'a']);
});

test('many events of one moment ask for the tasks once, and a note is passed on', async () => {
  vi.useFakeTimers();
  const { store, made } = model({ [`exercises/${ID}/own`]: { exercise: { id: ID } } });
  await made.show(ID);
  const notes: string[] = [];
  made.noted.connect((_, text) => notes.push(text));
  for (let i = 0; i < 20; i++) {
    store.happened.emit({ kind: 'calculation', id: 'x' });
  }
  store.happened.emit({ kind: 'exercise', status: 'note', text: 'Look again.' });
  await vi.advanceTimersByTimeAsync(1000);
  expect(store.client.ask).toHaveBeenCalledTimes(2);
  expect(notes).toEqual(['Look again.']);
  vi.useRealTimers();
});

function waiting() {
  const answers = new Map<string, { done(value: unknown): void; fail(error: Error): void }>();
  const store = {} as { happened: Signal<unknown, unknown>; client: object };
  store.happened = new Signal<unknown, unknown>(store);
  store.client = {
    ask: (path: string) => new Promise((done, fail) => answers.set(path, { done, fail }))
  };
  const made = new ExerciseModel(store as unknown as RegistryStore);
  const own = (id: string) => ({ exercise: { id } });
  return { made, answer: (id: string) => answers.get(`exercises/${id}/own`)?.done(own(id)), answers };
}

test('an exercise that was closed before its tasks came stays closed', async () => {
  const { made, answer } = waiting();
  const shown = made.show('a');
  made.close();
  answer('a');
  await shown;
  expect(made.own).toBe(null);
});

test('of two exercises the one that was opened last is shown, whichever answer comes last', async () => {
  const { made, answer } = waiting();
  const first = made.show('a');
  const second = made.show('b');
  answer('b');
  await second;
  answer('a');
  await first;
  expect(made.own?.exercise.id).toBe('b');
});

test('an answer that is stored after the exercise was closed does not open it again', async () => {
  const { made, answer, answers } = waiting();
  const shown = made.show('a');
  answer('a');
  await shown;
  const given = made.answer('a', 't/1', 'N');
  made.close();
  answers.get('exercises/a/answers/t%2F1')?.done({ exercise: { id: 'a' } });
  await given;
  expect(made.own).toBe(null);
});

test('a course that cannot be read hides no other; where none can be read it is an error', async () => {
  const { made, answers } = waiting();
  const courses = { courses: [{ id: 'c1' }, { id: 'c2' }] };
  const load = async (outcome: (id: string) => void) => {
    const loading = made.load();
    answers.get('courses')?.done(courses);
    await vi.waitFor(() => expect(answers.has('courses/c2/exercises')).toBe(true));
    outcome('c1');
    outcome('c2');
    return loading;
  };
  await load(id =>
    id === 'c1'
      ? answers.get(`courses/${id}/exercises`)?.fail(new Error('Forbidden'))
      : answers.get(`courses/${id}/exercises`)?.done({ exercises: [exercise({ id: 'b' })] })
  );
  expect(made.exercises.map(each => each.id)).toEqual(['b']);
  answers.delete('courses/c2/exercises');
  const all = load(id => answers.get(`courses/${id}/exercises`)?.fail(new Error(`${id} is away`)));
  await expect(all).rejects.toThrow('c1 is away');
});

test.each([
  [{ exercise: { id: 'x' } }, 'exercise', true],
  [{ exercise: { id: 'x' } }, 'calculation', true],
  [{ exercise: { id: 'x' } }, 'dataset', false],
  [null, 'exercise', false]
])('with %j open an event of kind %s asks for the tasks: %s', async (own, kind, asks) => {
  vi.useFakeTimers();
  const { store, made } = model({ 'exercises/x/own': { exercise: { id: 'x' } } });
  made.own = own as never;
  store.happened.emit({ kind, id: 'any' });
  await vi.advanceTimersByTimeAsync(1000);
  expect((store.client.ask as ReturnType<typeof vi.fn>).mock.calls.length > 0).toBe(asks);
});
