// @vitest-environment jsdom
/** A notebook becomes an exercise: from the menu to the request that the person's server gets. */
import { act } from 'react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { exercisePlugin } from '../src/exercise';
import { MAKE_EXERCISE } from '../src/exercise/commands';
import { type Answer, forget, Refusal, requests } from './lab_libraries';
import { dataset, lab, settle } from './lab_shell';

vi.mock('@jupyterlab/ui-components', () => import('./lab_libraries'));
vi.mock('@jupyterlab/apputils', () => import('./lab_libraries'));
vi.mock('@jupyterlab/application', () => import('./lab_libraries'));
vi.mock('@jupyterlab/notebook', () => import('./lab_libraries'));
vi.mock('@jupyterlab/services', () => import('./lab_libraries'));
vi.mock('@jupyterlab/coreutils', async original => ({
  ...(await original<object>()),
  PageConfig: { getOption: (name: string) => (name === 'hubPrefix' ? '/hub/' : name === 'hubHost' ? 'http://hub' : '') }
}));

beforeEach(forget);
afterEach(() => document.body.replaceChildren());

const COURSES = [
  { id: 'c1', title: 'XRD 101', role: 'lecturer' },
  { id: 'c2', title: 'Assisted', role: 'assistant' },
  { id: 'c3', title: 'Of last year', role: 'lecturer', archived_at: '2025' }
];

async function form(courses: object[], answers: Record<string, Answer> = {}) {
  const made = lab({ datasets: [dataset('quartz', 'quartz.cif', 'quartz.hkl'), dataset('model', 'answer.cif')] });
  made.played.lists['courses'] = courses;
  Object.assign(made.played.answers, answers);
  const save = vi.fn(async () => undefined);
  const notebooks = { currentWidget: { context: { path: 'week 1/which_atom.ipynb', save } } };
  made.use(exercisePlugin, notebooks);
  await made.run(MAKE_EXERCISE);
  const { content } = made.shown[0] as unknown as { content: { draw(): Promise<HTMLElement> } };
  const node = await content.draw();
  document.body.append(node);
  await settle(2);
  return { node, save };
}

function choose(node: HTMLElement, label: string, ...texts: string[]): void {
  const found = [...node.querySelectorAll('label')].find(each => each.textContent === label);
  const select = document.getElementById(found?.htmlFor ?? '') as HTMLSelectElement;
  for (const option of select.options) {
    option.selected = texts.includes(option.textContent ?? '');
  }
  select.dispatchEvent(new Event('change', { bubbles: true }));
}

const submitted = async (node: HTMLElement) => {
  await act(async () => node.querySelector('form')?.requestSubmit());
  await settle();
};

test('the notebook is saved, and the exercise has the chosen data', async () => {
  const answer = () => ({ id: 'e1', title: 'which atom', tasks: 3 });
  const { node, save } = await form(COURSES, { 'POST exercises': answer });
  expect([...node.querySelectorAll('select')[0]!.options].map(each => each.textContent)).toEqual(['XRD 101']);
  await act(async () => choose(node, 'Data for students', 'quartz'));
  await act(async () => choose(node, 'Data for lecturers only', 'model'));
  await submitted(node);
  expect(save).toHaveBeenCalledOnce();
  expect(requests.map(each => each.body)).toEqual([
    {
      course: 'c1',
      title: 'which atom',
      text: '',
      minutes: null,
      path: 'week 1/which_atom.ipynb',
      data: ['f-quartz.cif', 'f-quartz.hkl'],
      for_lecturers: ['f-answer.cif']
    }
  ]);
  expect(node.textContent).toContain('which atom has 3 tasks. Students see it once you publish it.');
  expect([...node.querySelectorAll('a')].map(each => each.getAttribute('href'))).toEqual([
    'http://hub/hub/teaching/exercises/e1',
    'http://hub/hub/teaching/exercises/e1/tasks',
    'http://hub/hub/teaching/exercises/e1/preview'
  ]);
});

test('what is refused is said, and the form stays as it was filled in', async () => {
  const answer = () => {
    throw new Refusal(400, 'which_atom.ipynb: Cell 2: <b>task</b> is misspelt.');
  };
  const { node } = await form(COURSES, { 'POST exercises': answer });
  await submitted(node);
  expect(node.querySelector('[role=alert]')?.textContent).toContain('Cell 2: <b>task</b> is misspelt.');
  expect(node.querySelector('b')).toBeNull();
  expect(node.querySelector<HTMLInputElement>('input')?.value).toBe('which atom');
});

test('where the courses cannot be read nobody is told that they teach none', async () => {
  const answer = () => {
    throw new Refusal(503, 'The registry is down.');
  };
  const { node } = await form([], { courses: answer, 'GET courses': answer });
  expect(node.textContent).toContain('The registry is down.');
  expect(node.textContent).not.toContain('You teach no course.');
});

test('who teaches no course is led to the courses', async () => {
  const { node } = await form([COURSES[1]!]);
  expect(node.textContent).toContain('You teach no course.');
  expect(node.querySelector('a')?.getAttribute('href')).toBe('http://hub/hub/teaching');
});
