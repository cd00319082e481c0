import { beforeEach, expect, test, vi } from 'vitest';

import { RegistryStore } from '../src/registry/store';
import type { ICalculation } from '../src/registry/types';

const calculation = (id: string, more: object = {}) =>
  ({
    calculation_id: id,
    owner: 'ada',
    status: 'submitted',
    status_events: [],
    submitted_at: `2026-11-29T18:00:0${id.slice(1)}Z`,
    ...more
  }) as unknown as ICalculation;

function registry() {
  let heard: (text: string) => void = () => undefined;
  const client = {
    configured: async () => true,
    applications: async () => [],
    datasets: vi.fn(async () => []),
    calculations: vi.fn(async () => [calculation('c1')]),
    sessions: async () => [],
    me: async () => ({ name: 'ada', roles: {} }),
    calculation: vi.fn(async (id: string): Promise<ICalculation | undefined> => calculation(id)),
    dataset: vi.fn(async (id: string) => ({ qcrbox_dataset_id: id, data_files: {} })),
    stream: (on: { event(text: string): void; open(): void }) => {
      heard = text => on.event(text);
      return { run: async () => on.open(), close: () => undefined };
    }
  };
  const event = (id: string, more: object = {}) =>
    heard(JSON.stringify({ kind: 'calculation', id, seq: 1, status: 'submitted', ...more }));
  return { store: new RegistryStore(client as never), client, event };
}

beforeEach(() => {
  vi.stubGlobal('window', globalThis);
  vi.useFakeTimers();
});

test('a new calculation is read at once; those that follow it closely are read together', async () => {
  const { store, client, event } = registry();
  await store.start();
  event('c2');
  await vi.advanceTimersByTimeAsync(1);
  expect(client.calculation.mock.calls).toEqual([['c2']]);
  expect(store.calculations.map(each => each.calculation_id)).toEqual(['c2', 'c1']);
  event('c3');
  event('c4');
  await vi.advanceTimersByTimeAsync(100);
  expect(client.calculation).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(101);
  expect(client.calculation.mock.calls.slice(1)).toEqual([['c3'], ['c4']]);
});

test('a state is shown before the record is read', async () => {
  const { store, event } = registry();
  await store.start();
  const shown: (string | undefined)[] = [];
  store.changed.connect(() => shown.push(store.calculations[0]?.status));
  event('c1', { status: 'running' });
  expect(shown).toEqual(['running']);
});

test('a row does not wait for the list of datasets', async () => {
  const { store, client, event } = registry();
  await store.start();
  client.datasets.mockReturnValue(new Promise(() => undefined));
  client.calculation.mockResolvedValue(calculation('c1', { status: 'successful', title: 'done' }));
  const shown: (string | undefined)[] = [];
  store.changed.connect(() => shown.push(store.calculations[0]?.title));
  event('c1', { status: 'successful' });
  await vi.advanceTimersByTimeAsync(1);
  expect(shown.at(-1)).toBe('done');
});

test('a calculation that the lists do not reach is read with its files, and followed', async () => {
  const { store, client, event } = registry();
  client.calculation.mockResolvedValue(calculation('c9', { owner: 'bea', output_dataset_id: 'd9' }));
  await store.need('c9');
  const found = store.calculationOf('c9');
  expect(found && store.datasetOf(found)?.qcrbox_dataset_id).toBe('d9');
  client.calculation.mockResolvedValue(calculation('c9', { owner: 'bea', status: 'successful' }));
  event('c9', { status: 'successful' });
  await vi.advanceTimersByTimeAsync(1);
  expect(store.calculationOf('c9')?.status).toBe('successful');
  // It is shown where it was asked for, not in one's own list.
  expect(store.calculations.map(each => each.calculation_id)).toEqual(['c1']);
});

test('a calculation that is gone is no endless wait', async () => {
  const { store, client } = registry();
  client.calculation.mockRejectedValue(new Error('There is no calculation c8.'));
  await store.need('c8');
  expect(store.problem).toContain('no calculation');
  await store.refresh();
  expect([store.problem, store.missingOf('c8')]).toEqual(['', 'There is no calculation c8.']);
});

test.each([
  ['one that is gone', Object.assign(new Error('There is no calculation c8.'), { status: 404 }), 1],
  ['one that a failing registry hid', new Error('The registry does not answer.'), 2]
])('a refresh asks for what was missing: %s', async (_, error, asked) => {
  const { store, client } = registry();
  client.calculation.mockRejectedValueOnce(error);
  client.calculation.mockResolvedValue(calculation('c8'));
  await store.need('c8');
  expect(store.missingOf('c8')).toBe(error.message);
  await store.refresh();
  await vi.advanceTimersByTimeAsync(1);
  expect(client.calculation).toHaveBeenCalledTimes(asked);
  expect([store.missingOf('c8'), store.calculationOf('c8') !== undefined]).toEqual(
    asked === 2 ? ['', true] : [error.message, false]
  );
});
