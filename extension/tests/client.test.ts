import { beforeEach, expect, test, vi } from 'vitest';

import { RegistryClient, RegistryError } from '../src/registry/client';
import type { IApplication, ICommand, IDataset } from '../src/registry/types';

interface ISent {
  method: string;
  url: string;
  body: unknown;
  headers: Record<string, string>;
}
const sent: ISent[] = [];
let answer: () => Response;

vi.mock('@jupyterlab/services', () => ({
  ServerConnection: {
    makeRequest: async (url: string, init: RequestInit) => {
      const body = typeof init.body === 'string' ? (JSON.parse(init.body) as unknown) : init.body;
      const headers = (init.headers ?? {}) as Record<string, string>;
      sent.push({ method: init.method ?? 'GET', url, body, headers });
      return answer();
    }
  }
}));

const payload = (value: unknown, init?: ResponseInit) => () => new Response(JSON.stringify({ payload: value }), init);
const settings = { baseUrl: 'http://lab/user/ada/', wsUrl: 'ws://lab/user/ada/', token: 's3cret', appendToken: true };
const client = new RegistryClient(settings as never);
const API = 'http://lab/user/ada/qcrbox/api';

beforeEach(() => {
  sent.length = 0;
  answer = payload({});
});

test.each([
  ['cancel', () => client.cancel('a/b'), 'POST', 'calculations/a%2Fb/stop', {}],
  ['cancel with a reason', () => client.cancel('c', 'too long'), 'POST', 'calculations/c/stop', { reason: 'too long' }],
  ['rename a calculation', () => client.renameCalculation('c', 'x'), 'PATCH', 'calculations/c', { title: 'x' }],
  ['rename a dataset', () => client.renameDataset('d ?', 'x'), 'PATCH', 'datasets/d%20%3F', { name: 'x' }],
  ['stay', () => client.stay('s'), 'POST', 'interactive-sessions/s/stay', undefined],
  ['allow a view', () => client.allowView('s', true), 'PATCH', 'interactive-sessions/s', { view_only_allowed: true }],
  ['remove', () => client.removeDataset('../me'), 'DELETE', 'datasets/..%2Fme', undefined]
])('%s: method, path and body', async (_, act, method, path, body) => {
  await act();
  expect(sent.map(each => [each.method, each.url, each.body])).toEqual([[method, `${API}/${path}`, body]]);
});

test.each([
  ['datasets', () => client.datasets(true), { datasets: [] }, 'datasets?limit=500&mine=true'],
  ['calculations', () => client.calculations(false), { calculations: [] }, 'calculations?limit=100&mine=false'],
  ['sessions', () => client.sessions(true), { interactive_sessions: [] }, 'interactive-sessions?mine=true'],
  ['applications', () => client.applications(), { applications: [] }, 'applications']
])('the list of %s', async (_, act, given, path) => {
  answer = payload(given);
  expect(await act()).toEqual([]);
  expect(sent[0]?.url).toBe(`${API}/${path}`);
});

test('all projects are read page by page to the end', async () => {
  const pages = [
    { projects: [{ id: 'p1' }, { id: 'p2' }], next: '1:2.5:p2' },
    { projects: [{ id: 'p3' }], next: null }
  ];
  answer = () => payload(pages.shift())();
  expect((await client.projects(true)).map(each => each.id)).toEqual(['p1', 'p2', 'p3']);
  expect(sent.map(each => new URL(each.url).searchParams.get('after'))).toEqual(['', '1:2.5:p2']);
});

test('a registry that knows no pages is read once', async () => {
  answer = payload({ projects: [{ id: 'p1' }] });
  expect(await client.projects(false)).toHaveLength(1);
  expect(sent).toHaveLength(1);
});

test('older datasets are asked for where the list was cut, and follow its last one', async () => {
  const listed = (count: number) =>
    Array.from({ length: count }, (_, n) => ({ qcrbox_dataset_id: `d${n}` })) as unknown as IDataset[];
  expect(await client.olderDatasets(listed(3), true)).toEqual([]);
  expect(await client.olderDatasets([], true)).toEqual([]);
  expect(sent).toEqual([]);
  answer = payload({ datasets: [{ qcrbox_dataset_id: 'old' }], next: null });
  expect(await client.olderDatasets(listed(500), true)).toHaveLength(1);
  expect(sent[0]?.url).toBe(`${API}/datasets?limit=1000&mine=true&after=d499`);
});

test('a command is sent with its version and a key that never starts a second one', async () => {
  answer = payload({ calculation_id: 'c7' });
  const application = { slug: 'refine', version: '2' } as IApplication;
  const id = await client.submit(application, { name: 'refine_iam' } as ICommand, { cycles: 5 }, 'key-1');
  expect(id).toBe('c7');
  expect(sent[0]?.headers).toEqual({ 'Content-Type': 'application/json', 'Idempotency-Key': 'key-1' });
  expect(sent[0]?.body).toEqual({
    application_slug: 'refine',
    application_version: '2',
    command_name: 'refine_iam',
    command_arguments: { cycles: 5 }
  });
});

test.each([
  [
    'of the registry',
    '{"error": {"message": "There is no dataset x."}, "message": "not this"}',
    'There is no dataset x.'
  ],
  ['of this Jupyter server', '{"message": "Not signed in"}', 'Not signed in'],
  ['that is no JSON', '<h1>502</h1>', 'Bad Gateway'],
  ['without a message', '{}', 'Bad Gateway']
])('an error %s has its words and its status', async (_, body, words) => {
  answer = () => new Response(body, { status: 502, statusText: 'Bad Gateway' });
  const error = await client.me().catch((each: unknown) => each);
  expect(error).toBeInstanceOf(RegistryError);
  expect([(error as RegistryError).message, (error as RegistryError).status]).toEqual([words, 502]);
});

test('an answer without a body is none', async () => {
  answer = () => new Response(null, { status: 204 });
  expect(await client.ask('tokens/1', { method: 'DELETE' })).toBeUndefined();
});

test('the question mark stays between path and query', async () => {
  await client.ask('projects?holds=a%2Fb');
  expect(sent[0]?.url).toBe(`${API}/projects?holds=a%2Fb`);
  expect(client.downloadUrl('d/1')).toBe(`${API}/datasets/d%2F1/download?format=zip&named=true&form=written`);
});

test('what this server computes is asked beside the registry, not in it', async () => {
  answer = () => new Response('{"svg": 1}');
  expect(await client.local('view/items?file=f1', {})).toEqual({ svg: 1 });
  answer = () => new Response('export default 1');
  expect(await client.localText('widgets/chart.js')).toBe('export default 1');
  expect(sent.map(each => each.url)).toEqual([
    'http://lab/user/ada/qcrbox/view/items?file=f1',
    'http://lab/user/ada/qcrbox/widgets/chart.js'
  ]);
});

test('the websocket of a picture carries the token only where it has to', () => {
  const path = 'ws://lab/user/ada/qcrbox/api/interactive-sessions/s%2F1/display';
  expect(client.displayUrl('s/1', false)).toBe(`${path}?token=s3cret`);
  expect(client.displayUrl('s/1', true)).toBe(`${path}?view=true&token=s3cret`);
  const onHub = new RegistryClient({ ...settings, appendToken: false } as never);
  expect(onHub.displayUrl('s/1', false)).toBe(path);
});

test('the times of a session are read by the registry’s clock', async () => {
  const at = 'Sun, 29 Nov 2026 18:00:00 GMT';
  answer = payload({ interactive_sessions: [{ session_id: 's' }] }, { headers: { Date: at } });
  expect((await client.session('s')).now).toBe(Date.parse(at));
  answer = payload({ interactive_sessions: [] });
  const { session, now } = await client.session('s');
  expect(session).toBeUndefined();
  expect(Math.abs(now - Date.now())).toBeLessThan(1000);
});

test('a file is uploaded under its own name', async () => {
  answer = payload({ datasets: [{ qcrbox_dataset_id: 'd1' }] });
  expect(await client.newDataset(new File(['data_x'], 'a b.cif'))).toBe('d1');
  await client.append('d1', new File([''], 'a b.hkl'));
  expect(sent.map(each => each.url)).toEqual([`${API}/datasets`, `${API}/datasets/d1/append`]);
  expect(sent.map(each => ((each.body as FormData).get('file') as File).name)).toEqual(['a b.cif', 'a b.hkl']);
});

test('an upload of which no dataset came is an error', async () => {
  answer = payload({ datasets: [] });
  await expect(client.newDataset(new File([''], 'a.cif'))).rejects.toThrow('named no dataset');
});

test('the bytes of a file come as they are', async () => {
  answer = () => new Response(new Uint8Array([0, 255, 13, 10]));
  expect([...(await client.bytes('f'))]).toEqual([0, 255, 13, 10]);
  expect(sent[0]?.url).toBe(`${API}/data-files/f/download?form=written`);
});

test.each([
  ['true', 'http://lab/user/ada/qcrbox/picture/f%3F1'],
  ['false', 'http://lab/user/ada/qcrbox/picture/f%3F1?theme=dark']
])('a picture is drawn for the theme of the page (light: %s)', (light, url) => {
  vi.stubGlobal('document', { body: { dataset: { jpThemeLight: light } } });
  expect(client.pictureUrl('f?1')).toBe(url);
  vi.unstubAllGlobals();
});

test('a server that no platform started says so', async () => {
  answer = () => new Response('{"configured": false}');
  expect(await client.configured()).toBe(false);
  expect(sent[0]?.url).toBe('http://lab/user/ada/qcrbox/info');
});

test.each([
  [413, '<html>', 'This is larger than the server accepts.'],
  [401, '', 'You are not signed in, or you may not do this. Reload the page.'],
  [403, 'null', 'You are not signed in, or you may not do this. Reload the page.'],
  [502, '<html>', 'The registry does not answer. Try again in a minute.'],
  [504, '', 'The registry does not answer. Try again in a minute.'],
  [500, '[]', 'The server answered with status 500.'],
  [418, '{"error": "no object"}', 'The server answered with status 418.'],
  [409, '{"error": {"message": ""}}', 'The server answered with status 409.']
])(
  'an error %i with the body %j has words, although HTTP/2 sends none beside a status',
  async (status, body, words) => {
    answer = () => new Response(body, { status, statusText: '' });
    await expect(client.me()).rejects.toMatchObject({ message: words, status });
  }
);

test('a program with a window is started by a key, as a command is', async () => {
  answer = payload({ interactive_session_id: 's1' });
  const wanted = { application_slug: 'olex2', application_version: '1', command_name: 'gui', command_arguments: {} };
  expect(await client.startSession(wanted, 'key-2')).toBe('s1');
  expect(sent[0]?.headers['Idempotency-Key']).toBe('key-2');
});
