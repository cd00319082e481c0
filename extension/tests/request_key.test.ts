import { expect, test } from 'vitest';

import { RequestKey } from '../src/registry/request_key';
import { later } from './lab_dom';

function keys() {
  let count = 0;
  const key = new RequestKey(() => `k${++count}`);
  const used: string[] = [];
  const send = (request: unknown, outcome: unknown = 'done') =>
    key
      .send(request, each => {
        used.push(each);
        return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome);
      })
      .catch((error: unknown) => error);
  return { key, used, send };
}
const status = (code: number) => Object.assign(new Error(`${code}`), { status: code });

test.each([
  ['was done', 'done', ['k1', 'k2']],
  ['was refused with 409', status(409), ['k1', 'k2']],
  ['was refused with 422', status(422), ['k1', 'k2']],
  ['had no answer', new TypeError('Failed to fetch'), ['k1', 'k1']],
  ['was given up by a proxy with 504', status(504), ['k1', 'k1']],
  ['failed with 500', status(500), ['k1', 'k1']]
])('the same request after one that %s: keys', async (_, outcome, expected) => {
  const { send, used } = keys();
  await send({ cycles: 5 }, outcome);
  await send({ cycles: 5 });
  expect(used).toEqual(expected);
});

test('another request has another key, although the one before it had no answer', async () => {
  const { send, used } = keys();
  await send({ cycles: 5 }, new TypeError('Failed to fetch'));
  await send({ cycles: 6 });
  expect(used).toEqual(['k1', 'k2']);
});

test('a request that is sent twice at once is one', async () => {
  const { key, used } = keys();
  const answer = later<string>();
  const act = (each: string) => {
    used.push(each);
    return answer.promise;
  };
  const both = [key.send('x', act), key.send('x', act)];
  answer.answer('c1');
  expect([await Promise.all(both), used]).toEqual([
    ['c1', 'c1'],
    ['k1', 'k1']
  ]);
});

test('a late answer to an earlier request does not end the key of the one that waits', async () => {
  const { key, used, send } = keys();
  const first = later<string>();
  const early = key.send('a', each => {
    used.push(each);
    return first.promise;
  });
  await send('b', new TypeError('Failed to fetch'));
  first.answer('c1');
  await early;
  await send('b');
  expect(used).toEqual(['k1', 'k2', 'k2']);
});

test('the error is passed on as it came', async () => {
  const { send } = keys();
  const error = status(403);
  expect(await send('x', error)).toBe(error);
});
