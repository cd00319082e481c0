import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';
import type RFB from '@novnc/novnc';

import { Channel, type IEnd } from './channel';
import { COMBINATIONS, press } from './keys';
import type { Link } from './phase';

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 8_000;
/** Trying again would give the same answer: not RFB, not signed in, not allowed, nothing to see, too many. */
const FINAL_CODES: ReadonlySet<number> = new Set([4400, 4401, 4403, 4404, 4429]);

/**
 * The connection to a session's picture: made, lost, made again, for as long as it is wanted.
 *
 * noVNC is loaded with the first connection; nothing but RFB bytes goes into it.
 */
export class PictureLink implements IDisposable {
  state: Link = 'none';
  /** Why there is no picture, in the registry's words. */
  reason = '';
  /** What the program last copied. */
  clipboard = '';
  isDisposed = false;

  private readonly _changed = new Signal<this, void>(this);
  private rfb: RFB | undefined;
  private channel: Channel | undefined;
  private retryMs = FIRST_RETRY_MS;
  private timer = 0;
  private wanted = false;
  private hadFocus = false;
  private _scale = true;
  private _viewOnly = false;

  constructor(
    private readonly target: HTMLElement,
    private readonly url: () => string,
    private readonly lost: () => void
  ) {
    target.addEventListener('focusin', () => (this.hadFocus = true));
    // A picture that is taken away has lost the focus too, but not by the person's will.
    target.addEventListener('focusout', () => (this.hadFocus = this.rfb === undefined));
    window.addEventListener('online', this.atOnce);
    window.addEventListener('offline', this.offline);
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Fit the picture into the tab, or show it as large as it is. */
  get scale(): boolean {
    return this._scale;
  }

  set scale(value: boolean) {
    this._scale = value;
    this.applySettings();
  }

  /** View only: keys and clicks do not reach the program. */
  get viewOnly(): boolean {
    return this._viewOnly;
  }

  set viewOnly(value: boolean) {
    this._viewOnly = value;
    this.applySettings();
  }

  /** Connect, and stay connected. */
  start(): void {
    if (!this.wanted && !this.isDisposed) {
      this.wanted = true;
      this.become('connecting');
      void this.connect();
    }
  }

  /** Let go; the session goes on. */
  stop(): void {
    this.wanted = false;
    window.clearTimeout(this.timer);
    this.drop();
    this.become('none');
  }

  /** The person asks once more. */
  again(): void {
    this.stop();
    this.retryMs = FIRST_RETRY_MS;
    this.start();
  }

  focus(): void {
    this.rfb?.focus({ preventScroll: true });
  }

  blur(): void {
    this.rfb?.blur();
  }

  sendCombination(name: string): void {
    const { rfb } = this;
    const keys = COMBINATIONS[name];
    if (rfb && keys) {
      press(keys, (keysym, code, down) => rfb.sendKey(keysym, code, down));
    }
  }

  /** Make this text the program's clipboard. */
  paste(text: string): void {
    this.rfb?.clipboardPasteFrom(text);
  }

  /** The picture as PNG. */
  picture(): Promise<Blob> {
    return new Promise((resolve, reject) => {
      const { rfb } = this;
      if (!rfb || this.state !== 'connected') {
        reject(new Error('There is no picture now.'));
        return;
      }
      rfb.toBlob(blob => (blob ? resolve(blob) : reject(new Error('The picture is empty.'))), 'image/png');
    });
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this.stop();
    this.isDisposed = true;
    window.removeEventListener('online', this.atOnce);
    window.removeEventListener('offline', this.offline);
    Signal.clearData(this);
  }

  private async connect(): Promise<void> {
    let Client: typeof RFB;
    try {
      Client = (await import('@novnc/novnc')).default;
    } catch {
      // A chunk of this page that does not load is a lost connection like any other.
      if (this.wanted) {
        this.retry();
      }
      return;
    }
    if (!this.wanted || this.channel) {
      return;
    }
    const channel: Channel = new Channel(new WebSocket(this.url()), end => this.ended(channel, end));
    this.channel = channel;
    const rfb = new Client(this.target, channel, { shared: true });
    this.rfb = rfb;
    // Nothing is drawn by the page: what lies beside the picture has the theme's colour.
    rfb.background = 'transparent';
    this.applySettings();
    rfb.addEventListener('connect', () => {
      this.retryMs = FIRST_RETRY_MS;
      this.reason = '';
      if (this.hadFocus) {
        this.focus();
      }
      this.become('connected');
    });
    rfb.addEventListener('disconnect', () => {
      if (this.rfb === rfb) {
        this.rfb = undefined;
      }
    });
    rfb.addEventListener('clipboard', event => {
      this.clipboard = event.detail.text;
      this._changed.emit();
    });
  }

  private ended(channel: Channel, end: IEnd): void {
    if (channel !== this.channel) {
      return;
    }
    this.drop();
    if (!this.wanted) {
      return;
    }
    this.reason = end.reason;
    if (FINAL_CODES.has(end.code)) {
      this.wanted = false;
      this.become('refused');
    } else {
      this.retry();
    }
    // The session may have ended; whoever knows it decides whether this link is still wanted.
    this.lost();
  }

  private retry(): void {
    this.become('reconnecting');
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.connect(), this.retryMs);
    this.retryMs = Math.min(2 * this.retryMs, LONGEST_RETRY_MS);
  }

  private drop(): void {
    const { rfb, channel } = this;
    this.channel = undefined;
    rfb?.disconnect();
    this.rfb = undefined;
    channel?.close();
    this.target.replaceChildren();
  }

  private become(state: Link): void {
    if (this.state !== state) {
      this.state = state;
      this._changed.emit();
    }
  }

  private applySettings(): void {
    if (this.rfb) {
      this.rfb.scaleViewport = this._scale;
      this.rfb.viewOnly = this._viewOnly;
    }
    this._changed.emit();
  }

  private readonly atOnce = (): void => {
    if (this.state === 'reconnecting') {
      this.retryMs = FIRST_RETRY_MS;
      window.clearTimeout(this.timer);
      void this.connect();
    }
  };

  private readonly offline = (): void => {
    this.channel?.cut('');
  };
}
