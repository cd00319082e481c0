import { beforeEach, expect, test, vi } from 'vitest';

import { EventStream } from '../src/registry/stream';

const asked: { url: string; headers: Record<string, string> }[] = [];
let answers: (() => Response | Promise<Response>)[] = [];

vi.mock('@jupyterlab/services', () => ({
  ServerConnection: {
    makeRequest: async (url: string, init: RequestInit) => {
      asked.push({ url, headers: init.headers as Record<string, string> });
      const next = answers.shift();
      if (next) {
        return next();
      }
      return new Promise((_, reject) => init.signal?.addEventListener('abort', () => reject(new Error('aborted'))));
    }
  }
}));

const of =
  (...pieces: (string | Uint8Array)[]) =>
  () =>
    new Response(
      new ReadableStream({
        start(controller) {
          pieces.forEach(piece =>
            controller.enqueue(typeof piece === 'string' ? new TextEncoder().encode(piece) : piece)
          );
          controller.close();
        }
      })
    );

function stream() {
  const heard: string[] = [];
  const made = new EventStream('http://lab/events', {} as never, {
    open: () => heard.push('open'),
    event: data => heard.push(data),
    interrupted: () => heard.push('interrupted')
  });
  return { made, heard };
}

beforeEach(() => {
  asked.length = 0;
  answers = [];
  vi.stubGlobal('window', globalThis);
  vi.useFakeTimers();
});

test('after an interruption the stream goes on behind the last event', async () => {
  answers = [of('id: 7\ndata: a\n\n', 'id: 8\ndata: b\n\n')];
  const { made, heard } = stream();
  const running = made.run();
  await vi.advanceTimersByTimeAsync(1000);
  expect(heard).toEqual(['open', 'a', 'b', 'interrupted']);
  expect(asked.map(each => each.headers['Last-Event-ID'])).toEqual([undefined, '8']);
  made.close();
  await running;
});

test('a letter of two bytes that is cut in two arrives whole', async () => {
  const bytes = new TextEncoder().encode('data: Å\n\n');
  answers = [of(bytes.slice(0, 7), bytes.slice(7))];
  const { made, heard } = stream();
  void made.run();
  await vi.advanceTimersByTimeAsync(1);
  expect(heard).toEqual(['open', 'Å', 'interrupted']);
  made.close();
});

test('the pauses between attempts double up to fifteen seconds; an opened stream begins anew', async () => {
  const refused = () => new Response('', { status: 503 });
  answers = [refused, refused, refused, refused, refused, refused, of('data: x\n\n')];
  const { made, heard } = stream();
  void made.run();
  await vi.advanceTimersByTimeAsync(0);
  for (const [before, pause] of [1000, 2000, 4000, 8000, 15000, 15000, 1000].entries()) {
    await vi.advanceTimersByTimeAsync(pause - 1);
    expect(asked).toHaveLength(before + 1);
    await vi.advanceTimersByTimeAsync(1);
    expect(asked).toHaveLength(before + 2);
  }
  expect(heard.filter(each => each === 'open')).toHaveLength(1);
  made.close();
});

test('a broken connection is an interruption, not an error', async () => {
  answers = [
    () => {
      throw new TypeError('Failed to fetch');
    }
  ];
  const { made, heard } = stream();
  void made.run();
  await vi.advanceTimersByTimeAsync(1);
  expect(heard).toEqual(['interrupted']);
  made.close();
});

test('a closed stream ends without a word and asks no more', async () => {
  const { made, heard } = stream();
  const running = made.run();
  await vi.advanceTimersByTimeAsync(1);
  made.close();
  await running;
  await vi.advanceTimersByTimeAsync(60_000);
  expect([heard, asked.length]).toEqual([[], 1]);
});
