// @vitest-environment jsdom
/** The store in a file browser of Lab, and why new notebooks do not end up in it. */
import { MessageLoop } from '@lumino/messaging';
import { Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';
import { beforeEach, expect, test, vi } from 'vitest';

import { drivePlugin, OPEN_DRIVE } from '../src/drive';
import { lab } from './lab_shell';

vi.mock('@jupyterlab/apputils', () => import('./lab_libraries'));
vi.mock('@jupyterlab/ui-components', async () => ({
  ...(await import('./lab_libraries')),
  refreshIcon: {},
  ToolbarButton: class {
    constructor(readonly options: object) {}
  }
}));
vi.mock('@jupyterlab/application', async () => ({ ...(await import('./lab_libraries')), ILabShell: {} }));
vi.mock('@jupyterlab/filebrowser', async () => ({
  ...(await import('./lab_libraries')),
  IFileBrowserFactory: {},
  Uploader: class {
    constructor(readonly options: object) {}
  }
}));
vi.mock('@jupyterlab/services', () => import('./lab_libraries'));

class FileBrowser extends Widget {
  readonly tools: [string, { options: { model?: unknown; tooltip?: string; onClick?: () => void } }][] = [];
  readonly toolbar = { addItem: (...item: FileBrowser['tools'][number]) => void this.tools.push(item) };
  readonly model = { cd: vi.fn(async (_path: string) => undefined), refresh: vi.fn(async () => undefined) };
}

function opened(parts: { factory?: boolean; ownFiles?: boolean; palette?: object } = {}) {
  const made = lab();
  const addDrive = vi.fn();
  Object.assign(made.contents, { addDrive });
  const browser = new FileBrowser();
  browser.id = 'store';
  const ownFiles = new FileBrowser();
  const tracker = { currentWidget: browser as FileBrowser | null };
  const currentChanged = new Signal<unknown, void>(tracker);
  Object.assign(tracker, { currentChanged });
  const create = vi.fn((_id: string, _options: object) => browser);
  const shell = { node: document.createElement('div'), add: vi.fn(), activateById: vi.fn() };
  document.body.append(shell.node);
  const factory = parts.factory === false ? null : { createFileBrowser: create, tracker };
  const drive = made.use(
    drivePlugin,
    factory,
    shell,
    parts.ownFiles === false ? null : ownFiles,
    parts.palette ?? null
  ) as { name: string };
  const focused = vi.fn();
  ownFiles.node.addEventListener('focus', focused);
  Widget.attach(browser, document.body);
  browser.hide();
  const look = (type: string) => {
    browser.show();
    MessageLoop.sendMessage(browser, { type } as never);
  };
  return { ...made, addDrive, browser, create, shell, drive, tracker, currentChanged, focused, look };
}

beforeEach(() => document.body.replaceChildren());

test('the store is a drive also where Lab has no file browser', () => {
  const { addDrive, drive, create } = opened({ factory: false });
  expect([addDrive.mock.calls.length, drive.name, create.mock.calls.length]).toEqual([1, 'qcrbox', 0]);
});

test('its browser has a name, is asked for nothing by itself and does not come back by itself', () => {
  const { create, browser, shell } = opened();
  expect(create).toHaveBeenCalledWith('qcrbox-drive', { driveName: 'qcrbox', auto: false, restore: false });
  expect([browser.node.getAttribute('aria-label'), shell.add.mock.calls[0]?.[1]]).toEqual(['Stored files', 'left']);
  expect(browser.model.cd).not.toHaveBeenCalled();
});

test('the browser opens at the root of the drive; shown again, it refreshes its folder', () => {
  const { browser, look } = opened();
  look('after-show');
  const first = browser.model.cd.mock.calls.length;
  look('after-show');
  expect([first, browser.model.cd.mock.calls.length]).toEqual([1, 1]);
  expect(browser.model.refresh).toHaveBeenCalled();
});

test.each([
  [true, true, true],
  [true, false, false],
  [false, true, false]
])('in sight: %s, a new list in the store: %s, the browser refreshes: %s', async (isSeen, isNew, refreshes) => {
  const { browser, look, store } = opened();
  if (isSeen) {
    look('after-show');
  }
  browser.model.refresh.mockClear();
  if (isNew) {
    await store.refresh();
  } else {
    (store.changed as Signal<typeof store, void>).emit();
  }
  expect(browser.model.refresh.mock.calls.length > 0).toBe(refreshes);
});

test('new files go into Lab’s own browser: the store gives its place back unless someone works in it', () => {
  const { browser, currentChanged, focused, tracker } = opened();
  currentChanged.emit();
  expect(focused).toHaveBeenCalledTimes(1);
  const row = document.createElement('button');
  browser.node.append(row);
  browser.show();
  row.focus();
  currentChanged.emit();
  expect(focused).toHaveBeenCalledTimes(1);
  row.blur();
  tracker.currentWidget = null;
  currentChanged.emit();
  expect(focused).toHaveBeenCalledTimes(1);
});

test.each(['pointerdown', 'focusin'])('%s in a document gives the place back, beside it not', kind => {
  const { shell, focused } = opened();
  const dock = document.createElement('div');
  dock.id = 'jp-main-dock-panel';
  const cell = document.createElement('div');
  dock.append(cell);
  const side = document.createElement('div');
  shell.node.append(dock, side);
  side.dispatchEvent(new Event(kind, { bubbles: true }));
  expect(focused).not.toHaveBeenCalled();
  cell.dispatchEvent(new Event(kind, { bubbles: true }));
  expect(focused).toHaveBeenCalledTimes(1);
});

test('without Lab’s own browser nothing is given back', () => {
  const { currentChanged, focused } = opened({ ownFiles: false });
  currentChanged.emit();
  expect(focused).not.toHaveBeenCalled();
});

test('its buttons add files to the store, not to Lab’s own files, and read the shown folder anew', () => {
  const { browser } = opened();
  const [[, upload] = [], [, refresh] = []] = browser.tools;
  expect(browser.tools.map(([name]) => name)).toEqual(['upload', 'refresh']);
  expect(upload?.options.model).toBe(browser.model);
  refresh?.options.onClick?.();
  expect([browser.model.refresh.mock.calls.length, browser.model.cd.mock.calls.length]).toEqual([1, 0]);
});

test('its command brings its tab to the front and is in the palette, where there is one', async () => {
  const palette = { addItem: vi.fn() };
  const { run, shell } = opened({ palette });
  await run(OPEN_DRIVE);
  expect(shell.activateById).toHaveBeenCalledWith('store');
  expect(palette.addItem).toHaveBeenCalledWith({ command: OPEN_DRIVE, category: 'QCrBox' });
  const bare = opened();
  expect(bare.app.commands.hasCommand(OPEN_DRIVE)).toBe(true);
});

test('where Lab has no file browser there is no command that opens nothing', () => {
  expect(opened({ factory: false }).app.commands.hasCommand(OPEN_DRIVE)).toBe(false);
});
