import { beforeEach, expect, test, vi } from 'vitest';

import { RegistryStore } from '../src/registry/store';
import type { ICalculation, IEvent, ISession } from '../src/registry/types';

const calculation = (id: string, more: object = {}) =>
  ({
    calculation_id: id,
    owner: 'ada',
    status: 'running',
    status_events: [],
    submitted_at: `2026-11-29T18:00:${id.slice(1).padStart(2, '0')}Z`,
    ...more
  }) as unknown as ICalculation;

function registry() {
  let on: { event(text: string): void; open(): void; interrupted(): void };
  const close = vi.fn();
  const client = {
    configured: vi.fn(async () => true),
    applications: vi.fn(async () => []),
    datasets: vi.fn(async (_mine: boolean) => [] as unknown[]),
    calculations: vi.fn(async (_mine: boolean) => [calculation('c1')]),
    sessions: vi.fn(async (_mine: boolean) => [] as ISession[]),
    me: vi.fn(async () => ({ name: 'ada', roles: {} as Record<string, string> })),
    calculation: vi.fn(async (id: string): Promise<ICalculation | undefined> => calculation(id)),
    stream: (given: typeof on) => {
      on = given;
      return { run: async () => undefined, close };
    }
  };
  const store = new RegistryStore(client as never);
  return {
    store,
    client,
    close,
    open: () => on.open(),
    interrupt: () => on.interrupted(),
    raw: (text: string) => on.event(text),
    event: (kind: string, id: string, more: object = {}) => on.event(JSON.stringify({ kind, id, seq: 1, ...more }))
  };
}

beforeEach(() => {
  vi.stubGlobal('window', globalThis);
  vi.useFakeTimers();
});

test('everything is read once, however many look', async () => {
  const { store, client } = registry();
  await Promise.all([store.start(), store.start()]);
  await store.start();
  expect(client.calculations.mock.calls).toEqual([[true]]);
});

test('a server outside a platform asks nothing of a registry', async () => {
  const { store, client } = registry();
  client.configured.mockResolvedValue(false);
  await store.start();
  expect(store.connection).toBe('unconfigured');
  expect(client.calculations).not.toHaveBeenCalled();
});

test('a server that does not answer is a lost connection', async () => {
  const { store, client } = registry();
  client.configured.mockRejectedValue(new Error('Failed to fetch'));
  await store.start();
  expect([store.connection, store.problem]).toEqual(['lost', 'Your server does not answer.']);
});

test('without events the lists are read every three seconds, and no more when events come again', async () => {
  const { store, client, open, interrupt } = registry();
  await store.start();
  open();
  expect(store.connection).toBe('live');
  interrupt();
  expect(store.connection).toBe('polling');
  await vi.advanceTimersByTimeAsync(9000);
  expect(client.calculations).toHaveBeenCalledTimes(4);
  open();
  await vi.advanceTimersByTimeAsync(30_000);
  // Once more: what happened while no events came.
  expect(client.calculations).toHaveBeenCalledTimes(5);
  expect(store.connection).toBe('live');
});

test('a list that cannot be read is a lost connection, until it can', async () => {
  const { store, client, open, interrupt } = registry();
  await store.start();
  open();
  interrupt();
  client.datasets.mockRejectedValueOnce(new Error('The registry restarts.'));
  await vi.advanceTimersByTimeAsync(3000);
  expect([store.connection, store.problem]).toEqual(['lost', 'The registry restarts.']);
  await vi.advanceTimersByTimeAsync(3000);
  expect([store.connection, store.problem]).toEqual(['polling', '']);
});

test('many changed calculations are read as one list', async () => {
  const { store, client, event } = registry();
  await store.start();
  for (let number = 2; number <= 7; number++) {
    event('calculation', `c${number}`, { status: 'running' });
  }
  await vi.advanceTimersByTimeAsync(1);
  expect(client.calculation).not.toHaveBeenCalled();
  expect(client.calculations).toHaveBeenCalledTimes(2);
});

test.each([
  ['dataset', 'datasets'],
  ['data_file', 'datasets'],
  ['share', 'datasets'],
  ['session', 'sessions'],
  ['application', 'applications']
] as const)('an event of kind %s reads %s alone', async (kind, list) => {
  const { store, client, event } = registry();
  await store.start();
  event(kind, 'x');
  await vi.advanceTimersByTimeAsync(1);
  for (const name of ['datasets', 'sessions', 'applications'] as const) {
    expect(client[name]).toHaveBeenCalledTimes(name === list ? 2 : 1);
  }
});

test.each([
  ['dataset', 2],
  ['data_file', 2],
  ['share', 2],
  ['project', 1]
])('an event of kind %s: the datasets are read %i times in all', async (kind, times) => {
  const { store, client, event } = registry();
  await store.start();
  event(kind, 'x');
  await vi.advanceTimersByTimeAsync(1);
  expect(client.datasets).toHaveBeenCalledTimes(times);
});

test('the end of a calculation reads the datasets too, since it has left one', async () => {
  const { store, client, event } = registry();
  await store.start();
  event('calculation', 'c1', { status: 'running' });
  await vi.advanceTimersByTimeAsync(1);
  expect(client.datasets).toHaveBeenCalledTimes(1);
  event('calculation', 'c1', { status: 'successful' });
  await vi.advanceTimersByTimeAsync(200);
  expect(client.datasets).toHaveBeenCalledTimes(2);
});

test('progress is shown without asking; its history grows', async () => {
  const { store, client, event } = registry();
  await store.start();
  event('progress', 'c1', { seq: 0, fraction: 0.5, metrics: { R1: 0.06 } });
  event('progress', 'c1', { seq: 0, metrics: { R1: 0.05 } });
  event('log', 'c1', { seq: 0, text: 'a line' });
  const [known] = store.calculations;
  expect(known?.progress).toEqual({
    fraction: 0.5,
    text: undefined,
    metrics: { R1: 0.05 },
    history: [{ R1: 0.06 }, { R1: 0.05 }]
  });
  expect(known?.heard).toBe(3);
  await vi.advanceTimersByTimeAsync(1);
  expect(client.calculation).not.toHaveBeenCalled();
});

test.each(['no JSON', '{"kind": "of tomorrow", "id": "x", "seq": 3}'])('the event %s changes nothing', async text => {
  const { store, client, raw } = registry();
  await store.start();
  raw(text);
  await vi.advanceTimersByTimeAsync(1000);
  expect(client.calculations).toHaveBeenCalledTimes(1);
  expect(client.datasets).toHaveBeenCalledTimes(1);
});

test('events reach those who listen before the lists are read', async () => {
  const { store, event } = registry();
  await store.start();
  const heard: IEvent[] = [];
  store.happened.connect((_, each) => heard.push(each));
  event('project', 'p1');
  expect(heard.map(each => [each.kind, each.id])).toEqual([['project', 'p1']]);
});

test('another person’s calculation is not listed among one’s own; with everybody’s it is', async () => {
  const { store, client, event } = registry();
  client.calculation.mockImplementation(async id => calculation(id, { owner: 'bea' }));
  await store.start();
  event('calculation', 'c5', { status: 'running' });
  await vi.advanceTimersByTimeAsync(1);
  expect(store.calculations.map(each => each.calculation_id)).toEqual(['c1']);
  await store.showEverybody(true);
  expect(client.calculations).toHaveBeenLastCalledWith(false);
  event('calculation', 'c5', { status: 'running' });
  await vi.advanceTimersByTimeAsync(200);
  expect(store.calculations.map(each => each.calculation_id)).toEqual(['c5', 'c1']);
});

test('the switch to everybody’s work makes sense for those alone who have a right over it', async () => {
  const { store, client } = registry();
  await store.start();
  expect(store.maySeeOthers).toBe(false);
  client.me.mockResolvedValue({ name: 'ada', roles: { xtal: 'manager' } });
  await store.refresh();
  expect(store.maySeeOthers).toBe(true);
});

test('a calculation that is gone leaves the others as they are', async () => {
  const { store, client, event } = registry();
  await store.start();
  client.calculation.mockResolvedValue(undefined);
  event('calculation', 'c9', { status: 'cancelled' });
  await vi.advanceTimersByTimeAsync(1);
  expect(store.calculations.map(each => each.calculation_id)).toEqual(['c1']);
});

test('a disposed store lets the stream go, and its timers', async () => {
  const { store, client, close, interrupt } = registry();
  await store.start();
  interrupt();
  store.dispose();
  store.dispose();
  await vi.advanceTimersByTimeAsync(30_000);
  expect(close).toHaveBeenCalledTimes(1);
  expect(client.calculations).toHaveBeenCalledTimes(1);
});

test('a server that does not answer at first is tried again, and then followed', async () => {
  const { store, client, open } = registry();
  client.configured.mockRejectedValueOnce(new Error('Failed to fetch'));
  await store.start();
  await vi.advanceTimersByTimeAsync(3000);
  expect([store.connection, store.problem, store.calculations.length]).toEqual(['polling', '', 1]);
  open();
  expect(store.connection).toBe('live');
  await vi.advanceTimersByTimeAsync(30_000);
  expect(client.configured).toHaveBeenCalledTimes(2);
});

test('who looks again does not wait for the next attempt, and causes no second one', async () => {
  const { store, client } = registry();
  client.configured.mockRejectedValueOnce(new Error('Failed to fetch'));
  await store.start();
  await store.start();
  expect(store.calculations).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(30_000);
  expect(client.configured).toHaveBeenCalledTimes(2);
});

test('a store that was disposed tries no more', async () => {
  const { store, client } = registry();
  client.configured.mockRejectedValue(new Error('Failed to fetch'));
  await store.start();
  store.dispose();
  await vi.advanceTimersByTimeAsync(30_000);
  expect(client.configured).toHaveBeenCalledTimes(1);
});

test('a store that was disposed while its server was asked tries no more', async () => {
  const { store, client } = registry();
  client.configured.mockRejectedValue(new Error('Failed to fetch'));
  const starting = store.start();
  store.dispose();
  await starting;
  await vi.advanceTimersByTimeAsync(30_000);
  expect(client.configured).toHaveBeenCalledTimes(1);
});

test('of two answers the one to the newer question stays, whichever comes last', async () => {
  const { store, client } = registry();
  await store.start();
  let answer: (found: ICalculation[]) => void = () => undefined;
  client.calculations.mockReturnValueOnce(new Promise(done => (answer = done)));
  const everybody = store.showEverybody(true);
  await store.showEverybody(false);
  answer([calculation('c8', { owner: 'bea' }), calculation('c1')]);
  await everybody;
  expect(store.calculations.map(each => each.calculation_id)).toEqual(['c1']);
});

test('a failure that a newer answer has overtaken is not shown', async () => {
  const { store, client } = registry();
  await store.start();
  let fail: (error: Error) => void = () => undefined;
  client.datasets.mockReturnValueOnce(new Promise((_, failed) => (fail = failed)));
  const first = store.refresh();
  await store.refresh();
  fail(new Error('The registry restarts.'));
  await first;
  expect([store.connection, store.problem]).toEqual(['connecting', '']);
});

test('a list that was asked for before the switch to everybody’s work does not replace the longer one', async () => {
  const { store, client, event } = registry();
  await store.start();
  let answer: (found: unknown[]) => void = () => undefined;
  client.datasets.mockReturnValueOnce(new Promise(done => (answer = done)));
  event('dataset', 'd1');
  await vi.advanceTimersByTimeAsync(1);
  client.datasets.mockResolvedValue(['mine', 'hers']);
  await store.showEverybody(true);
  answer(['mine']);
  await vi.advanceTimersByTimeAsync(1);
  expect(store.datasets).toEqual(['mine', 'hers']);
});

test('the same holds for a list of calculations', async () => {
  const { store, client, event } = registry();
  await store.start();
  let answer: (found: ICalculation[]) => void = () => undefined;
  client.calculations.mockReturnValueOnce(new Promise(done => (answer = done)));
  ['c1', 'c2', 'c3', 'c4', 'c5', 'c6'].forEach(id => event('calculation', id));
  await vi.advanceTimersByTimeAsync(1);
  client.calculations.mockResolvedValue([calculation('c1'), calculation('c7', { owner: 'eva' })]);
  await store.showEverybody(true);
  answer([calculation('c1')]);
  await vi.advanceTimersByTimeAsync(1);
  expect(store.calculations.map(each => each.calculation_id)).toEqual(['c7', 'c1']);
});

test.each([403, 404])('a changed record that is answered with %i is no fault of the connection', async status => {
  const { store, client, open, event } = registry();
  await store.start();
  open();
  client.calculation.mockRejectedValue(Object.assign(new Error('There is no such calculation.'), { status }));
  event('calculation', 'c9', { status: 'cancelled' });
  await vi.advanceTimersByTimeAsync(1);
  expect([store.connection, store.problem]).toEqual(['live', '']);
});

test('one request that fails while events come does not end in asking for ever', async () => {
  const { store, client, open, event } = registry();
  await store.start();
  open();
  client.calculation.mockRejectedValueOnce(new Error('Failed to fetch'));
  event('calculation', 'c1', { status: 'running' });
  await vi.advanceTimersByTimeAsync(1);
  expect(store.connection).toBe('lost');
  await vi.advanceTimersByTimeAsync(3000);
  expect([store.connection, store.problem]).toEqual(['live', '']);
  client.calculations.mockClear();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(client.calculations).not.toHaveBeenCalled();
});
