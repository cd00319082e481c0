import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import { json } from './json';
import { MOST_OF_A_PAGE } from './pages';
import { EventStream } from './stream';
import type { IApplication, ICalculation, IClosedSession, ICommand, IDataset, IMe, IProject, ISession } from './types';

/** The newest so many: a panel shows what is going on, notebooks find the rest. */
const CALCULATIONS = 100;
const DATASETS = 500;

/** What went wrong, in the registry's own words. */
export class RegistryError extends Error {
  constructor(
    message: string,
    readonly status: number
  ) {
    super(message);
  }
}

/** The registry, through this Jupyter server: the token stays on the server. */
export class RegistryClient {
  constructor(private readonly settings: ServerConnection.ISettings) {}

  /** The registry's events; `run` starts it. */
  stream(on: ConstructorParameters<typeof EventStream>[2]): EventStream {
    return new EventStream(this.url('events'), this.settings, on);
  }

  /** False when this server was not started by a QCrBox platform. */
  async configured(): Promise<boolean> {
    const response = await this.send(URLExt.join(this.settings.baseUrl, 'qcrbox', 'info'), {});
    const info = (await response.json()) as { configured: boolean };
    return info.configured;
  }

  async applications(): Promise<IApplication[]> {
    return (await this.get<{ applications: IApplication[] }>('applications')).applications;
  }

  async datasets(mine: boolean): Promise<IDataset[]> {
    return (await this.get<{ datasets: IDataset[] }>('datasets', { limit: DATASETS, mine })).datasets;
  }

  /** The datasets behind the last one of `datasets`, to the end. */
  async olderDatasets(listed: IDataset[], mine: boolean): Promise<IDataset[]> {
    const last = listed[listed.length - 1];
    return last && listed.length >= DATASETS ? this.listed<IDataset>('datasets', mine, last.qcrbox_dataset_id) : [];
  }

  /** All projects, the one that changed last first. */
  projects(mine: boolean): Promise<IProject[]> {
    return this.listed<IProject>('projects', mine);
  }

  /** A list page by page to its end, or what follows the place `from` in it. */
  private async listed<T>(name: 'datasets' | 'projects', mine: boolean, from = ''): Promise<T[]> {
    const found: T[] = [];
    const query = new URLSearchParams({ limit: String(MOST_OF_A_PAGE), mine: String(mine) });
    for (let after: string | null | undefined = from; typeof after === 'string';) {
      query.set('after', after);
      const page = (await this.request(`${name}?${query.toString()}`, {})) as Record<string, T[]> & {
        next?: string | null;
      };
      found.push(...(page[name] ?? []));
      after = page.next;
    }
    return found;
  }

  async calculations(mine: boolean): Promise<ICalculation[]> {
    const query = { limit: CALCULATIONS, mine };
    return (await this.get<{ calculations: ICalculation[] }>('calculations', query)).calculations;
  }

  /** One calculation with its program's output so far. */
  async calculation(id: string): Promise<ICalculation | undefined> {
    const path = `calculations/${encodeURIComponent(id)}`;
    return (await this.get<{ calculations: ICalculation[] }>(path)).calculations[0];
  }

  /** reason: what the owner reads; required for another person's calculation. */
  async cancel(id: string, reason = ''): Promise<void> {
    await this.request(`calculations/${encodeURIComponent(id)}/stop`, json('POST', reason ? { reason } : {}));
  }

  /** Start a command; answers the calculation's id. The same key never starts a second one. */
  async submit(
    application: IApplication,
    command: ICommand,
    given: unknown,
    key: string,
    tags: string[] = []
  ): Promise<string> {
    const body = {
      application_slug: application.slug,
      application_version: application.version,
      command_name: command.name,
      command_arguments: given,
      ...(tags.length > 0 && { tags })
    };
    const init = json('POST', body, { 'Idempotency-Key': key });
    return ((await this.request('commands', init)) as { calculation_id: string }).calculation_id;
  }

  /** Give a calculation and its result a title; an empty one brings the automatic title back. */
  async renameCalculation(id: string, title: string): Promise<void> {
    await this.request(`calculations/${encodeURIComponent(id)}`, json('PATCH', { title }));
  }

  /** Give a dataset that is no result a name. */
  async renameDataset(id: string, name: string): Promise<void> {
    await this.request(`datasets/${encodeURIComponent(id)}`, json('PATCH', { name }));
  }

  /** Sessions that are open or starting, newest first. */
  async sessions(mine: boolean): Promise<ISession[]> {
    const answer = await this.get<{ interactive_sessions: ISession[] }>('interactive-sessions', { mine });
    return answer.interactive_sessions;
  }

  /** One session, and the registry's clock (ms) by which its times are to be read. */
  async session(id: string): Promise<{ session: ISession | undefined; now: number }> {
    const response = await this.send(this.url(sessionPath(id)), {});
    const body = (await response.json()) as { payload: { interactive_sessions: ISession[] } };
    const now = Date.parse(response.headers.get('Date') ?? '');
    return { session: body.payload.interactive_sessions[0], now: Number.isNaN(now) ? Date.now() : now };
  }

  /** Start a program with a window; answers the session's id. The same key never starts a second one. */
  async startSession(
    wanted: {
      application_slug: string;
      application_version: string;
      command_name: string;
      command_arguments: Record<string, unknown>;
      group?: string;
    },
    key: string
  ): Promise<string> {
    const init = json('POST', wanted, { 'Idempotency-Key': key });
    const answer = (await this.request('interactive-sessions', init)) as {
      interactive_session_id: string;
    };
    return answer.interactive_session_id;
  }

  /** End a session; answers how it ended, or how it stands when its outputs take long. */
  async endSession(id: string, keep: boolean): Promise<IClosedSession | undefined> {
    const answer = await this.request(sessionPath(id, 'close'), json('POST', { keep }));
    return (answer as { interactive_sessions: IClosedSession[] }).interactive_sessions[0];
  }

  /** Somebody is still there. */
  async stay(id: string): Promise<void> {
    await this.request(sessionPath(id, 'stay'), { method: 'POST' });
  }

  /** Whether the managers of the session's group may look on. */
  async allowView(id: string, allowed: boolean): Promise<void> {
    await this.request(sessionPath(id), json('PATCH', { view_only_allowed: allowed }));
  }

  /** The websocket of a session's picture. */
  displayUrl(id: string, view: boolean): string {
    const { wsUrl, appendToken, token } = this.settings;
    const query: Record<string, string> = view ? { view: 'true' } : {};
    if (appendToken && token) {
      query['token'] = token;
    }
    const path = URLExt.join(wsUrl, 'qcrbox', 'api', sessionPath(id, 'display'));
    return path + URLExt.objectToQueryString(query);
  }

  /** Who the registry takes us for. */
  async me(): Promise<IMe> {
    return this.get<IMe>('me');
  }

  async dataset(id: string): Promise<IDataset> {
    const { datasets } = await this.get<{ datasets: IDataset[] }>(`datasets/${encodeURIComponent(id)}`);
    return datasets[0] as IDataset;
  }

  /** Store a file as a new dataset; answers its id. */
  async newDataset(file: File): Promise<string> {
    const payload = await this.upload('datasets', file);
    const id = payload.datasets[0]?.qcrbox_dataset_id;
    if (!id) {
      throw new RegistryError('The registry stored the file but named no dataset.', 500);
    }
    return id;
  }

  async append(datasetId: string, file: File): Promise<void> {
    await this.upload(`datasets/${encodeURIComponent(datasetId)}/append`, file);
  }

  async removeDataset(id: string): Promise<void> {
    await this.request(`datasets/${encodeURIComponent(id)}`, { method: 'DELETE' });
  }

  /** A still picture of the structure in a stored CIF, drawn by this Jupyter server for Lab's theme. */
  pictureUrl(fileId: string): string {
    const picture = URLExt.join(this.settings.baseUrl, 'qcrbox', 'picture', encodeURIComponent(fileId));
    return document.body.dataset.jpThemeLight === 'false' ? `${picture}?theme=dark` : picture;
  }

  /** What a person takes away: CIFs of results have the names of their author. */
  downloadUrl(datasetId: string): string {
    return this.url(`datasets/${encodeURIComponent(datasetId)}/download?format=zip&named=true&form=written`);
  }

  /** An answer of this Jupyter server itself, for example a part of a file that it computes. */
  async local<T>(path: string, init: RequestInit): Promise<T> {
    return (await (await this.send(this.localUrl(path), init)).json()) as T;
  }

  async localText(path: string): Promise<string> {
    return (await this.send(this.localUrl(path), {})).text();
  }

  private localUrl(path: string): string {
    const [plain, query] = path.split('?');
    return URLExt.join(this.settings.baseUrl, 'qcrbox', plain ?? '') + (query ? `?${query}` : '');
  }

  /** A file as a person reads it: a CIF of a result with the names of its author. */
  fileUrl(fileId: string): string {
    return this.url(`data-files/${encodeURIComponent(fileId)}/download?form=written`);
  }

  /** The bytes of a stored file. */
  async bytes(fileId: string): Promise<Uint8Array> {
    const response = await this.send(this.fileUrl(fileId), {});
    return new Uint8Array(await response.arrayBuffer());
  }

  /** The payload of any further path of the registry. */
  async ask<T>(path: string, init: RequestInit = {}): Promise<T> {
    return (await this.request(path, init)) as T;
  }

  private async upload(path: string, file: File): Promise<{ datasets: IDataset[] }> {
    const body = new FormData();
    body.append('file', file, file.name);
    return (await this.request(path, { method: 'POST', body })) as { datasets: IDataset[] };
  }

  private async get<T>(path: string, query: Record<string, number | boolean> = {}): Promise<T> {
    const words = Object.entries(query).map(([name, value]) => `${name}=${String(value)}`);
    return (await this.request(words.length ? `${path}?${words.join('&')}` : path, {})) as T;
  }

  private async request(path: string, init: RequestInit): Promise<unknown> {
    const response = await this.send(this.url(path), init);
    if (response.status === 204) {
      return undefined;
    }
    const body = (await response.json()) as { payload: unknown };
    return body.payload;
  }

  private async send(url: string, init: RequestInit): Promise<Response> {
    const response = await ServerConnection.makeRequest(url, init, this.settings);
    if (!response.ok) {
      throw new RegistryError(await reason(response), response.status);
    }
    return response;
  }

  private url(path: string): string {
    // Joined before the query: URLExt would take a question mark for a part of the path.
    const [plain, query] = path.split('?');
    return URLExt.join(this.settings.baseUrl, 'qcrbox', 'api', plain ?? '') + (query ? `?${query}` : '');
  }
}

function sessionPath(id: string, tail = ''): string {
  return URLExt.join('interactive-sessions', encodeURIComponent(id), tail);
}

/** Why a request was refused; never empty. A proxy answers with a page, and HTTP/2 has no words beside a status. */
async function reason(response: Response): Promise<string> {
  const body = (await response.json().catch(() => null)) as { error?: { message?: string }; message?: string } | null;
  return body?.error?.message || body?.message || response.statusText || statusWords(response.status);
}

function statusWords(status: number): string {
  switch (status) {
    case 401:
    case 403:
      return 'You are not signed in, or you may not do this. Reload the page.';
    case 413:
      return 'This is larger than the server accepts.';
    case 502:
    case 503:
    case 504:
      return 'The registry does not answer. Try again in a minute.';
    default:
      return `The server answered with status ${status}.`;
  }
}
