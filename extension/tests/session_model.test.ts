import { Signal } from '@lumino/signaling';
import { beforeEach, expect, test, vi } from 'vitest';

import { RegistryError } from '../src/registry/client';
import type { RegistryStore } from '../src/registry/store';
import type { ICalculation, IEvent, ISession } from '../src/registry/types';
import type { PictureLink } from '../src/session/link';
import { SessionModel } from '../src/session/model';
import type { Link } from '../src/session/phase';

const NOW = Date.parse('2026-11-29T18:00:00Z');
const session = (more: object = {}) =>
  ({
    session_id: 's',
    application_slug: 'olex2',
    status: 'running',
    state: 'open',
    owner: 'ada',
    opened_at: '2026-11-29T17:00:00Z',
    idle_limit_s: 7200,
    ...more
  }) as unknown as ISession;

function tab(first: ISession | undefined, me = { name: 'ada' }) {
  let known = first;
  const link = {
    state: 'none' as Link,
    viewOnly: false,
    starts: 0,
    stops: 0,
    start: () => (link.starts += 1),
    stop: () => (link.stops += 1),
    dispose: vi.fn(),
    changed: undefined as unknown as Signal<unknown, void>
  };
  link.changed = new Signal<unknown, void>(link);
  const client = {
    session: vi.fn(async () => ({ session: known, now: NOW })),
    calculation: vi.fn(async () => ({ calculation_id: 's', warnings: ['Nothing was changed.'] }) as ICalculation),
    endSession: vi.fn(async (_id: string, _keep: boolean) => undefined),
    stay: vi.fn(async () => undefined),
    allowView: vi.fn(async () => undefined),
    me: vi.fn(async () => me)
  };
  const store = { client, me: undefined, start: vi.fn(async () => undefined) } as unknown as Record<string, unknown>;
  const happened = new Signal<unknown, IEvent>(store);
  Object.assign(store, { happened, changed: new Signal<unknown, void>(store) });
  const model = new SessionModel('s', store as unknown as RegistryStore, link as unknown as PictureLink);
  return {
    model,
    client,
    link,
    happen: (event: object) => happened.emit(event as IEvent),
    become: (now: ISession | undefined) => (known = now)
  };
}

const soon = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.stubGlobal('window', globalThis);
  vi.useFakeTimers({ now: NOW });
});

test('the picture is asked for when there is one, and let go when the session is over', async () => {
  const { model, link, become } = tab(session({ state: 'starting' }));
  expect(model.phase).toBe('loading');
  await soon();
  expect([model.phase, link.starts]).toEqual(['starting', 0]);
  become(session());
  await model.refresh();
  expect([model.phase, link.starts]).toEqual(['connecting', 1]);
  link.state = 'connected';
  await model.refresh();
  expect(link.starts).toBe(1);
  become(session({ status: 'successful', state: 'closed' }));
  const stops = link.stops;
  await model.refresh();
  expect([model.phase, link.stops]).toEqual(['finished', stops + 1]);
  model.dispose();
});

test('a session that starts is asked for every second, one that is open every ten', async () => {
  const { model, client, become, link } = tab(session({ state: 'starting' }));
  await soon();
  await vi.advanceTimersByTimeAsync(3000);
  expect(client.session).toHaveBeenCalledTimes(4);
  become(session());
  link.state = 'connected';
  await vi.advanceTimersByTimeAsync(1000);
  await vi.advanceTimersByTimeAsync(9999);
  expect(client.session).toHaveBeenCalledTimes(5);
  await vi.advanceTimersByTimeAsync(1);
  expect(client.session).toHaveBeenCalledTimes(6);
  model.dispose();
});

test('a session that is over is asked for no more, and its warnings are read once', async () => {
  const { model, client } = tab(session({ status: 'successful', state: 'closed' }));
  await soon();
  await vi.advanceTimersByTimeAsync(60_000);
  await model.refresh();
  expect(client.calculation).toHaveBeenCalledTimes(1);
  expect(model.warnings).toEqual(['Nothing was changed.']);
  expect(client.session).toHaveBeenCalledTimes(2);
});

test.each([404, 403])('an answer %i: there is no such session, and it is not asked for again', async status => {
  const { model, client } = tab(session());
  await soon();
  client.session.mockRejectedValue(new RegistryError('no', status));
  await model.refresh();
  expect(model.phase).toBe('missing');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(client.session).toHaveBeenCalledTimes(2);
});

test('a registry that does not answer for a while takes nothing from the screen', async () => {
  const { model, client, link } = tab(session());
  link.state = 'connected';
  await soon();
  client.session
    .mockRejectedValueOnce(new RegistryError('restarting', 502))
    .mockRejectedValueOnce(new TypeError('net'));
  await vi.advanceTimersByTimeAsync(20_000);
  expect(model.phase).toBe('connected');
  expect(client.session).toHaveBeenCalledTimes(3);
  model.dispose();
});

test('between the click and the answer a session is finishing', async () => {
  const { model, client, link, become } = tab(session());
  link.state = 'connected';
  await soon();
  let answer: () => void = () => undefined;
  client.endSession.mockReturnValue(new Promise(resolve => (answer = () => resolve(undefined))));
  const ending = model.finish(false);
  expect(model.phase).toBe('finishing');
  expect(client.endSession).toHaveBeenCalledWith('s', false);
  become(session({ status: 'cancelled', state: 'closed' }));
  answer();
  await ending;
  expect([model.phase, model.ending]).toEqual(['discarded', false]);
});

test('what cannot be finished stays open, with the reason', async () => {
  const { model, client, link } = tab(session());
  link.state = 'connected';
  await soon();
  client.endSession.mockRejectedValue(new Error('The store is full.'));
  await model.finish(true);
  expect([model.phase, model.problem]).toEqual(['connected', 'The store is full.']);
  model.dispose();
});

test('a refused wish is told, a granted one takes the words away', async () => {
  const { model, client } = tab(session());
  await soon();
  client.allowView.mockRejectedValueOnce(new Error('Only the owner may.'));
  await model.allowView(true);
  expect(model.problem).toBe('Only the owner may.');
  await model.stay();
  expect(model.problem).toBe('');
  model.dispose();
});

test('the time left is counted by the registry’s clock, whatever this one shows', async () => {
  vi.setSystemTime(NOW + 1800_000); // half an hour ahead
  const { model } = tab(session());
  await soon();
  expect(model.left).toBeCloseTo(3600, 0);
  expect(model.late).toBe(false);
  vi.setSystemTime(NOW + 1800_000 + 3400_000);
  expect(model.left).toBeCloseTo(200, 0);
  expect(model.late).toBe(true);
  model.dispose();
});

test.each([
  ['ada', true, false],
  ['bea', false, true]
])('%s: hers is %s, viewing only is %s', async (name, mine, viewOnly) => {
  const { model, link } = tab(session(), { name });
  await soon();
  expect([model.isMine, link.viewOnly]).toEqual([mine, viewOnly]);
  model.dispose();
});

test('only events of this session are a reason to ask', async () => {
  const { model, client, happen } = tab(session());
  await soon();
  happen({ kind: 'session', id: 'other' });
  happen({ kind: 'dataset', id: 's' });
  await soon();
  expect(client.session).toHaveBeenCalledTimes(1);
  happen({ kind: 'session', id: 's' });
  happen({ kind: 'calculation', id: 's' });
  await soon();
  expect(client.session).toHaveBeenCalledTimes(3);
  model.dispose();
});

test('a closed tab asks no more, and lets the picture go once', async () => {
  const { model, client, link } = tab(session());
  await soon();
  model.dispose();
  model.dispose();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(client.session).toHaveBeenCalledTimes(1);
  expect(link.dispose).toHaveBeenCalledTimes(1);
});

test('a tab that is closed while it asks starts no timer', async () => {
  const { model } = tab(session());
  model.dispose();
  await soon();
  expect(vi.getTimerCount()).toBe(0);
});
