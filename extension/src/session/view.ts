import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Message } from '@lumino/messaging';
import { type ISignal, Signal } from '@lumino/signaling';
import { Panel, Widget } from '@lumino/widgets';

import type { RegistryStore } from '../registry/store';
import { EscapeChord } from './chord';
import { ClipboardPane } from './clipboard';
import { invitation } from './invitation';
import { PictureLink } from './link';
import { SessionModel } from './model';
import { Notices } from './notices';
import { SessionToolbar } from './toolbar';
import { titleOf } from './words';
import { wordsOf } from '../words_of';

/** The window of a program, with what is to be said about it. Closing it ends nothing. */
export class SessionView extends Panel {
  readonly model: SessionModel;
  /** The keyboard goes to the program. */
  captured = false;

  private readonly _changed = new Signal<this, void>(this);
  private readonly chord = new EscapeChord();
  private readonly screen = new Widget();
  private readonly clipboard: ClipboardPane;
  private readonly announcer = document.createElement('div');

  constructor(
    readonly sessionId: string,
    readonly onlyViews: boolean,
    store: RegistryStore,
    private readonly trans: TranslationBundle,
    readonly insertResult: () => void
  ) {
    super();
    this.addClass('qcrbox-Session');
    this.node.tabIndex = -1;
    this.node.setAttribute('role', 'region');
    this.makeScreen();
    const link = new PictureLink(
      this.screen.node,
      () => store.client.displayUrl(sessionId, onlyViews),
      () => void this.model.refresh()
    );
    link.viewOnly = onlyViews;
    this.model = new SessionModel(sessionId, store, link);
    this.model.changed.connect(this.onModel, this);
    this.clipboard = new ClipboardPane(link, trans);
    this.clipboard.hide();
    const row = new Panel();
    row.addClass('qcrbox-Session-row');
    row.addWidget(this.screen);
    row.addWidget(this.clipboard);
    this.addWidget(new SessionToolbar(this, this.model, trans));
    this.addWidget(new Notices(this, this.model, trans));
    this.addWidget(row);
    this.announcer.className = 'qcrbox-Announcer';
    this.announcer.setAttribute('aria-live', 'assertive');
    this.node.append(this.announcer);
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get clipboardShown(): boolean {
    return this.clipboard.isVisible;
  }

  showClipboard(shown: boolean): void {
    this.clipboard.setHidden(!shown);
    this._changed.emit();
  }

  /** Asks once; what is thrown away is gone. */
  async discard(): Promise<void> {
    const { trans } = this;
    const answer = await showDialog({
      title: trans.__('Discard this session?'),
      body: trans.__('The program is closed and its changes are discarded.'),
      buttons: [
        Dialog.cancelButton({ label: trans.__('Keep working') }),
        Dialog.warnButton({ label: trans.__('Discard') })
      ],
      // Enter keeps the work.
      defaultButton: 0
    });
    if (answer.button.accept) {
      await this.model.finish(false);
    }
  }

  async fullScreen(): Promise<void> {
    if (document.fullscreenElement) {
      await document.exitFullscreen();
      return;
    }
    try {
      await this.node.requestFullscreen();
      this.model.link.focus();
    } catch {
      Notification.warning(this.trans.__('The browser does not allow full screen here.'));
    }
  }

  /** The picture as a dataset of its own. */
  async screenshot(): Promise<void> {
    const { trans, model } = this;
    const time = new Date().toISOString().slice(0, 19).replace(/[:T]/g, '-');
    const name = `${model.session?.application_slug ?? 'session'}-${time}.png`;
    try {
      const blob = await model.link.picture();
      await model.store.client.newDataset(new File([blob], name, { type: 'image/png' }));
      Notification.success(trans.__('Stored as %1', name), { autoClose: 3000 });
    } catch (error) {
      Notification.error(wordsOf(error), { autoClose: false });
    }
  }

  /** A link to look on, for whom the registry lets look. */
  async copyLink(): Promise<void> {
    const { trans } = this;
    const link = invitation(this.sessionId);
    try {
      await navigator.clipboard.writeText(link);
      Notification.success(trans.__('The link is copied.'), { autoClose: 3000 });
    } catch {
      await showDialog({
        title: trans.__('Link for viewing'),
        body: link,
        buttons: [Dialog.okButton({ label: trans.__('Close') })]
      });
    }
  }

  handleEvent(event: Event): void {
    if (event instanceof KeyboardEvent) {
      if (this.chord.feed(event)) {
        this.releaseKeyboard();
      }
    } else if (event.type === 'focusin') {
      this.capture(true);
    } else if (event.type === 'focusout') {
      this.capture(false);
    }
  }

  dispose(): void {
    if (!this.isDisposed) {
      this.model.dispose();
      Signal.clearData(this);
      super.dispose();
    }
  }

  protected onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    const { node } = this.screen;
    // In the capture phase: noVNC keeps what it hears to itself.
    node.addEventListener('keydown', this, true);
    node.addEventListener('keyup', this, true);
    node.addEventListener('focusin', this);
    node.addEventListener('focusout', this);
  }

  protected onBeforeDetach(message: Message): void {
    const { node } = this.screen;
    node.removeEventListener('keydown', this, true);
    node.removeEventListener('keyup', this, true);
    node.removeEventListener('focusin', this);
    node.removeEventListener('focusout', this);
    super.onBeforeDetach(message);
  }

  protected onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    this.model.link.focus();
  }

  private makeScreen(): void {
    const { node } = this.screen;
    this.screen.addClass('qcrbox-Screen');
    // Lab's own shortcuts (Ctrl+S, Ctrl+B …) belong to the program while it has the keyboard.
    node.dataset['lmSuppressShortcuts'] = 'true';
    node.setAttribute('role', 'application');
    node.setAttribute(
      'aria-label',
      this.trans.__('Window of the program. Ctrl+Alt+Shift, pressed and released, leaves it.')
    );
  }

  private capture(captured: boolean): void {
    if (captured === this.captured) {
      return;
    }
    this.captured = captured;
    this.chord.forget();
    this.announcer.textContent = captured
      ? this.trans.__('The keyboard goes to the program. Ctrl+Alt+Shift returns it to Lab.')
      : this.trans.__('The keyboard is back in Lab.');
    this._changed.emit();
  }

  /** To the tab itself: the next Tab goes to the toolbar, and a space pressed too early ends nothing. */
  private releaseKeyboard(): void {
    // After this event, which noVNC is still to hear: the key goes up in the program too.
    window.setTimeout(() => {
      this.model.link.blur();
      this.node.focus();
    });
  }

  private onModel(): void {
    this.title.label = titleOf(this.model.session, this.model.store.applications, this.trans);
    this.node.setAttribute('aria-label', this.title.label);
    this.title.caption = this.trans.__('Session %1', this.sessionId.slice(-4));
    this.screen.setHidden(!['connected', 'program-ended', 'reconnecting', 'connecting'].includes(this.model.phase));
  }
}
