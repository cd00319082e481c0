import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, MainAreaWidget } from '@jupyterlab/apputils';
import { ILauncher } from '@jupyterlab/launcher';
import { ITranslator } from '@jupyterlab/translation';
import { runIcon } from '@jupyterlab/ui-components';
import { UUID } from '@lumino/coreutils';

import { OPEN_RESULT, RUN_COMMAND } from '../command/commands';
import { qcrboxIcon } from '../icons';
import { UPLOAD } from '../panel/commands';
import { OPEN_PROJECTS } from '../projects/commands';
import { IRegistryStore } from '../registry/plugin';
import type { RegistryStore } from '../registry/store';
import { START_RANK } from '../start';
import { FIRST_REFINEMENT } from './commands';
import { GuideModel } from './model';
import { GuideView } from './view';

/** A guided first refinement in a tab. */
export const guidePlugin: JupyterFrontEndPlugin<void> = {
  id: '@qcrbox/lab:guide',
  description: 'A first refinement, step by step.',
  autoStart: true,
  requires: [ITranslator, IRegistryStore],
  optional: [ICommandPalette, ILauncher],
  activate: (
    app: JupyterFrontEnd,
    translator: ITranslator,
    store: RegistryStore,
    palette: ICommandPalette | null,
    launcher: ILauncher | null
  ) => {
    const trans = translator.load('qcrbox');
    const { commands, shell } = app;
    let open: MainAreaWidget<GuideView> | undefined;
    const make = () => {
      const model = new GuideModel(store, () => UUID.uuid4());
      const content = new GuideView(
        model,
        store,
        {
          addFiles: () => void commands.execute(UPLOAD),
          openResult: id => void commands.execute(OPEN_RESULT, { id }),
          next: to =>
            void (to === 'project'
              ? commands.execute(OPEN_PROJECTS, { holds: model.calculation })
              : commands.execute(RUN_COMMAND, { input: model.result?.output_dataset_id ?? '' }))
        },
        trans
      );
      const made = new MainAreaWidget({ content });
      made.id = 'qcrbox-guide';
      made.title.label = trans.__('First refinement');
      made.title.icon = qcrboxIcon;
      made.title.closable = true;
      made.disposed.connect(() => (open = undefined));
      void store.start();
      return made;
    };
    commands.addCommand(FIRST_REFINEMENT, {
      label: trans.__('First refinement'),
      caption: trans.__('From files to a judged result in five steps, without a line of code.'),
      icon: runIcon,
      execute: () => {
        open ??= make();
        if (!open.isAttached) {
          shell.add(open, 'main');
        }
        shell.activateById(open.id);
      }
    });
    const category = trans.__('QCrBox');
    palette?.addItem({ command: FIRST_REFINEMENT, category });
    launcher?.add({ command: FIRST_REFINEMENT, category, categoryRank: START_RANK, rank: 0.7 });
  }
};
