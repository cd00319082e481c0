// @vitest-environment jsdom
/** The panel, projects and windows of programs as plug-ins of Lab. */
import { beforeEach, expect, test, vi } from 'vitest';

import { TELL_BY_MAIL, TELL_OUTSIDE, UPLOAD } from '../src/panel/commands';
import { panelPlugin } from '../src/panel';
import { projectsPlugin } from '../src/projects';
import { OPEN_PROJECTS } from '../src/projects/commands';
import { sessionOutput, SESSION_MIME } from '../src/session/output';
import { HOSTILE } from './lab_dom';
import { forget, notes, Refusal, requests } from './lab_libraries';
import { calculation, lab, settle, trans } from './lab_shell';

vi.mock('@jupyterlab/ui-components', () => import('./lab_libraries'));
vi.mock('@jupyterlab/apputils', () => import('./lab_libraries'));
vi.mock('@jupyterlab/application', () => import('./lab_libraries'));
vi.mock('@jupyterlab/launcher', () => import('./lab_libraries'));
vi.mock('@jupyterlab/notebook', () => import('./lab_libraries'));
vi.mock('@jupyterlab/services', () => import('./lab_libraries'));

beforeEach(() => {
  forget();
  document.body.replaceChildren();
  localStorage.clear();
});

// ---------------------------------------------------------------- windows in a notebook's output

const ID = 'a'.repeat(32);
const session = (more: object = {}) => ({ session_id: ID, state: 'open', application_slug: 'olex2', ...more });

async function output(data: object, answer?: () => unknown) {
  const open = vi.fn();
  const made = lab({
    answers: { [`GET interactive-sessions/${ID}`]: answer ?? (() => ({ interactive_sessions: [session()] })) }
  });
  const shown = sessionOutput(trans, made.store, open).createRenderer({} as never);
  await shown.renderModel({ data: { [SESSION_MIME]: data } } as never);
  await settle();
  const button = shown.node.querySelector('button') as HTMLButtonElement;
  return { ...made, shown, open, button, state: () => shown.node.querySelector('span')?.textContent };
}

test('the output of a session opens its tab by the id alone', async () => {
  const { open, button, state } = await output({ session_id: ID, name: 'Olex2' });
  button.click();
  expect(open).toHaveBeenCalledWith({ session_id: ID });
  expect(state()).toContain('open');
});

test.each([['../../me'], ['A'.repeat(32)], [''], [HOSTILE], [{ $ne: 1 }]])(
  'an output with the id %j opens nothing and asks nothing',
  async session_id => {
    const { shown, button, open } = await output({ session_id, name: HOSTILE });
    button.click();
    expect([button.hidden, shown.node.textContent]).toEqual([true, 'This output names no session.']);
    expect(shown.node.querySelector('img')).toBe(null);
    expect(open.mock.calls.every(([given]) => (given as { session_id: string }).session_id === '')).toBe(true);
  }
);

test('a name from a notebook is text', async () => {
  const { shown } = await output({ session_id: ID, name: HOSTILE }, () => ({ interactive_sessions: [] }));
  expect(shown.node.querySelector('button')?.textContent).toBe(`Open ${HOSTILE} in a tab`);
  expect(shown.node.querySelector('img')).toBe(null);
});

const refused = (status: number) => () => {
  throw new Refusal(status, 'no');
};
test.each([
  ['is not in its answer', () => ({ interactive_sessions: [] }), 0],
  ['is refused with 404', refused(404), 0],
  ['is refused with 403', refused(403), 0],
  ['cannot be asked for now', refused(503), 3]
])('of a session that %s the registry is asked again only while it is away', async (_, answer, times) => {
  const asked = vi.fn(answer);
  const { shown, store } = await output({ session_id: ID, name: 'x' }, asked);
  asked.mockClear();
  for (let n = 0; n < 3; n++) {
    await store.refresh();
    await settle(2);
  }
  expect(shown.node.querySelector('span')?.dataset['phase']).toBe('missing');
  expect(asked).toHaveBeenCalledTimes(times);
});

test('an output follows its session, and hears nothing once it is taken away', async () => {
  const { shown, store, played, state } = await output({ session_id: ID, name: 'x' });
  played.lists['interactive-sessions'] = [session({ state: 'starting' })];
  await store.refresh();
  const starting = state();
  expect(starting).not.toContain('open');
  const { node } = shown;
  shown.dispose();
  played.lists['interactive-sessions'] = [session()];
  await store.refresh();
  expect(node.querySelector('span')?.textContent).toBe(starting);
});

test.each([
  ['successful', 'finished'],
  ['failed', 'failed'],
  ['cancelled', 'discarded']
])('the output of a session that ended as %s asks no more, whatever else happens', async (status, phase) => {
  const asked = vi.fn(() => ({ interactive_sessions: [session({ state: 'closed', status })] }));
  const { shown, happen, store } = await output({ session_id: ID, name: 'x' }, asked);
  expect(shown.node.querySelector('span')?.dataset['phase']).toBe(phase);
  asked.mockClear();
  happen({ kind: 'progress', id: 'of another calculation', seq: 0 });
  await store.refresh();
  await settle(2);
  expect(asked).not.toHaveBeenCalled();
});

test('a cell that is run again shows what it names now', async () => {
  const { shown, store, button, state } = await output({ session_id: ID, name: 'x' });
  await shown.renderModel({ data: { [SESSION_MIME]: { session_id: '../me' } } } as never);
  await store.refresh();
  await settle(2);
  expect([button.hidden, state()]).toEqual([true, 'This output names no session.']);
  await shown.renderModel({ data: { [SESSION_MIME]: { session_id: ID } } } as never);
  await settle();
  expect([button.hidden, state()?.includes('open')]).toEqual([false, true]);
});

// ---------------------------------------------------------------- projects

function projects(answer: () => unknown = () => ({ projects: [] })) {
  const asked = vi.fn(answer);
  const made = lab({ answers: { 'GET projects': asked } });
  made.use(projectsPlugin);
  return { ...made, asked };
}

test('projects are one tab, which asks anew once for changes that come together, and not for progress', async () => {
  vi.useFakeTimers();
  const { run, happen, shown, asked } = projects();
  await run(OPEN_PROJECTS);
  await run(OPEN_PROJECTS);
  await vi.advanceTimersByTimeAsync(0);
  expect([shown.map(each => each.title.label), asked.mock.calls.length]).toEqual([['Projects'], 1]);
  happen({ kind: 'calculation', id: 'c1', seq: 0 });
  happen({ kind: 'session', id: 's1', seq: 4 });
  await vi.advanceTimersByTimeAsync(300);
  expect(asked).toHaveBeenCalledTimes(1);
  happen({ kind: 'calculation', id: 'c1', seq: 5 });
  happen({ kind: 'dataset', id: 'd1', seq: 6 });
  await vi.advanceTimersByTimeAsync(300);
  expect(asked).toHaveBeenCalledTimes(2);
  happen({ kind: 'title', id: 'c1', seq: 7 });
  shown[0]?.dispose();
  await vi.advanceTimersByTimeAsync(300);
  expect(asked).toHaveBeenCalledTimes(2);
});

// ---------------------------------------------------------------- the panel

function panel() {
  const made = lab({ calculations: [calculation('c1')] });
  const items: string[] = [];
  const palette = { addItem: ({ command }: { command: string }) => void items.push(command) };
  const cards: { command: string; args?: object }[] = [];
  made.use(panelPlugin, made.notebooks, null, palette, { add: (card: never) => void cards.push(card) }, null);
  return { ...made, items, cards };
}

test('the panel stands at the left; its commands are in the palette, its parts on the start page', () => {
  const { shown, items, cards } = panel();
  expect(shown.map(each => each.id)).toEqual(['qcrbox-panel']);
  expect(items).toEqual(expect.arrayContaining([UPLOAD, TELL_OUTSIDE, TELL_BY_MAIL]));
  expect(cards.flatMap(card => Object.values(card.args ?? {}))).toEqual(['calculations', 'datasets', 'applications']);
});

test('nothing is asked of the registry before somebody looks', async () => {
  const { store } = panel();
  await settle();
  expect([store.calculations, requests]).toEqual([[], []]);
});

test('without a hub no e-mails are offered, and without the browser’s permission no notifications', async () => {
  const { app, run } = panel();
  expect([app.commands.isVisible(TELL_BY_MAIL), app.commands.isEnabled(TELL_OUTSIDE)]).toEqual([false, false]);
  vi.stubGlobal(
    'Notification',
    Object.assign(class {}, { permission: 'denied', requestPermission: async () => 'denied' })
  );
  vi.stubGlobal('isSecureContext', true);
  const allowed = panel();
  expect(allowed.app.commands.isEnabled(TELL_OUTSIDE)).toBe(true);
  await allowed.run(TELL_OUTSIDE);
  expect(allowed.app.commands.isToggled(TELL_OUTSIDE)).toBe(false);
  expect(notes.map(([kind]) => kind)).toEqual(['warning']);
  expect(run).toBeDefined();
});
