import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, InputDialog, MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { ILauncher } from '@jupyterlab/launcher';
import { ITranslator } from '@jupyterlab/translation';
import { treeViewIcon } from '@jupyterlab/ui-components';

import { OPEN_RESULT, RUN_COMMAND } from '../command/commands';
import { qcrboxIcon } from '../icons';
import { UPLOAD } from '../panel/commands';
import { renameDatasetOf, renameResult } from '../panel/renaming';
import { IRegistryStore } from '../registry/plugin';
import { PROJECT_KINDS, type RegistryStore } from '../registry/store';
import type { IEvent, IProjectNode } from '../registry/types';
import { START_RANK } from '../start';
import { OPEN_STORED } from '../viewer/commands';
import { OPEN_PROJECTS } from './commands';
import { askForNote } from './note';
import { ProjectsModel } from './model';
import { ProjectsView } from './view';

/** Changes that come together are asked for together. */
const GATHER_MS = 250;

/** Each structure with its history, in a tab. */
export const projectsPlugin: JupyterFrontEndPlugin<void> = {
  id: '@qcrbox/lab:projects',
  description: 'Structures with their histories.',
  autoStart: true,
  requires: [ITranslator, IRegistryStore],
  optional: [ICommandPalette, ILauncher, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    translator: ITranslator,
    store: RegistryStore,
    palette: ICommandPalette | null,
    launcher: ILauncher | null,
    restorer: ILayoutRestorer | null
  ) => {
    const trans = translator.load('qcrbox');
    const { commands, shell } = app;
    const tracker = new WidgetTracker<MainAreaWidget<ProjectsView>>({ namespace: 'qcrbox-projects' });
    let open: MainAreaWidget<ProjectsView> | undefined;

    const actionsOf = (model: ProjectsModel) => ({
      newProject: () => void commands.execute(UPLOAD),
      open: (node: IProjectNode) =>
        void (node.kind === 'calculation'
          ? commands.execute(OPEN_RESULT, { id: node.id })
          : commands.execute(OPEN_STORED, { id: node.structure ?? node.files[0]?.qcrbox_file_id ?? '' })),
      start: (node: IProjectNode, application: string, command: string) =>
        void commands.execute(RUN_COMMAND, { application, command, input: node.structure ?? '' }),
      rename: (node: IProjectNode) =>
        void (node.kind === 'calculation'
          ? renameResult(store, node.id, node.title, trans)
          : renameDatasetOf(store, node.id, node.title, trans)),
      note: async (node: IProjectNode) => {
        const value = await askForNote(trans.__('Note on %1', node.title), node.note, trans);
        if (value !== null && value.trim() !== node.note) {
          await model.annotate(node, { note: value }, trans.__('note on %1 changed', node.title));
        }
      },
      move: async (node: IProjectNode) => {
        const others = model.found.filter(each => each.id !== node.id && !each.id.includes('@'));
        const itself = trans.__('a project of its own');
        const items = [itself, ...others.map(each => `${each.name} (${each.formula || each.id.slice(-4)})`)];
        const { value } = await InputDialog.getItem({ title: trans.__('Move %1 to', node.title), items });
        if (value !== null) {
          const target = others[items.indexOf(value) - 1]?.id ?? '';
          await model.annotate(node, { project: target }, trans.__('%1 moved', node.title));
        }
      }
    });

    const make = () => {
      const model = new ProjectsModel(store.client);
      const content = new ProjectsView({ model, store, actions: actionsOf(model), trans });
      const made = new MainAreaWidget({ content });
      made.id = 'qcrbox-projects';
      made.title.label = trans.__('Projects');
      made.title.icon = qcrboxIcon;
      made.title.closable = true;
      let timer = 0;
      const heard = (_: RegistryStore, event: IEvent) => {
        // Progress of a running calculation changes no tree.
        if (PROJECT_KINDS.has(event.kind) && event.seq !== 0) {
          window.clearTimeout(timer);
          timer = window.setTimeout(() => void model.refresh(), GATHER_MS);
        }
      };
      store.happened.connect(heard);
      made.disposed.connect(() => {
        window.clearTimeout(timer);
        store.happened.disconnect(heard);
        model.dispose();
        open = undefined;
      });
      void store.start();
      void model.search();
      void tracker.add(made);
      return made;
    };

    commands.addCommand(OPEN_PROJECTS, {
      label: trans.__('My projects'),
      caption: trans.__('Each structure with its history as a tree: data, refinements, models, notes; one search.'),
      icon: treeViewIcon,
      execute: async args => {
        open ??= make();
        const tab = open;
        if (!tab.isAttached) {
          shell.add(tab, 'main');
        }
        shell.activateById(tab.id);
        if (args['holds']) {
          await tab.content.model.openHolding(String(args['holds']));
        } else if (args['id']) {
          await tab.content.model.open(String(args['id']));
        }
      }
    });
    if (restorer) {
      void restorer.restore(tracker, {
        command: OPEN_PROJECTS,
        args: tab => ({ id: tab.content.model.project?.id ?? '' }),
        name: tab => tab.id
      });
    }
    const category = trans.__('QCrBox');
    palette?.addItem({ command: OPEN_PROJECTS, category });
    launcher?.add({ command: OPEN_PROJECTS, category, categoryRank: START_RANK, rank: 0.5 });
  }
};
