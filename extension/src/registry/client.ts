import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import { EventStream } from './stream';
import type { IApplication, ICalculation, IDataset } from './types';

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

  async datasets(): Promise<IDataset[]> {
    return (await this.get<{ datasets: IDataset[] }>('datasets')).datasets;
  }

  async calculations(): Promise<ICalculation[]> {
    return (await this.get<{ calculations: ICalculation[] }>('calculations')).calculations;
  }

  /** One calculation with its program's output so far. */
  async calculation(id: string): Promise<ICalculation | undefined> {
    const path = `calculations/${encodeURIComponent(id)}`;
    return (await this.get<{ calculations: ICalculation[] }>(path)).calculations[0];
  }

  async cancel(id: string): Promise<void> {
    await this.request(`calculations/${encodeURIComponent(id)}/stop`, { method: 'POST' });
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

  downloadUrl(datasetId: string): string {
    return this.url(`datasets/${encodeURIComponent(datasetId)}/download`);
  }

  private async upload(path: string, file: File): Promise<{ datasets: IDataset[] }> {
    const body = new FormData();
    body.append('file', file, file.name);
    return (await this.request(path, { method: 'POST', body })) as { datasets: IDataset[] };
  }

  private async get<T>(path: string): Promise<T> {
    return (await this.request(path, {})) as T;
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
    return URLExt.join(this.settings.baseUrl, 'qcrbox', 'api', path);
  }
}

async function reason(response: Response): Promise<string> {
  try {
    const body = (await response.json()) as { error?: { message?: string }; message?: string };
    return body.error?.message ?? body.message ?? response.statusText;
  } catch {
    return response.statusText;
  }
}
