import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { MainAreaWidget, Notification, WidgetTracker } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import type { Contents } from '@jupyterlab/services';
import { ITranslator } from '@jupyterlab/translation';

import { REFINE_EDITED, RUN_COMMAND } from '../command/commands';
import { cifIcon } from '../icons';
import { DRIVE, type StoreDrive } from '../drive/drive';
import { IStoreDrive } from '../drive/token';
import { notified } from '../notified';
import { keepLabFiles } from '../panel/keeping';
import { IRegistryStore } from '../registry/plugin';
import type { RegistryStore } from '../registry/store';
import type { IDataFile, IDataset } from '../registry/types';
import { ViewClient } from './client';
import { OPEN_STORED } from './commands';
import { FileViewFactory } from './document';
import { FileView } from './file_view';
import { canBeShown, reflectionsBeside, sourceOf } from './source';
import { storeVersion } from './storing';

const PREFIX = 'qcrbox-file-';
/** Models with everything that a refinement needs to begin. */
const canBeRefined = (name: string) => /\.(cif|res|ins)$/i.test(name);
/** Names of the file types; that of CIFs is as old as the extension. */
const TYPES: [name: string, display: string, extensions: string[]][] = [
  ['cif', 'CIF', ['.cif', '.fcf']],
  ['qcrbox-shelx', 'SHELX', ['.res', '.ins']],
  ['qcrbox-hkl', 'HKL', ['.hkl']],
  ['qcrbox-cube', 'Gaussian cube', ['.cube', '.cub']]
];

/** Files of crystallography: their types, our viewer for them, stored files in tabs. */
export const viewerPlugin: JupyterFrontEndPlugin<void> = {
  id: '@qcrbox/lab:files',
  description: 'File types of crystallography and their viewer.',
  autoStart: true,
  requires: [ITranslator, IRegistryStore],
  optional: [ILayoutRestorer, IStoreDrive],
  activate: (
    app: JupyterFrontEnd,
    translator: ITranslator,
    store: RegistryStore,
    restorer: ILayoutRestorer | null,
    drive: StoreDrive | null
  ) => {
    const trans = translator.load('qcrbox');
    const { commands, docRegistry, shell, serviceManager } = app;
    const views = new ViewClient(store.client);
    for (const [name, displayName, extensions] of TYPES) {
      docRegistry.addFileType({
        name,
        displayName,
        extensions,
        mimeTypes: name === 'cif' ? ['chemical/x-cif'] : [`chemical/x-${name}`],
        contentType: 'file',
        fileFormat: 'text',
        icon: cifIcon
      });
    }

    /** A model of the file browser in the store, with the reflections that have its name; the id of its dataset. */
    const keepModel = async (path: string): Promise<string | undefined> => {
      await store.start();
      const { contents } = serviceManager;
      const { content } = await contents.get(PathExt.dirname(path), { content: true });
      const beside = reflectionsBeside(
        path,
        (content as Contents.IModel[]).map(each => each.path)
      );
      const [input] = await keepLabFiles(store, contents, [path, ...beside], trans);
      return input;
    };
    const refineFile = async (path: string) => {
      const input = await keepModel(path);
      if (input) {
        await commands.execute(RUN_COMMAND, { application: 'refine', command: 'refine_iam', input });
      }
    };
    const refineEdited = async (path: string, edits: string, form: boolean) => {
      const input = await keepModel(path);
      const dataset = store.datasets.find(each => each.qcrbox_dataset_id === input);
      const file = dataset?.data_files[PathExt.basename(path)];
      if (!file) {
        throw new Error(trans.__('The file could not be stored, so it was not refined.'));
      }
      await commands.execute(REFINE_EDITED, { file: file.qcrbox_file_id, edits, form });
    };
    const keepVersion = async (dataset: IDataset, file: IDataFile, bytes: Uint8Array) => {
      const made = await storeVersion(store, dataset, file, bytes);
      const name = store.datasets.find(each => each.qcrbox_dataset_id === made)?.name ?? '';
      Notification.success(trans.__('Kept as %1; the earlier version stays.', name), { autoClose: 6000 });
    };
    /** What can be done with a file of the drive, which is stored already. */
    const storedActions = (drive: StoreDrive, path: string) => {
      const found = async () => {
        const id = (await drive.file(path))?.qcrbox_file_id;
        const dataset = store.datasets.find(each =>
          Object.values(each.data_files).some(file => file.qcrbox_file_id === id)
        );
        const file = Object.values(dataset?.data_files ?? {}).find(each => each.qcrbox_file_id === id);
        if (!dataset || !file) {
          throw new Error(trans.__('This file is no longer in the store.'));
        }
        return { dataset, file };
      };
      const refine = async (edits: string, form: boolean) => {
        await commands.execute(REFINE_EDITED, { file: (await found()).file.qcrbox_file_id, edits, form });
      };
      const run = async () => {
        const input = (await found()).file.qcrbox_file_id;
        await commands.execute(RUN_COMMAND, { application: 'refine', command: 'refine_iam', input });
      };
      return {
        keep: async (bytes: Uint8Array) => {
          const { dataset, file } = await found();
          await keepVersion(dataset, file, bytes);
        },
        keepLabel: trans.__('Keep as a new version'),
        buttons: /\.cif$/i.test(path) ? [{ label: trans.__('Refine …'), run: () => notified(run()) }] : [],
        ...(canBeRefined(path) ? { refine } : {})
      };
    };
    const factory = new FileViewFactory(
      {
        name: 'QCrBox',
        label: trans.__('QCrBox viewer'),
        modelName: 'base64',
        fileTypes: TYPES.map(([name]) => name),
        defaultFor: TYPES.map(([name]) => name),
        readOnly: false
      },
      views,
      path =>
        drive && path.startsWith(`${DRIVE}:`)
          ? storedActions(drive, path.slice(DRIVE.length + 1))
          : {
              buttons: [
                {
                  label: trans.__('Add to the QCrBox store'),
                  run: () => notified(keepLabFiles(store, serviceManager.contents, [path], trans))
                },
                ...(/\.cif$/i.test(path)
                  ? [{ label: trans.__('Refine …'), run: () => notified(refineFile(path)) }]
                  : [])
              ],
              ...(canBeRefined(path)
                ? { refine: (edits: string, form: boolean) => refineEdited(path, edits, form) }
                : {})
            },
      trans
    );
    const documents = new WidgetTracker({ namespace: 'qcrbox-documents' });
    factory.widgetCreated.connect((_, widget) => {
      widget.title.icon = cifIcon;
      void documents.add(widget);
      widget.context.pathChanged.connect(() => void documents.save(widget));
    });
    docRegistry.addWidgetFactory(factory);

    const stored = new WidgetTracker<MainAreaWidget<FileView>>({ namespace: 'qcrbox-stored' });
    const open = (id: string) => {
      const dataset = store.datasets.find(each =>
        Object.values(each.data_files).some(file => file.qcrbox_file_id === id)
      );
      const file = Object.values(dataset?.data_files ?? {}).find(each => each.qcrbox_file_id === id);
      if (!dataset || !file || !canBeShown(file.filename)) {
        Notification.info(trans.__('This file cannot be shown here; download it.'), { autoClose: 4000 });
        return;
      }
      const known = stored.find(each => each.id === PREFIX + id);
      if (known) {
        shell.activateById(known.id);
        return;
      }
      const run = (command: string) => () =>
        void commands.execute(RUN_COMMAND, { application: 'refine', command, input: id });
      const content = new FileView(
        sourceOf(file, dataset),
        views,
        {
          keep: bytes => keepVersion(dataset, file, bytes),
          keepLabel: trans.__('Keep as a new version'),
          ...(canBeRefined(file.filename)
            ? {
                refine: (edits: string, form: boolean) =>
                  commands.execute(REFINE_EDITED, { file: id, edits, form }) as Promise<void>
              }
            : {}),
          buttons: /\.cif$/i.test(file.filename)
            ? [
                { label: trans.__('Refine …'), run: run('refine_iam') },
                { label: trans.__('Run …'), run: () => void commands.execute(RUN_COMMAND, { input: id }) }
              ]
            : []
        },
        trans
      );
      const tab = new MainAreaWidget({ content });
      tab.id = PREFIX + id;
      tab.title.label =
        dataset.name && dataset.name !== file.filename ? `${dataset.name} / ${file.filename}` : file.filename;
      tab.title.icon = cifIcon;
      tab.title.closable = true;
      void stored.add(tab);
      shell.add(tab, 'main');
      shell.activateById(tab.id);
    };
    commands.addCommand(OPEN_STORED, {
      label: trans.__('Open a stored file'),
      icon: cifIcon,
      execute: async args => {
        await store.start();
        open(String(args['id'] ?? ''));
      }
    });
    if (restorer) {
      void restorer.restore(stored, {
        command: OPEN_STORED,
        args: tab => ({ id: tab.id.slice(PREFIX.length) }),
        name: tab => tab.id
      });
      void restorer.restore(documents, {
        command: 'docmanager:open',
        args: widget => ({ path: (widget as { context?: { path: string } }).context?.path ?? '', factory: 'QCrBox' }),
        name: widget => (widget as { context?: { path: string } }).context?.path ?? widget.id
      });
    }
  }
};
