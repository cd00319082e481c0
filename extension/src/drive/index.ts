import { ILabShell, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { type FileBrowser, IDefaultFileBrowser, IFileBrowserFactory, Uploader } from '@jupyterlab/filebrowser';
import { ITranslator, type TranslationBundle } from '@jupyterlab/translation';
import { refreshIcon, ToolbarButton } from '@jupyterlab/ui-components';
import { MessageLoop } from '@lumino/messaging';

import { cifIcon } from '../icons';
import { IRegistryStore } from '../registry/plugin';
import type { RegistryStore } from '../registry/store';
import { DRIVE, StoreDrive } from './drive';
import { IStoreDrive } from './token';

const LEFT_RANK = 110; // below Lab's own file browser
export const OPEN_DRIVE = 'qcrbox:open-drive';

/** The store as a drive, in a file browser of its own. */
export const drivePlugin: JupyterFrontEndPlugin<StoreDrive> = {
  id: '@qcrbox/lab:drive',
  description: 'Stored datasets and projects in a file browser.',
  autoStart: true,
  requires: [ITranslator, IRegistryStore],
  optional: [IFileBrowserFactory, ILabShell, IDefaultFileBrowser, ICommandPalette],
  provides: IStoreDrive,
  activate: (
    app: JupyterFrontEnd,
    translator: ITranslator,
    store: RegistryStore,
    factory: IFileBrowserFactory | null,
    shell: ILabShell | null,
    ownFiles: IDefaultFileBrowser | null,
    palette: ICommandPalette | null
  ) => {
    const trans = translator.load('qcrbox');
    const { contents, serverSettings } = app.serviceManager;
    const drive = new StoreDrive(store, serverSettings);
    contents.addDrive(drive);
    if (factory && shell) {
      const browser = factory.createFileBrowser('qcrbox-drive', { driveName: DRIVE, auto: false, restore: false });
      browser.title.icon = cifIcon;
      browser.title.caption = trans.__('Stored files (drive qcrbox:)');
      browser.node.setAttribute('aria-label', trans.__('Stored files'));
      addTools(browser, translator, trans);
      app.commands.addCommand(OPEN_DRIVE, {
        label: trans.__('Stored files (drive qcrbox:)'),
        caption: trans.__('Datasets and projects of the store as folders of files'),
        icon: cifIcon,
        execute: () => shell.activateById(browser.id)
      });
      palette?.addItem({ command: OPEN_DRIVE, category: trans.__('QCrBox') });
      if (ownFiles) {
        leaveNewFilesTo(ownFiles, browser, factory.tracker, shell.node);
      }
      shell.add(browser, 'left', { rank: LEFT_RANK, type: 'QCrBox' });
      // The first look loads the store, not the start of Lab.
      let isLoaded = false;
      MessageLoop.installMessageHook(browser, (_, message) => {
        if (browser.isVisible && (message.type === 'after-show' || message.type === 'after-attach')) {
          void (isLoaded ? browser.model.refresh() : browser.model.cd('/'));
          isLoaded = true;
        }
        return true;
      });
      // Not at the event, which comes before the list of the store is read again.
      let { datasets } = store;
      store.changed.connect(() => {
        if (browser.isVisible && store.datasets !== datasets) {
          void browser.model.refresh();
        }
        datasets = store.datasets;
      });
    }
    return drive;
  }
};

/** Lab gives a toolbar to its own file browser only. Nothing empty is made here, so the rest of its buttons is left out. */
function addTools(browser: FileBrowser, translator: ITranslator, trans: TranslationBundle): void {
  browser.toolbar.addItem('upload', new Uploader({ model: browser.model, translator }));
  browser.toolbar.addItem(
    'refresh',
    new ToolbarButton({
      icon: refreshIcon,
      tooltip: trans.__('Refresh the list'),
      onClick: () => void browser.model.refresh()
    })
  );
}

/**
 * Keep Lab's own file browser the one where new notebooks and files go.
 *
 * Lab makes them in the browser that was focused or added last, and in the store nothing empty can be made. The
 * browser of the store is current only while someone works in it: its context menu acts on its selection.
 */
function leaveNewFilesTo(
  ownFiles: FileBrowser,
  store: FileBrowser,
  tracker: IFileBrowserFactory['tracker'],
  shell: HTMLElement
): void {
  const giveBack = () => {
    if (tracker.currentWidget === store) {
      // The tracker goes by events of focus and has no other way to be told.
      ownFiles.node.dispatchEvent(new FocusEvent('focus'));
    }
  };
  tracker.currentChanged.connect(() => {
    if (!store.node.contains(document.activeElement)) {
      giveBack();
    }
  });
  for (const kind of ['pointerdown', 'focusin']) {
    shell.addEventListener(
      kind,
      event => {
        if (event.target instanceof Element && event.target.closest('#jp-main-dock-panel')) {
          giveBack();
        }
      },
      true
    );
  }
}
