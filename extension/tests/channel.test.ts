import { beforeEach, expect, test, vi } from 'vitest';

import { Channel, type IEnd, SILENCE_MS } from '../src/session/channel';

/** As far as a channel uses a websocket. */
class Socket {
  binaryType = 'blob';
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: ArrayBuffer | string }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  readonly sent: Uint8Array[] = [];
  closed = 0;
  send(data: Uint8Array): void {
    this.sent.push(data);
  }
  close(): void {
    this.closed += 1;
  }
}

function channel() {
  const socket = new Socket();
  const ends: IEnd[] = [];
  const made = new Channel(socket as unknown as WebSocket, end => ends.push(end));
  const closed: { code: number; reason: string }[] = [];
  made.onclose = event => closed.push(event);
  return { socket, made, ends, closed };
}

beforeEach(() => {
  vi.stubGlobal('window', globalThis);
  vi.useFakeTimers();
});

test('bytes are sent only while the channel is open', () => {
  const { socket, made } = channel();
  made.send(new Uint8Array([1]));
  socket.onopen?.();
  made.send(new Uint8Array([2]));
  made.close();
  made.send(new Uint8Array([3]));
  expect(socket.sent.map(each => [...each])).toEqual([[2]]);
});

test('noVNC hears that the channel is open, and every message of bytes', () => {
  const { socket, made } = channel();
  const heard: unknown[] = [];
  made.onopen = () => heard.push('open');
  made.onmessage = ({ data }) => heard.push([...new Uint8Array(data)]);
  socket.onopen?.();
  socket.onmessage?.({ data: new Uint8Array([7, 8]).buffer });
  expect(heard).toEqual(['open', [7, 8]]);
  expect(socket.binaryType).toBe('arraybuffer');
});

test.each(['{"here": true}', 'no JSON', '{"end": "soon"}'])('the text %s is not for noVNC', text => {
  const { socket, made, ends } = channel();
  made.onmessage = () => expect.unreachable();
  socket.onopen?.();
  socket.onmessage?.({ data: text });
  socket.onclose?.({ code: 1006, reason: '' });
  expect(ends).toEqual([{ code: 1006, reason: '' }]);
});

test('the reason that the server gives counts more than the code of the socket', () => {
  const { socket, ends, closed } = channel();
  socket.onopen?.();
  socket.onmessage?.({ data: '{"end": 4403, "reason": "It is not yours."}' });
  socket.onclose?.({ code: 1005, reason: '' });
  expect(ends).toEqual([{ code: 4403, reason: 'It is not yours.' }]);
  expect(closed).toEqual(ends);
});

test('an end without a reason has an empty one', () => {
  const { socket, ends } = channel();
  socket.onmessage?.({ data: '{"end": 4404}' });
  socket.onclose?.({ code: 1000, reason: 'bye' });
  expect(ends).toEqual([{ code: 4404, reason: '' }]);
});

test('a channel ends once, whoever ends it', () => {
  const { socket, made, ends } = channel();
  made.close();
  made.close();
  made.cut('offline');
  expect(ends).toEqual([{ code: 1000, reason: '' }]);
  expect(socket.closed).toBe(1);
  expect([socket.onopen, socket.onmessage, socket.onclose]).toEqual([null, null, null]);
});

test('a channel without a sign of life is dead; any message is a sign', async () => {
  const { socket, ends } = channel();
  socket.onopen?.();
  await vi.advanceTimersByTimeAsync(SILENCE_MS - 1000);
  socket.onmessage?.({ data: '{}' });
  await vi.advanceTimersByTimeAsync(SILENCE_MS - 1000);
  expect(ends).toEqual([]);
  await vi.advanceTimersByTimeAsync(3000);
  expect(ends).toEqual([{ code: 1006, reason: '' }]);
});

test('a closed channel looks no more', async () => {
  const { made, ends } = channel();
  made.close();
  await vi.advanceTimersByTimeAsync(10 * SILENCE_MS);
  expect(ends).toHaveLength(1);
  expect(vi.getTimerCount()).toBe(0);
});
