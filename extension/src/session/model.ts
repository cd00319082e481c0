import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import { isGone } from '../registry/gone';
import type { RegistryStore } from '../registry/store';
import type { ICalculation, IEvent, ISession } from '../registry/types';
import type { PictureLink } from './link';
import { hasPicture, isLate, isOver, type Phase, phaseOf, secondsLeft } from './phase';
import { wordsOf } from '../words_of';

const ASK_MS = 10_000;
const ASK_SOON_MS = 1_000;

/** One session as its tab knows it: kept up to date by events and by asking now and then. */
export class SessionModel implements IDisposable {
  /** Undefined until the first answer, null when there is none. */
  session: ISession | undefined | null;
  /** After its end: warnings (nothing was changed), what it gave. */
  calculation: ICalculation | undefined;
  /** What went wrong with the last thing that was asked for. */
  problem = '';
  /** Finish or discard is on its way. */
  ending = false;
  isMine = true;
  isDisposed = false;

  private readonly _changed = new Signal<this, void>(this);
  private timer = 0;
  /** Registry's clock minus this browser's, ms. */
  private clock = 0;

  constructor(
    readonly id: string,
    readonly store: RegistryStore,
    readonly link: PictureLink
  ) {
    store.happened.connect(this.onEvent, this);
    // Names of programs and datasets come from there.
    store.changed.connect(this.tell, this);
    link.changed.connect(this.tell, this);
    void this.store.start();
    void this.refresh().then(() => this.askWhoIAm());
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get phase(): Phase {
    const phase = phaseOf(this.session, this.link.state);
    return this.ending && this.session && !isOver(this.session) ? 'finishing' : phase;
  }

  /** Until the session is ended because nobody touched it, s. */
  get left(): number | undefined {
    return this.session ? secondsLeft(this.session, Date.now() + this.clock) : undefined;
  }

  get late(): boolean {
    return this.session ? isLate(this.session, this.left) : false;
  }

  get warnings(): string[] {
    return this.calculation?.warnings ?? [];
  }

  async finish(keep: boolean): Promise<void> {
    this.ending = true;
    this.problem = '';
    this.tell();
    try {
      await this.store.client.endSession(this.id, keep);
    } catch (error) {
      this.problem = wordsOf(error);
    }
    this.ending = false;
    await this.refresh();
  }

  async stay(): Promise<void> {
    await this.attempt(() => this.store.client.stay(this.id));
  }

  async allowView(allowed: boolean): Promise<void> {
    await this.attempt(() => this.store.client.allowView(this.id, allowed));
  }

  async refresh(): Promise<void> {
    window.clearTimeout(this.timer);
    try {
      const { session, now } = await this.store.client.session(this.id);
      this.session = session ?? null;
      this.clock = now - Date.now();
      if (session && isOver(session) && !this.calculation) {
        this.calculation = await this.store.client.calculation(this.id);
      }
    } catch (error) {
      if (isGone(error)) {
        this.session = null;
      }
      // Anything else passes by itself; what is known stays on the screen.
    }
    if (this.isDisposed) {
      return;
    }
    this.steer();
    this.tell();
    this.askAgain();
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this.isDisposed = true;
    window.clearTimeout(this.timer);
    this.link.dispose();
    Signal.clearData(this);
  }

  /** The picture is wanted as long as there is one. */
  private steer(): void {
    if (this.session && hasPicture(this.session)) {
      if (this.link.state === 'none') {
        this.link.start();
      }
    } else if (this.session !== undefined) {
      this.link.stop();
    }
  }

  private askAgain(): void {
    if (this.session === null || (this.session && isOver(this.session))) {
      return;
    }
    const moving = this.phase === 'starting' || this.phase === 'finishing' || this.phase === 'loading';
    this.timer = window.setTimeout(() => void this.refresh(), moving ? ASK_SOON_MS : ASK_MS);
  }

  private async attempt(act: () => Promise<void>): Promise<void> {
    try {
      await act();
      this.problem = '';
    } catch (error) {
      this.problem = wordsOf(error);
    }
    await this.refresh();
  }

  private async askWhoIAm(): Promise<void> {
    try {
      const { name } = this.store.me ?? (await this.store.client.me());
      this.isMine = !this.session?.owner || this.session.owner === name;
      if (!this.isMine) {
        this.link.viewOnly = true;
      }
    } catch {
      // The registry decides who may do what; this only greys out what it would refuse.
    }
  }

  private onEvent(_: RegistryStore, event: IEvent): void {
    if (event.id === this.id && (event.kind === 'session' || event.kind === 'calculation')) {
      void this.refresh();
    }
  }

  private tell(): void {
    this._changed.emit();
  }
}
