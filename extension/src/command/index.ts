import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import {
  Clipboard,
  ICommandPalette,
  InputDialog,
  MainAreaWidget,
  Notification,
  WidgetTracker
} from '@jupyterlab/apputils';
import type { DocumentWidget } from '@jupyterlab/docregistry';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator } from '@jupyterlab/translation';
import { UUID } from '@lumino/coreutils';
import type { Widget } from '@lumino/widgets';

import { argumentsOf } from '../session/arguments';
import { commandCall, commandPhrase } from '../command_name';
import { DOUBT, isDoubtfulDataset } from '../doubt';
import { cifIcon, qcrboxIcon } from '../icons';
import { calculationCode } from '../notebook/code';
import { insert } from '../notebook/insert';
import { type IOffer, offerLabel, structureCommands } from '../offers';
import { askToCancel } from '../panel/cancelling';
import { renameCalculation } from '../panel/renaming';
import { notified } from '../notified';
import { keepLabFiles } from '../panel/keeping';
import { OPEN_PROJECTS } from '../projects/commands';
import { IRegistryStore } from '../registry/plugin';
import { RequestKey } from '../registry/request_key';
import type { RegistryStore } from '../registry/store';
import { calculationTitle, datasetTitle } from '../titles';
import { ViewClient } from '../viewer/client';
import { OPEN_STORED } from '../viewer/commands';
import { FileView } from '../viewer/file_view';
import {
  ADD_CHOSEN_FILES,
  OPEN_RESULT,
  REFINE_CHOSEN_FILES,
  REFINE_EDITED,
  RUN_AGAIN,
  RUN_COMMAND,
  VALIDATE_CHOSEN_FILE
} from './commands';
import { editedRefinement } from './edited';
import { isDoubtful } from './figures';
import { Estimating, type KnownEstimates } from './estimating';
import { CommandForm } from './form';
import { withModel } from './fields';
import { CommandModel } from './model';
import { FormPresets } from './presets';
import { commandOf } from './repeating';
import { ResultView } from './result';
import { wordsOf } from '../words_of';

/** What a form begins with: a chosen file or dataset, or what was filled in before a reload and the id of its tab. */
interface IFormArgs {
  input?: string;
  values?: Record<string, string>;
  tab?: string;
}

/** The id of a result's tab begins so. */
const RESULT = 'qcrbox-result-';

/** Commands as forms and their results as tabs: calculating without a cell of code. */
export const commandPlugin: JupyterFrontEndPlugin<void> = {
  id: '@qcrbox/lab:commands',
  description: 'Forms of commands and tabs of results.',
  autoStart: true,
  requires: [ITranslator, IRegistryStore, INotebookTracker],
  optional: [ICommandPalette, IDefaultFileBrowser, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    translator: ITranslator,
    store: RegistryStore,
    notebooks: INotebookTracker,
    palette: ICommandPalette | null,
    files: IDefaultFileBrowser | null,
    restorer: ILayoutRestorer | null
  ) => {
    const trans = translator.load('qcrbox');
    const { commands, shell, serviceManager } = app;
    const views = new ViewClient(store.client);
    const results = new WidgetTracker<MainAreaWidget<ResultView>>({ namespace: 'qcrbox-results' });
    const forms = new WidgetTracker<MainAreaWidget<CommandForm>>({ namespace: 'qcrbox-forms' });

    const show = (widget: Widget) => {
      if (!widget.isAttached) {
        shell.add(widget, 'main');
      }
      shell.activateById(widget.id);
    };

    const estimates: KnownEstimates = new Map();
    const openForm = ({ application, command }: IOffer, { input, values, tab: id }: IFormArgs) => {
      const title = (dataset: Parameters<typeof datasetTitle>[0]) => {
        const sign = isDoubtfulDataset(dataset, store.calculations) ? `${DOUBT} ` : '';
        return `${sign}${datasetTitle(dataset, store.calculations)}`;
      };
      const model = new CommandModel(application, command, () => store.datasets, title, input, values);
      // A second click, or a request that is sent again because no answer came, never starts a second calculation.
      const sending = new RequestKey();
      const run = async () => {
        model.tell({ isSending: true });
        estimating.drop();
        try {
          const given = model.arguments;
          const id = await sending.send(given, key => store.client.submit(application, command, given, key));
          model.tell({ isSending: false });
          await commands.execute(OPEN_RESULT, { id });
        } catch (error) {
          model.tell({ isSending: false, refusal: wordsOf(error) });
        }
      };
      const presets = new FormPresets(store.client, model, async text => {
        const title = trans.__('Keep the options as a preset');
        return (await InputDialog.getText({ title, label: trans.__('Name'), text })).value ?? '';
      });
      void presets.load();
      const content = new CommandForm(
        model,
        store,
        {
          run: () => void run(),
          shown: () => estimating.follow(),
          copy: code => {
            Clipboard.copyToSystem(code);
            Notification.success(trans.__('The code is on the clipboard.'), { autoClose: 2000 });
          },
          insert: code => insert(code, notebooks, trans),
          savePreset: () => void presets.save(),
          deletePreset: () => void presets.delete()
        },
        trans
      );
      const estimating = new Estimating(model, store, estimates, () => content.isVisible);
      const tab = new MainAreaWidget({ content });
      tab.disposed.connect(() => estimating.dispose());
      // The same after a reload: Lab remembers places of tabs by their ids.
      tab.id = id ?? `qcrbox-form-${UUID.uuid4()}`;
      content.id = `${tab.id}-content`;
      tab.title.label = commandPhrase(command);
      tab.title.caption = `${application.name} ${application.version}, ${commandCall(application.slug, command.name)}`;
      tab.title.icon = qcrboxIcon;
      tab.title.closable = true;
      void forms.add(tab);
      model.changed.connect(() => void forms.save(tab));
      show(tab);
    };

    const openResult = (id: string) => {
      const known = results.find(each => each.id === `${RESULT}${id}`);
      if (known) {
        show(known);
        return;
      }
      void store.need(id);
      const content = new ResultView(
        id,
        store,
        views,
        {
          refine: (file, edits, form) =>
            commands.execute(REFINE_EDITED, { file: file.qcrbox_file_id, edits, form }) as Promise<void>,
          project: calculation => void commands.execute(OPEN_PROJECTS, { holds: calculation.calculation_id }),
          open: file => void commands.execute(OPEN_STORED, { id: file.qcrbox_file_id }),
          rename: calculation => void renameCalculation(store, calculation, trans),
          cancel: calculation => void askToCancel(store, calculation, trans),
          repeat: calculation => void commands.execute(RUN_AGAIN, { id: calculation.calculation_id }),
          insert: calculation => insert(calculationCode(calculation.calculation_id), notebooks, trans),
          next: (application, command, dataset) =>
            openForm({ application, command }, { input: dataset.qcrbox_dataset_id })
        },
        trans
      );
      const tab = new MainAreaWidget({ content });
      tab.id = `${RESULT}${id}`;
      tab.title.icon = cifIcon;
      tab.title.closable = true;
      const label = () => {
        const found = store.calculationOf(id);
        const sign = found && isDoubtful(found) ? `${DOUBT} ` : '';
        tab.title.label = found ? `${sign}${calculationTitle(found)}` : trans.__('Result');
        tab.title.caption = tab.title.label;
      };
      label();
      store.changed.connect(label);
      tab.disposed.connect(() => store.changed.disconnect(label));
      void results.add(tab);
      show(tab);
    };

    const named = (slug: unknown, name: unknown): IOffer | undefined => {
      const application = store.applications.find(each => each.slug === slug);
      const command = application?.commands.find(each => each.name === name);
      return application && command && { application, command };
    };
    const ask = async (): Promise<IOffer | undefined> => {
      const offered = structureCommands(store.applications);
      const items = offered.map(each => offerLabel(each, trans));
      const usual = offered.findIndex(each => each.application.slug === 'refine' && each.command.name === 'refine_iam');
      const current = Math.max(0, usual);
      const { value } = await InputDialog.getItem({ title: trans.__('Choose a command'), items, current });
      return value === null ? undefined : offered[items.indexOf(value)];
    };

    commands.addCommand(RUN_COMMAND, {
      label: trans.__('Run a command with a form …'),
      icon: qcrboxIcon,
      execute: async args => {
        await store.start();
        // A form from before a reload whose command is gone stays away: nobody asked for another.
        const chosen = named(args['application'], args['command']) ?? (args['tab'] ? undefined : await ask());
        if (chosen) {
          openForm(chosen, args as IFormArgs);
        }
      }
    });
    // One request for one set of edits while it is sent: a double click starts one calculation.
    const sending = new Map<string, Promise<string>>();
    const editing = new RequestKey();
    commands.addCommand(REFINE_EDITED, {
      label: trans.__('Refine with edits'),
      icon: qcrboxIcon,
      execute: async args => {
        await store.start();
        const [id, edits] = [String(args['file'] ?? ''), String(args['edits'] ?? '')];
        const dataset = store.datasets.find(each =>
          Object.values(each.data_files).some(file => file.qcrbox_file_id === id)
        );
        const file = Object.values(dataset?.data_files ?? {}).find(each => each.qcrbox_file_id === id);
        if (!dataset || !file) {
          throw new Error(trans.__('The file of these edits is no longer in the store.'));
        }
        const made = store.calculations.find(each => each.output_dataset_id === dataset.qcrbox_dataset_id);
        const next = editedRefinement(file, dataset, edits, store.applications, made, trans);
        if (args['form']) {
          openForm(next, { values: next.values });
          return;
        }
        const { application, command, values } = next;
        const edited = JSON.stringify([id, edits]);
        const given = argumentsOf(command, values);
        const sent =
          sending.get(edited) ??
          editing.send([id, given], key => store.client.submit(application, command, given, key));
        sending.set(edited, sent);
        try {
          openResult(await sent);
        } finally {
          sending.delete(edited);
        }
      }
    });
    const repeating = new RequestKey();
    const repeat = async (id: string) => {
      await store.need(id);
      const calculation = store.calculationOf(id);
      const offer = calculation && commandOf(calculation, store.applications);
      if (!offer) {
        throw new Error(
          calculation
            ? trans.__('The command %1 is no longer registered here.', calculation.command_name)
            : store.missingOf(id)
        );
      }
      const given = calculation.command_arguments;
      const submit = (key: string) => store.client.submit(offer.application, offer.command, given, key);
      openResult(await repeating.send(id, submit));
    };
    commands.addCommand(RUN_AGAIN, {
      label: trans.__('Run a calculation again'),
      icon: qcrboxIcon,
      execute: args => notified(repeat(String(args['id'] ?? '')))
    });
    commands.addCommand(OPEN_RESULT, {
      label: trans.__('Open a result'),
      icon: cifIcon,
      execute: args => {
        void store.start();
        openResult(String(args['id'] ?? ''));
      }
    });

    if (restorer) {
      void restorer.restore(results, {
        command: OPEN_RESULT,
        args: tab => ({ id: tab.id.slice(RESULT.length) }),
        name: tab => tab.id
      });
      void restorer.restore(forms, {
        command: RUN_COMMAND,
        args: tab => ({ ...tab.content.args, tab: tab.id }),
        name: tab => tab.id
      });
    }

    const keepChosen = async (): Promise<string[]> => {
      await store.start();
      const paths = [...(files?.selectedItems() ?? [])]
        .filter(item => item.type !== 'directory')
        .map(item => item.path);
      return keepLabFiles(store, serviceManager.contents, paths, trans);
    };
    const refineChosen = async () => {
      const input = withModel(await keepChosen(), store.datasets);
      if (input) {
        await commands.execute(RUN_COMMAND, { application: 'refine', command: 'refine_iam', input });
      }
    };
    commands.addCommand(ADD_CHOSEN_FILES, {
      label: trans.__('Add to the QCrBox store'),
      icon: cifIcon,
      execute: () => notified(keepChosen())
    });
    commands.addCommand(REFINE_CHOSEN_FILES, {
      label: trans.__('Refine …'),
      icon: qcrboxIcon,
      execute: () => notified(refineChosen())
    });
    commands.addCommand(VALIDATE_CHOSEN_FILE, {
      label: trans.__('Validate …'),
      caption: trans.__('Opens the file in the QCrBox viewer with its alerts, the local checks.'),
      icon: cifIcon,
      isVisible: () => [...(files?.selectedItems() ?? [])].some(item => /\.cif$/i.test(item.path)),
      execute: async () => {
        const chosen = [...(files?.selectedItems() ?? [])].filter(item => /\.cif$/i.test(item.path));
        for (const { path } of chosen) {
          const opened = (await commands.execute('docmanager:open', {
            path,
            factory: 'QCrBox',
            options: { mode: 'tab-after' }
          })) as DocumentWidget | undefined;
          if (opened?.content instanceof FileView) {
            opened.content.showTab('alerts');
          }
        }
      }
    });
    palette?.addItem({ command: RUN_COMMAND, category: trans.__('QCrBox') });
    // Those of the drive are stored already, and these commands read the selection of Lab's own file browser.
    const selector = '.jp-FileBrowser:not(#qcrbox-drive) .jp-DirListing-item[data-isdir="false"]';
    for (const [rank, command] of [REFINE_CHOSEN_FILES, VALIDATE_CHOSEN_FILE, ADD_CHOSEN_FILES].entries()) {
      app.contextMenu.addItem({ command, selector, rank: 3 + rank });
    }
  }
};
