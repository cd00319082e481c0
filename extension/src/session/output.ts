import type { IRenderMime } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import { isGone } from '../registry/gone';
import type { RegistryStore } from '../registry/store';
import type { ISession } from '../registry/types';
import { SESSION_ID } from './commands';
import { isOver, PHASE_SIGNS, phaseOf } from './phase';
import { phaseWord, titleOf } from './words';

/** What the notebook library shows for a session. */
export const SESSION_MIME = 'application/vnd.qcrbox.session+json';

type Open = (session: Pick<ISession, 'session_id'>) => void;

/** Only text and an id come out of a notebook, so it may be shown whoever wrote it. */
export function sessionOutput(
  trans: TranslationBundle,
  store: RegistryStore,
  open: Open
): IRenderMime.IRendererFactory {
  return {
    safe: true,
    mimeTypes: [SESSION_MIME],
    defaultRank: 10,
    createRenderer: () => new SessionOutput(trans, store, open)
  };
}

class SessionOutput extends Widget implements IRenderMime.IRenderer {
  private session = '';
  /** The session has ended, or the registry has said that there is none: it is not asked again. */
  private isSettled = false;
  private readonly button = document.createElement('button');
  private readonly state = document.createElement('span');

  constructor(
    private readonly trans: TranslationBundle,
    private readonly store: RegistryStore,
    open: Open
  ) {
    super();
    this.addClass('qcrbox-SessionOutput');
    this.button.className = 'qcrbox-small qcrbox-mod-main';
    this.button.onclick = () => open({ session_id: this.session });
    this.state.className = 'qcrbox-Phase';
    this.node.append(this.button, this.state);
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const data = model.data[SESSION_MIME] as { session_id?: unknown; name?: unknown } | undefined;
    const id = String(data?.session_id ?? '');
    const isNamed = SESSION_ID.test(id);
    this.button.hidden = !isNamed;
    this.isSettled = false;
    if (!isNamed) {
      // The cell may have been run again, with another output in this place.
      this.store.changed.disconnect(this.onChange, this);
      this.store.happened.disconnect(this.onChange, this);
      this.session = '';
      this.state.textContent = this.trans.__('This output names no session.');
      return;
    }
    this.session = id;
    this.button.textContent = this.trans.__('Open %1 in a tab', String(data?.name ?? ''));
    this.store.changed.connect(this.onChange, this);
    this.store.happened.connect(this.onChange, this);
    await this.store.start();
    await this.look();
  }

  dispose(): void {
    this.store.changed.disconnect(this.onChange, this);
    this.store.happened.disconnect(this.onChange, this);
    super.dispose();
  }

  private onChange(): void {
    const session = this.store.sessions.find(each => each.session_id === this.session);
    if (session) {
      this.tell(session);
    } else if (!this.isSettled) {
      void this.look();
    }
  }

  private async look(): Promise<void> {
    const id = this.session;
    const take = (session: ISession | null, isSettled: boolean) => {
      if (id === this.session) {
        this.isSettled = isSettled;
        this.tell(session);
      }
    };
    try {
      const { session } = await this.store.client.session(id);
      take(session ?? null, session === undefined || isOver(session));
    } catch (error) {
      // A registry that is away is asked again with the next change.
      take(null, isGone(error));
    }
  }

  private tell(session: ISession | null): void {
    const phase = phaseOf(session, 'connected');
    const word = phase === 'connected' ? this.trans.__('open') : phaseWord(phase, this.trans);
    this.state.dataset['phase'] = phase;
    this.state.textContent = `${PHASE_SIGNS[phase]} ${word}`;
    if (session) {
      this.button.textContent = this.trans.__(
        'Open %1 in a tab',
        titleOf(session, this.store.applications, this.trans)
      );
    }
  }
}
