import { ILayoutRestorer, IRouter, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, Notification, WidgetTracker } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ITranslator } from '@jupyterlab/translation';

import { windowIcon } from '../icons';
import { followLink } from '../links';
import { calculationCode } from '../notebook/code';
import { insert } from '../notebook/insert';
import { IRegistryStore } from '../registry/plugin';
import type { RegistryStore } from '../registry/store';
import type { ISession } from '../registry/types';
import { FOLLOW_INVITATION, OPEN_SESSION, SESSION_ID, START_SESSION } from './commands';
import { INVITED, withoutInvitation } from './invitation';
import { sessionOutput } from './output';
import { startSession } from './start';
import { SessionTab } from './tab';
import { wordsOf } from '../words_of';

/** Programs with a window: a tab each, found again after a reload. */
export const sessionPlugin: JupyterFrontEndPlugin<void> = {
  id: '@qcrbox/lab:sessions',
  description: 'Windows of crystallographic programs as tabs.',
  autoStart: true,
  requires: [ITranslator, IRegistryStore, INotebookTracker],
  optional: [ILayoutRestorer, ICommandPalette, IRenderMimeRegistry, IRouter],
  activate: (
    app: JupyterFrontEnd,
    translator: ITranslator,
    store: RegistryStore,
    notebooks: INotebookTracker,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    rendermime: IRenderMimeRegistry | null,
    router: IRouter | null
  ) => {
    const trans = translator.load('qcrbox');
    const { commands, shell } = app;
    const tracker = new WidgetTracker<SessionTab>({ namespace: 'qcrbox-sessions' });

    const open = (id: string, view: boolean): SessionTab => {
      const known = tracker.find(tab => tab.args.id === id && tab.args.view === view);
      const insertResult = () => insert(calculationCode(id), notebooks, trans);
      const tab = known ?? new SessionTab({ id, view, store, trans, insertResult });
      if (!known) {
        void tracker.add(tab);
      }
      if (!tab.isAttached) {
        shell.add(tab, 'main');
      }
      shell.activateById(tab.id);
      return tab;
    };

    commands.addCommand(OPEN_SESSION, {
      label: args => trans.__('Open the window of session %1', String(args['id'] ?? '').slice(-4)),
      icon: windowIcon,
      execute: args => {
        const id = String(args['id'] ?? '');
        if (!SESSION_ID.test(id)) {
          throw new Error(trans.__('Give the id of a session.'));
        }
        return open(id, args['view'] === true);
      }
    });
    commands.addCommand(START_SESSION, {
      label: trans.__('Open a program with a window …'),
      icon: windowIcon,
      execute: async args => {
        try {
          const id = await startSession(store, trans, {
            application: args['application'] as string | undefined,
            command: args['command'] as string | undefined
          });
          return id ? open(id, false) : undefined;
        } catch (error) {
          Notification.error(wordsOf(error), { autoClose: false });
          return undefined;
        }
      }
    });
    followLink(app, router, {
      command: FOLLOW_INVITATION,
      label: trans.__('View a session'),
      pattern: INVITED,
      without: withoutInvitation,
      open: id => open(id, true)
    });
    palette?.addItem({ command: START_SESSION, category: trans.__('QCrBox') });
    rendermime?.addFactory(
      sessionOutput(
        trans,
        store,
        (session: Pick<ISession, 'session_id'>) => void commands.execute(OPEN_SESSION, { id: session.session_id })
      ),
      0
    );
    if (restorer) {
      void restorer.restore(tracker, {
        command: OPEN_SESSION,
        args: tab => tab.args,
        name: tab => tab.id
      });
    }
  }
};
