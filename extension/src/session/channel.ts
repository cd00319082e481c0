/** What noVNC asks of a connection. */
type State = 'connecting' | 'open' | 'closed';

/** Nothing for so long: the connection is dead. This server says that it is there every four seconds. */
export const SILENCE_MS = 13_000;
const LOOK_MS = 1_000;

export interface IEnd {
  /** The registry's close code; 1006 when the connection broke. */
  code: number;
  reason: string;
}

/**
 * A websocket that carries RFB bytes for noVNC and this server's own words for us.
 *
 * A page is not told when its network silently goes away, so the channel ends by itself after a silence.
 */
export class Channel {
  binaryType = 'arraybuffer';
  protocol = '';
  readyState: State = 'connecting';
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: ArrayBuffer }) => void) | null = null;
  onerror: ((event: unknown) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;

  private heardAt = Date.now();
  private said: IEnd | undefined;
  private readonly timer: number;

  constructor(
    private readonly socket: WebSocket,
    private readonly ended: (end: IEnd) => void
  ) {
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      this.readyState = 'open';
      this.onopen?.();
    };
    socket.onmessage = event => this.receive(event.data as ArrayBuffer | string);
    socket.onclose = event => this.finish(this.said ?? { code: event.code, reason: event.reason });
    this.timer = window.setInterval(() => this.look(), LOOK_MS);
  }

  send(data: Uint8Array): void {
    if (this.readyState === 'open') {
      // noVNC uses its buffer again at once; a websocket copies what it is given.
      this.socket.send(data as Uint8Array<ArrayBuffer>);
    }
  }

  close(): void {
    this.finish({ code: 1000, reason: '' });
  }

  /** The network is gone, or something else is known that this connection cannot know. */
  cut(reason: string): void {
    this.finish({ code: 1006, reason });
  }

  private receive(data: ArrayBuffer | string): void {
    this.heardAt = Date.now();
    if (typeof data !== 'string') {
      this.onmessage?.({ data });
      return;
    }
    const words = parse(data);
    if (typeof words['end'] === 'number') {
      this.said = { code: words['end'], reason: String(words['reason'] ?? '') };
    }
  }

  private look(): void {
    if (Date.now() - this.heardAt > SILENCE_MS) {
      this.cut('');
    }
  }

  private finish(end: IEnd): void {
    if (this.readyState === 'closed') {
      return;
    }
    this.readyState = 'closed';
    window.clearInterval(this.timer);
    this.socket.onopen = this.socket.onmessage = this.socket.onclose = null;
    this.socket.close();
    this.onclose?.(end);
    this.ended(end);
  }
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}
