import { beforeEach, expect, test, vi } from 'vitest';

import { PictureLink } from '../src/session/link';

/** As far as a link uses noVNC. */
class Picture {
  static readonly made: Picture[] = [];
  scaleViewport = false;
  viewOnly = false;
  background = '';
  readonly calls: unknown[][] = [];
  private readonly heard = new Map<string, (event: unknown) => void>();
  constructor(
    readonly target: unknown,
    readonly channel: { onclose?: unknown }
  ) {
    Picture.made.push(this);
  }
  addEventListener(name: string, heard: (event: unknown) => void): void {
    this.heard.set(name, heard);
  }
  emit(name: string, event: unknown = {}): void {
    this.heard.get(name)?.(event);
  }
  focus(...given: unknown[]): void {
    this.calls.push(['focus', ...given]);
  }
  blur(): void {
    this.calls.push(['blur']);
  }
  sendKey(...given: unknown[]): void {
    this.calls.push(['key', ...given]);
  }
  clipboardPasteFrom(text: string): void {
    this.calls.push(['paste', text]);
  }
  disconnect(): void {
    this.calls.push(['disconnect']);
  }
  toBlob(done: (blob: Blob | null) => void): void {
    done(new Blob(['png']));
  }
}

class Socket {
  static readonly made: Socket[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  binaryType = '';
  constructor(readonly url: string) {
    Socket.made.push(this);
  }
  send(): void {}
  close(): void {}
}

vi.mock('@novnc/novnc', () => ({ default: Picture }));

const listeners = new Map<string, () => void>();
const focus = new Map<string, () => void>();

function link() {
  const target = {
    addEventListener: (name: string, act: () => void) => focus.set(name, act),
    replaceChildren: vi.fn()
  };
  const lost = vi.fn();
  const made = new PictureLink(target as never, () => 'ws://lab/display', lost);
  return { made, lost, target };
}

const soon = () => vi.advanceTimersByTimeAsync(0);
const picture = () => Picture.made.at(-1) as Picture;
const end = (code: number, reason = '') => Socket.made.at(-1)?.onclose?.({ code, reason });

beforeEach(async () => {
  Picture.made.length = Socket.made.length = 0;
  listeners.clear();
  vi.stubGlobal('window', {
    setTimeout: (act: () => void, ms: number) => setTimeout(act, ms),
    clearTimeout: (timer: number) => clearTimeout(timer),
    setInterval: (act: () => void, ms: number) => setInterval(act, ms),
    clearInterval: (timer: number) => clearInterval(timer),
    addEventListener: (name: string, act: () => void) => listeners.set(name, act),
    removeEventListener: (name: string) => listeners.delete(name)
  });
  vi.stubGlobal('WebSocket', Socket);
  // The module is loaded once; its loading takes no part in the times below.
  await import('@novnc/novnc');
  vi.useFakeTimers();
});

/** Started, and the module of the picture loaded. */
async function started() {
  const all = link();
  all.made.start();
  await vi.waitFor(() => expect(Picture.made).toHaveLength(1));
  return all;
}

test('a link that is wanted connects once', async () => {
  const { made } = await started();
  made.start();
  await soon();
  expect(made.state).toBe('connecting');
  picture().emit('connect');
  expect(made.state).toBe('connected');
  expect(Socket.made.map(each => each.url)).toEqual(['ws://lab/display']);
  made.dispose();
});

test('a lost connection is made again, after pauses that double up to eight seconds', async () => {
  const { made, lost } = await started();
  picture().emit('connect');
  for (const pause of [500, 1000, 2000, 4000, 8000, 8000]) {
    const before = Socket.made.length;
    end(1006);
    expect(made.state).toBe('reconnecting');
    await vi.advanceTimersByTimeAsync(pause - 1);
    expect(Socket.made).toHaveLength(before);
    await vi.advanceTimersByTimeAsync(1);
    await vi.waitFor(() => expect(Socket.made).toHaveLength(before + 1));
  }
  expect(lost).toHaveBeenCalledTimes(6);
  made.dispose();
});

test('a connection that stood makes the next pause short again', async () => {
  const { made } = await started();
  end(1006);
  await vi.advanceTimersByTimeAsync(500);
  await vi.waitFor(() => expect(Socket.made).toHaveLength(2));
  picture().emit('connect');
  end(1006);
  await vi.advanceTimersByTimeAsync(500);
  await vi.waitFor(() => expect(Socket.made).toHaveLength(3));
  made.dispose();
});

test.each([4400, 4401, 4403, 4404, 4429])('after %i it is not tried again, and the reason is shown', async code => {
  const { made, lost } = await started();
  end(code, 'Too many viewers.');
  await vi.advanceTimersByTimeAsync(60_000);
  expect([made.state, made.reason]).toEqual(['refused', 'Too many viewers.']);
  expect(Socket.made).toHaveLength(1);
  expect(lost).toHaveBeenCalledTimes(1);
  made.dispose();
});

test('a refused link tries again when the person asks', async () => {
  const { made } = await started();
  end(4429, 'Too many viewers.');
  made.again();
  await vi.waitFor(() => expect(Socket.made).toHaveLength(2));
  picture().emit('connect');
  expect([made.state, made.reason]).toEqual(['connected', '']);
  made.dispose();
});

test('a network that comes back ends the pause', async () => {
  const { made } = await started();
  listeners.get('offline')?.();
  expect(made.state).toBe('reconnecting');
  listeners.get('online')?.();
  await vi.waitFor(() => expect(Socket.made).toHaveLength(2));
  made.dispose();
});

test('a link that is let go hears no more of its connection', async () => {
  const { made, lost, target } = await started();
  made.stop();
  end(1006);
  await vi.advanceTimersByTimeAsync(60_000);
  expect([made.state, Socket.made.length]).toEqual(['none', 1]);
  expect(lost).not.toHaveBeenCalled();
  expect(target.replaceChildren).toHaveBeenCalled();
});

test('scaling and viewing only hold for the next connection too', async () => {
  const { made } = await started();
  made.viewOnly = true;
  made.scale = false;
  expect([picture().viewOnly, picture().scaleViewport]).toEqual([true, false]);
  end(1006);
  await vi.advanceTimersByTimeAsync(500);
  await vi.waitFor(() => expect(Picture.made).toHaveLength(2));
  expect([picture().viewOnly, picture().scaleViewport]).toEqual([true, false]);
  made.dispose();
});

test('the keyboard comes back to a picture that had it', async () => {
  const { made } = await started();
  focus.get('focusin')?.();
  picture().emit('connect');
  expect(picture().calls).toContainEqual(['focus', { preventScroll: true }]);
  focus.get('focusout')?.();
  end(1006);
  await vi.advanceTimersByTimeAsync(500);
  await vi.waitFor(() => expect(Picture.made).toHaveLength(2));
  picture().emit('connect');
  expect(picture().calls).toEqual([]);
  made.dispose();
});

test('a combination of keys goes down in order and up in the opposite one; an unknown one is none', async () => {
  const { made } = await started();
  made.sendCombination('Alt+F4');
  made.sendCombination('Hyper+X');
  expect(picture().calls).toEqual([
    ['key', 0xffe9, 'AltLeft', true],
    ['key', 0xffc1, 'F4', true],
    ['key', 0xffc1, 'F4', false],
    ['key', 0xffe9, 'AltLeft', false]
  ]);
  made.dispose();
});

test('text goes both ways', async () => {
  const { made } = await started();
  made.paste('C1 C2');
  expect(picture().calls).toEqual([['paste', 'C1 C2']]);
  picture().emit('clipboard', { detail: { text: 'R1 0.04' } });
  expect(made.clipboard).toBe('R1 0.04');
  made.dispose();
});

test('there is a picture to save only while the link is connected', async () => {
  const { made } = await started();
  await expect(made.picture()).rejects.toThrow('no picture now');
  picture().emit('connect');
  expect(await (await made.picture()).text()).toBe('png');
  made.dispose();
});

test('a disposed link listens to nothing, and does not start again', async () => {
  const { made } = await started();
  made.dispose();
  made.start();
  await vi.advanceTimersByTimeAsync(60_000);
  expect([listeners.size, Socket.made.length, vi.getTimerCount()]).toEqual([0, 1, 0]);
});
