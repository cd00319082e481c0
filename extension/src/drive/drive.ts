import { PathExt } from '@jupyterlab/coreutils';
import { type Contents, ServerConnection } from '@jupyterlab/services';
import { type ISignal, Signal } from '@lumino/signaling';

import type { RegistryStore } from '../registry/store';
import type { IDataFile, IDataset, IProjectNode } from '../registry/types';
import { datasetTitle } from '../titles';
import { base64Of, bytesOf } from '../viewer/bytes';
import { named } from './names';

export const DRIVE = 'qcrbox';
export const DATASETS = 'Datasets';
export const PROJECTS = 'Projects';
const NEVER = '1970-01-01T00:00:00Z';

/** A stored file as far as its name and id; of a dataset all that is known of it. */
type StoredFile = Pick<IDataFile, 'qcrbox_file_id' | 'filename'> & Partial<IDataFile>;

interface IFolder {
  /** Whether files may be added. */
  open: boolean;
  at?: string | null | undefined;
  folders: Map<string, { at?: string | null | undefined }>;
  files: Map<string, StoredFile>;
}

/** The store as a drive of Lab: datasets and projects are folders. Files can be added, and never change. */
export class StoreDrive implements Contents.IDrive {
  readonly name = DRIVE;
  isDisposed = false;
  private readonly _fileChanged = new Signal<this, Contents.IChangedArgs>(this);
  /** Parts of uploads that are not complete, by path. */
  private readonly parts = new Map<string, Uint8Array[]>();
  /** Datasets older than those in the list of the store; read again whenever that list was. */
  private older: { listed: IDataset[]; found: Promise<IDataset[]> } | undefined;

  constructor(
    private readonly store: RegistryStore,
    readonly serverSettings: ServerConnection.ISettings
  ) {}

  get fileChanged(): ISignal<this, Contents.IChangedArgs> {
    return this._fileChanged;
  }

  dispose(): void {
    this.isDisposed = true;
    Signal.clearData(this);
  }

  async get(path: string, options: Contents.IFetchOptions = {}): Promise<Contents.IModel> {
    const file = await this.file(path);
    if (file) {
      return this.fileModel(path, file, options);
    }
    return directory(path, await this.folder(path), options.content !== false);
  }

  /** The stored file of a path; undefined where there is none. */
  async file(path: string): Promise<StoredFile | undefined> {
    const parts = path.split('/');
    if (parts.length < 3) {
      return undefined;
    }
    return (await this.folder(PathExt.dirname(path)).catch(() => undefined))?.files.get(PathExt.basename(path));
  }

  async getDownloadUrl(path: string): Promise<string> {
    const file = await this.file(path);
    if (!file) {
      throw missing(path);
    }
    return this.store.client.fileUrl(file.qcrbox_file_id);
  }

  /** Add a file: beside the folders of datasets as a new dataset, in one of them to it. */
  async save(path: string, options: Partial<Contents.IModel> = {}): Promise<Contents.IModel> {
    const place = PathExt.dirname(path);
    const folder = await this.folder(place);
    if (!folder.open || options.type === 'directory' || options.type === 'notebook') {
      throw refused(`Files can be added in ${DATASETS} and in its folders only.`);
    }
    if (folder.files.has(PathExt.basename(path))) {
      throw refused('A stored file never changes. Open it in the QCrBox viewer and keep the changes as a new version.');
    }
    const bytes = this.collected(path, options);
    if (!bytes) {
      return model(path, { type: 'file', writable: true });
    }
    const upload = new File([bytes as Uint8Array<ArrayBuffer>], PathExt.basename(path));
    const { client } = this.store;
    if (place === DATASETS) {
      const id = await client.newDataset(upload);
      await this.store.refresh();
      const made = [...(await this.datasets())].find(([, dataset]) => dataset.qcrbox_dataset_id === id)?.[0];
      return this.changed(`${DATASETS}/${made ?? ''}`);
    }
    const dataset = (await this.datasets()).get(PathExt.basename(place)) as IDataset;
    await client.append(dataset.qcrbox_dataset_id, upload);
    await this.store.refresh();
    return this.changed(path);
  }

  newUntitled(): Promise<Contents.IModel> {
    return Promise.reject(refused('Nothing empty is stored. Drop a file here to store it.'));
  }

  delete(): Promise<void> {
    return Promise.reject(refused('Delete datasets in the store or in the panel; there it can be undone.'));
  }

  rename(): Promise<Contents.IModel> {
    return Promise.reject(refused('Rename datasets and results in the store or in the panel.'));
  }

  copy(): Promise<Contents.IModel> {
    return Promise.reject(refused('Stored files are not copied; use them where they are, or download them.'));
  }

  createCheckpoint(): Promise<Contents.ICheckpointModel> {
    return Promise.resolve({ id: 'stored', last_modified: NEVER });
  }

  listCheckpoints(): Promise<Contents.ICheckpointModel[]> {
    return Promise.resolve([]);
  }

  restoreCheckpoint(): Promise<void> {
    return Promise.reject(refused('A stored file never changes: there is no earlier state of it.'));
  }

  deleteCheckpoint(): Promise<void> {
    return Promise.resolve();
  }

  private async datasets(): Promise<Map<string, IDataset>> {
    const { client, datasets, calculations, everybody } = this.store;
    if (this.older?.listed !== datasets) {
      const found = client.olderDatasets(datasets, !everybody);
      found.catch(() => (this.older = undefined));
      this.older = { listed: datasets, found };
    }
    const listed = new Set(datasets.map(each => each.qcrbox_dataset_id));
    const older = (await this.older.found).filter(each => !listed.has(each.qcrbox_dataset_id));
    return named(
      [...datasets, ...older].filter(each => !each.deleted_at),
      each => datasetTitle(each, calculations),
      each => each.qcrbox_dataset_id
    );
  }

  /** What a folder holds. Raises 404 where there is none. */
  private async folder(path: string): Promise<IFolder> {
    await this.store.start();
    const [top = '', name, node, ...deeper] = path.split('/').filter(Boolean);
    if (!top) {
      return { open: false, folders: new Map([DATASETS, PROJECTS].map(each => [each, {}])), files: new Map() };
    }
    if (top === DATASETS && this.store.connection === 'lost' && !this.store.me) {
      throw new Error(this.store.problem); // an empty folder would say that nothing is stored
    }
    if (top === DATASETS && !node) {
      const known = await this.datasets();
      if (!name) {
        const folders = new Map([...known].map(([each, { created_at }]) => [each, { at: created_at }]));
        return { open: true, folders, files: new Map() };
      }
      const dataset = known.get(name);
      if (dataset) {
        return {
          open: dataset.kind === 'data',
          at: dataset.created_at,
          folders: new Map(),
          files: filesOf(Object.values(dataset.data_files))
        };
      }
    }
    if (top === PROJECTS && deeper.length === 0) {
      const found = await this.inProjects(name, node);
      if (found) {
        return found;
      }
    }
    throw missing(path);
  }

  private async inProjects(name: string | undefined, node: string | undefined): Promise<IFolder | undefined> {
    const mine = String(!this.store.everybody);
    const { client } = this.store;
    const known = named(
      await client.projects(!this.store.everybody),
      each => each.name,
      each => each.id
    );
    if (name === undefined) {
      return folderOf([...known.keys()]);
    }
    const project = known.get(name);
    if (!project) {
      return undefined;
    }
    const tree = await client.ask<{ nodes: IProjectNode[] }>(`projects/${encodeURIComponent(project.id)}?mine=${mine}`);
    const nodes = named(
      tree.nodes.filter(each => each.files.length > 0),
      each => each.title,
      each => each.id
    );
    if (node === undefined) {
      return folderOf([...nodes.keys()]);
    }
    const chosen = nodes.get(node);
    return chosen && { ...folderOf([]), at: chosen.at, files: filesOf(chosen.files) };
  }

  private async fileModel(
    path: string,
    file: StoredFile,
    { content = true, format, type }: Contents.IFetchOptions
  ): Promise<Contents.IModel> {
    const at = file.created_at;
    const plain = model(path, { type: 'file', at, ...(file.size === undefined ? {} : { size: file.size }) });
    if (!content) {
      return plain;
    }
    const bytes = await this.store.client.bytes(file.qcrbox_file_id);
    const text = format === 'base64' ? undefined : textOf(bytes);
    if (type === 'notebook' && text !== undefined) {
      return { ...plain, type: 'notebook', format: 'json', content: notebookOf(file.filename, text) };
    }
    if (format === 'text' && text === undefined) {
      throw refused(`${file.filename} is not text in UTF-8.`);
    }
    return text === undefined
      ? { ...plain, format: 'base64', content: base64Of(bytes) }
      : { ...plain, format: 'text', mimetype: 'text/plain', content: text };
  }

  /** The bytes of an upload when its last part is there. Lab sends large files in parts: 1, 2, … and −1. */
  private collected(path: string, { chunk, content, format }: Partial<Contents.IModel>): Uint8Array | undefined {
    const text = typeof content === 'string' ? content : JSON.stringify(content ?? '');
    const bytes = format === 'base64' ? bytesOf(text) : new TextEncoder().encode(text);
    if (chunk === undefined) {
      return bytes;
    }
    const before = chunk === 1 ? [] : (this.parts.get(path) ?? []);
    const parts = [...before, bytes];
    this.parts.set(path, parts);
    if (chunk !== -1) {
      return undefined;
    }
    this.parts.delete(path);
    const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    parts.reduce((at, part) => (whole.set(part, at), at + part.length), 0);
    return whole;
  }

  private async changed(path: string): Promise<Contents.IModel> {
    const newValue = await this.get(path, { content: false });
    this._fileChanged.emit({ type: 'save', oldValue: null, newValue });
    return newValue;
  }
}

function filesOf(files: StoredFile[]): Map<string, StoredFile> {
  return named(
    files,
    each => each.filename,
    each => each.qcrbox_file_id
  );
}

function folderOf(names: string[]): IFolder {
  return { open: false, folders: new Map(names.map(name => [name, {}])), files: new Map() };
}

interface IShape {
  type: 'file' | 'directory';
  at?: string | null | undefined;
  size?: number;
  writable?: boolean;
}

function model(path: string, { type, at, size, writable = false }: IShape): Contents.IModel {
  return {
    name: PathExt.basename(path),
    path,
    type,
    writable,
    created: at ?? NEVER,
    last_modified: at ?? NEVER,
    mimetype: type === 'file' ? 'application/octet-stream' : '',
    format: null as unknown as Contents.FileFormat,
    content: null,
    ...(size === undefined ? {} : { size })
  };
}

function directory(path: string, folder: IFolder, content: boolean): Contents.IModel {
  const plain = model(path, { type: 'directory', at: folder.at, writable: folder.open });
  if (!content) {
    return plain;
  }
  const within = (name: string) => (path ? `${path}/${name}` : name);
  const children = [
    ...[...folder.folders].map(([name, { at }]) => model(within(name), { type: 'directory', at })),
    ...[...folder.files].map(([name, { created_at, size }]) =>
      model(within(name), { type: 'file', at: created_at, ...(size === undefined ? {} : { size }) })
    )
  ];
  return { ...plain, format: 'json', content: children };
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function notebookOf(filename: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refused(`${filename} is not a notebook: its text is not JSON.`);
  }
}

function missing(path: string): Error {
  const response = new Response(null, { status: 404, statusText: 'Not Found' });
  return new ServerConnection.ResponseError(response, `The store has no ${path}.`);
}

function refused(words: string): Error {
  return new ServerConnection.ResponseError(new Response(null, { status: 403, statusText: 'Forbidden' }), words);
}
