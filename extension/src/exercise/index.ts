import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, MainAreaWidget } from '@jupyterlab/apputils';
import { PageConfig, URLExt } from '@jupyterlab/coreutils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator } from '@jupyterlab/translation';
import { notebookIcon } from '@jupyterlab/ui-components';

import { IRegistryStore } from '../registry/plugin';
import type { RegistryStore } from '../registry/store';
import { MAKE_EXERCISE } from './commands';
import { MakingModel } from './making_model';
import { MakingForm } from './making';

/** A lecturer's notebook becomes an exercise by a form in Lab. */
export const exercisePlugin: JupyterFrontEndPlugin<void> = {
  id: '@qcrbox/lab:exercises',
  description: 'Exercises made of notebooks.',
  autoStart: true,
  requires: [ITranslator, IRegistryStore, INotebookTracker],
  optional: [ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    translator: ITranslator,
    store: RegistryStore,
    notebooks: INotebookTracker,
    palette: ICommandPalette | null
  ) => {
    const trans = translator.load('qcrbox');
    // The pages of courses are the hub's: without one there are none.
    const hubPrefix = PageConfig.getOption('hubPrefix');
    const page = (...parts: string[]) =>
      URLExt.join(PageConfig.getOption('hubHost') || location.origin, hubPrefix, 'teaching', ...parts);

    app.commands.addCommand(MAKE_EXERCISE, {
      label: trans.__('Make an exercise of this notebook …'),
      icon: notebookIcon,
      isVisible: () => hubPrefix !== '',
      isEnabled: () => notebooks.currentWidget !== null,
      execute: async () => {
        const notebook = notebooks.currentWidget;
        if (!notebook) {
          return;
        }
        await store.start();
        const { path } = notebook.context;
        // What becomes the exercise is what was saved.
        const model = new MakingModel(store, path, () => notebook.context.save());
        const tab = new MainAreaWidget({ content: new MakingForm(model, page, trans) });
        tab.title.label = trans.__('New exercise');
        tab.title.caption = path;
        tab.title.icon = notebookIcon;
        tab.title.closable = true;
        app.shell.add(tab, 'main');
        app.shell.activateById(tab.id);
        await model.load();
      }
    });
    palette?.addItem({ command: MAKE_EXERCISE, category: trans.__('QCrBox') });
    app.contextMenu.addItem({ command: MAKE_EXERCISE, selector: '.jp-Notebook', rank: 200 });
  }
};
