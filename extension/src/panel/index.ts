import { ILayoutRestorer, JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ILauncher } from '@jupyterlab/launcher';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator } from '@jupyterlab/translation';

import { qcrboxIcon } from '../icons';
import { IRegistryStore } from '../registry/plugin';
import type { RegistryStore } from '../registry/store';
import { QCrBoxPanel } from './panel';

const OPEN = 'qcrbox:open-panel';
const REFRESH = 'qcrbox:refresh';
const UPLOAD = 'qcrbox:upload';

/** The side panel with its commands, launcher card and palette entries. */
export const panelPlugin: JupyterFrontEndPlugin<void> = {
  id: '@qcrbox/lab:panel',
  description: 'Applications, datasets and calculations of QCrBox beside the notebook.',
  autoStart: true,
  requires: [ITranslator, IRegistryStore, INotebookTracker],
  optional: [ILayoutRestorer, ICommandPalette, ILauncher],
  activate: (
    app: JupyterFrontEnd,
    translator: ITranslator,
    store: RegistryStore,
    notebooks: INotebookTracker,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    launcher: ILauncher | null
  ) => {
    const trans = translator.load('qcrbox');
    const { serviceManager, commands, shell } = app;
    const panel = new QCrBoxPanel(store, trans, serviceManager.contents, notebooks, commands);
    shell.add(panel, 'left', { rank: 150, type: 'QCrBox' });
    restorer?.add(panel, panel.id);

    commands.addCommand(OPEN, {
      label: trans.__('QCrBox panel'),
      caption: trans.__('Applications, datasets and calculations'),
      icon: qcrboxIcon,
      execute: () => shell.activateById(panel.id)
    });
    commands.addCommand(REFRESH, {
      label: trans.__('Refresh the QCrBox panel'),
      execute: () => store.refresh()
    });
    commands.addCommand(UPLOAD, {
      label: trans.__('Upload files to QCrBox …'),
      icon: qcrboxIcon,
      execute: () => {
        shell.activateById(panel.id);
        panel.chooseFiles();
      }
    });

    const category = trans.__('QCrBox');
    for (const command of [OPEN, UPLOAD, REFRESH]) {
      palette?.addItem({ command, category });
    }
    for (const [rank, command] of [OPEN, UPLOAD].entries()) {
      launcher?.add({ command, category, rank });
    }
  }
};
