import { ILayoutRestorer, IRouter, JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import { PageConfig, URLExt } from '@jupyterlab/coreutils';
import { ILauncher } from '@jupyterlab/launcher';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator } from '@jupyterlab/translation';
import { type LabIcon, listIcon, notebookIcon } from '@jupyterlab/ui-components';

import { EXERCISE_LINK, withoutExercise } from '../exercise/link';
import { cifIcon, qcrboxIcon, windowIcon } from '../icons';
import { followLink } from '../links';
import { IRegistryStore } from '../registry/plugin';
import type { RegistryStore } from '../registry/store';
import { START_RANK } from '../start';
import { TELL_BY_MAIL, TELL_OUTSIDE, UPLOAD } from './commands';
import { QCrBoxPanel } from './panel';
import type { SectionName } from './section';

const OPEN = 'qcrbox:open-panel';
const REFRESH = 'qcrbox:refresh';
const SHOW = 'qcrbox:show';
const OPEN_EXERCISE = 'qcrbox:open-exercise';
const TUTORIALS = 'qcrbox:tutorials';
/** Where each person's copies of the tutorials lie, below Lab's root. */
const TUTORIALS_FOLDER = 'notebooks';

/** The side panel with its commands, launcher card and palette entries. */
export const panelPlugin: JupyterFrontEndPlugin<void> = {
  id: '@qcrbox/lab:panel',
  description: 'Applications, datasets and calculations of QCrBox beside the notebook.',
  autoStart: true,
  requires: [ITranslator, IRegistryStore, INotebookTracker],
  optional: [ILayoutRestorer, ICommandPalette, ILauncher, IRouter],
  activate: (
    app: JupyterFrontEnd,
    translator: ITranslator,
    store: RegistryStore,
    notebooks: INotebookTracker,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    launcher: ILauncher | null,
    router: IRouter | null
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
    commands.addCommand(TELL_OUTSIDE, {
      label: trans.__('Notify me outside Lab when a long calculation ends'),
      isToggled: () => panel.telling.isOn,
      isEnabled: () => panel.telling.isPossible,
      execute: async () => {
        const on = !panel.telling.isOn;
        if (!(await panel.telling.choose(on))) {
          Notification.warning(
            trans.__('The browser does not allow notifications of this page; its settings can change that.'),
            { autoClose: 6000 }
          );
        }
        commands.notifyCommandChanged(TELL_OUTSIDE);
      }
    });
    // Without a hub nothing sends them.
    const hubPrefix = PageConfig.getOption('hubPrefix');
    commands.addCommand(TELL_BY_MAIL, {
      label: trans.__('E-mails when a calculation ends …'),
      isVisible: () => hubPrefix !== '',
      execute: () => {
        const page = URLExt.join(PageConfig.getOption('hubHost') || location.origin, hubPrefix, 'notifications');
        window.open(page, '_blank', 'noopener');
      }
    });
    commands.addCommand(UPLOAD, {
      label: trans.__('New project from files …'),
      caption: trans.__('Choose a CIF and its reflections; files of one name become one dataset that can be refined.'),
      icon: qcrboxIcon,
      execute: () => {
        shell.activateById(panel.id);
        panel.chooseFiles();
      }
    });

    followLink(app, router, {
      command: OPEN_EXERCISE,
      label: trans.__('Open an exercise'),
      pattern: EXERCISE_LINK,
      without: withoutExercise,
      open: id => {
        shell.activateById(panel.id);
        panel.openExercise(id);
      }
    });

    const parts: Record<string, [string, string, LabIcon]> = {
      calculations: [
        trans.__('My results'),
        trans.__('What runs, and what you have calculated, the newest first; each opens in a tab.'),
        listIcon
      ],
      datasets: [
        trans.__('Examples and data'),
        trans.__('Your structures, and examples to try everything with; Run … does something with one.'),
        cifIcon
      ],
      applications: [
        trans.__('Programs'),
        trans.__('What can be calculated here, with a form for each command and the window of each program.'),
        windowIcon
      ]
    };
    commands.addCommand(SHOW, {
      label: args => parts[String(args['section'])]?.[0] ?? trans.__('A part of the QCrBox panel'),
      caption: args => parts[String(args['section'])]?.[1] ?? '',
      icon: args => parts[String(args['section'])]?.[2] ?? qcrboxIcon,
      execute: args => {
        shell.activateById(panel.id);
        return panel.showSection(args['section'] as SectionName);
      }
    });
    commands.addCommand(TUTORIALS, {
      label: trans.__('Tutorials'),
      caption: trans.__('Notebooks that lead through a first refinement, judging a model, and more.'),
      icon: notebookIcon,
      isVisible: () => commands.hasCommand('filebrowser:open-path'),
      execute: () => commands.execute('filebrowser:open-path', { path: TUTORIALS_FOLDER })
    });

    const category = trans.__('QCrBox');
    for (const command of [OPEN, TELL_OUTSIDE, TELL_BY_MAIL, UPLOAD, REFRESH]) {
      palette?.addItem({ command, category });
    }
    const cards = [
      { command: UPLOAD },
      ...Object.keys(parts).map(section => ({ command: SHOW, args: { section } })),
      { command: TUTORIALS }
    ];
    for (const [rank, card] of cards.entries()) {
      launcher?.add({ ...card, category, categoryRank: START_RANK, rank });
    }
  }
};
