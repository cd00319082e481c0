import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, InputDialog, MainAreaWidget } from '@jupyterlab/apputils';
import { ILauncher } from '@jupyterlab/launcher';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator } from '@jupyterlab/translation';

import { cifIcon } from '../icons';
import { datasetCode } from '../notebook/code';
import { insert } from '../notebook/insert';
import { renameDataset } from '../panel/renaming';
import { IRegistryStore } from '../registry/plugin';
import { DATA_KINDS, type RegistryStore } from '../registry/store';
import { START_RANK } from '../start';
import { OPEN_STORE } from './commands';
import { BrowserModel } from './model';
import { StoreBrowser } from './view';

/** The store in a tab of its own: found by formula, cell, space group and more. */
export const browserPlugin: JupyterFrontEndPlugin<void> = {
  id: '@qcrbox/lab:store-browser',
  description: 'Stored structures, searched by what is in them.',
  autoStart: true,
  requires: [ITranslator, IRegistryStore, INotebookTracker],
  optional: [ICommandPalette, ILauncher],
  activate: (
    app: JupyterFrontEnd,
    translator: ITranslator,
    store: RegistryStore,
    notebooks: INotebookTracker,
    palette: ICommandPalette | null,
    launcher: ILauncher | null
  ) => {
    const trans = translator.load('qcrbox');
    let open: MainAreaWidget<StoreBrowser> | undefined;
    const make = () => {
      const model = new BrowserModel(store.client);
      const content = new StoreBrowser(
        model,
        {
          use: dataset => insert(datasetCode(dataset, store.datasets), notebooks, trans),
          rename: dataset => void renameDataset(store, dataset, trans),
          downloadUrl: id => store.client.downloadUrl(id),
          maySeeOthers: () => store.maySeeOthers,
          ask: async (title, label) => (await InputDialog.getText({ title, label })).value ?? ''
        },
        trans
      );
      const made = new MainAreaWidget({ content });
      made.id = 'qcrbox-store';
      made.title.label = trans.__('QCrBox store');
      made.title.icon = cifIcon;
      made.title.closable = true;
      // What is stored elsewhere while somebody looks shows up by itself.
      const heard = (_: RegistryStore, event: { kind: string }) => {
        if (DATA_KINDS.has(event.kind) || event.kind === 'title') {
          void model.search();
        }
      };
      store.happened.connect(heard);
      made.disposed.connect(() => {
        store.happened.disconnect(heard);
        model.dispose();
        open = undefined;
      });
      void store.start();
      void model.search();
      return made;
    };
    app.commands.addCommand(OPEN_STORE, {
      label: trans.__('QCrBox store'),
      caption: trans.__('Find stored structures by formula, cell, space group …'),
      icon: cifIcon,
      execute: () => {
        open ??= make();
        if (!open.isAttached) {
          app.shell.add(open, 'main');
        }
        app.shell.activateById(open.id);
      }
    });
    const category = trans.__('QCrBox');
    palette?.addItem({ command: OPEN_STORE, category });
    launcher?.add({ command: OPEN_STORE, category, categoryRank: START_RANK, rank: 10 });
  }
};
