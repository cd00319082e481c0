import { MainAreaWidget } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import { windowIcon } from '../icons';
import type { RegistryStore } from '../registry/store';
import { SessionView } from './view';

/** A session as a tab of Lab. */
export class SessionTab extends MainAreaWidget<SessionView> {
  constructor(options: {
    id: string;
    view: boolean;
    store: RegistryStore;
    trans: TranslationBundle;
    insertResult: () => void;
  }) {
    const { id, view, store, trans, insertResult } = options;
    super({ content: new SessionView(id, view, store, trans, insertResult) });
    this.id = `qcrbox-session-${id}${view ? '-view' : ''}`;
    this.title.closable = true;
    this.title.icon = windowIcon;
    // Lab's toolbar folds away what does not fit; how to end a session must stay in sight.
    this.toolbar.hide();
  }

  /** By what it is opened again. */
  get args(): { id: string; view: boolean } {
    return { id: this.content.sessionId, view: this.content.onlyViews };
  }
}
