import type { RegistryClient } from '../registry/client';
import { base64Of, bytesOf, decoded } from './bytes';
import type { IEdit } from './edits';
import { LiveModel } from './live_model';
import { RememberedLook } from './look';
import { type ISource, queryOf } from './source';

/** A module of ours, as anywidget has it. */
export interface IWidgetModule {
  default: { render(context: { model: LiveModel; el: HTMLElement }): (() => void) | undefined };
}
export interface IAlert {
  test: string;
  level: string;
  text: string;
  advice: string;
  atoms: string[];
}
export interface IAlerts {
  alerts: IAlert[];
  not_run: [string, string][];
  notice: string;
}
export interface ITable {
  title: string;
  caption: string;
  heads: string[];
  rows: string[][];
}
export interface IEntry {
  tag: string;
  value?: string;
  /** The value with letter codes of CIF as letters: Mo K\a as Mo Kα. */
  read?: string;
  cut?: boolean;
  unit?: string;
  words?: string;
  choices?: string[];
  tags?: string[];
  rows?: string[][];
  /** The rows with letter codes as letters, where there are any. */
  texts?: string[][];
  total?: number;
}
export interface IBlock {
  name: string;
  sections: { heading: string; entries: IEntry[] }[];
}
export interface IRemark {
  line: number;
  tag: string;
  text: string;
}

/** What a message of a widget changes. */
interface IHeard {
  state: Record<string, unknown>;
  messages: unknown[];
}

/** What this Jupyter server computes from files, for tabs without a kernel. */
export class ViewClient {
  private readonly modules = new Map<string, Promise<IWidgetModule>>();

  constructor(
    private readonly client: RegistryClient,
    private readonly look = new RememberedLook(typeof localStorage === 'undefined' ? undefined : localStorage)
  ) {}

  /** A part of a file; what the file lacks is an error in words. */
  part<T>(name: string, source: ISource): Promise<T> {
    return this.client.local<T>(`view/${name}?${queryOf(source)}`, init(source));
  }

  /** A plot as the model of the chart widget. */
  async plot(name: string, source: ISource): Promise<LiveModel> {
    return new LiveModel(decoded(await this.part(`plot-${name}`, source)) as Record<string, unknown>);
  }

  /** Table 1 and the tables of geometry as a file: docx, tex, csv or html. */
  async report(kind: string, source: ISource): Promise<File> {
    const made = await this.part<{ filename: string; content: { $bytes: string } }>(`report-${kind}`, source);
    return new File([bytesOf(made.content.$bytes) as Uint8Array<ArrayBuffer>], made.filename);
  }

  /** The structure as the model of the structure widget, answered by this server; refine: its edits can be refined. */
  async structure(source: ISource, refine = false): Promise<LiveModel> {
    const opened = await this.client.local<{ key: string; state: unknown }>(`live?${queryOf(source)}`, {
      ...init(source),
      method: 'POST'
    });
    const tell = async (message: unknown) =>
      decoded(
        await this.client.local(`live/${opened.key}`, { method: 'POST', body: JSON.stringify(message) })
      ) as IHeard;
    const state = { ...(decoded(opened.state) as Record<string, unknown>), ...(await this.remembered(tell)), refine };
    return new LiveModel(state, message => {
      this.look.hear(message);
      return tell(message);
    });
  }

  /** What the view that was just opened becomes with the options that were chosen last; nothing when it refuses them. */
  private async remembered(tell: (message: unknown) => Promise<IHeard>): Promise<Record<string, unknown>> {
    const { options } = this.look;
    if (Object.keys(options).length === 0) {
      return {};
    }
    return tell({ do: 'set', options }).then(
      heard => heard.state,
      () => ({})
    );
  }

  /** The lineage of an object as the model of the lineage widget. */
  async lineage(kind: string, id: string): Promise<LiveModel> {
    const graph = await this.client.ask(`lineage/${kind}/${encodeURIComponent(id)}`);
    const state = await this.client.local('lineage', {
      method: 'POST',
      body: JSON.stringify({ graph, focus: id })
    });
    return new LiveModel(state as Record<string, unknown>);
  }

  /** The bytes with these items changed, and what the dictionaries say of these items; nothing is stored. */
  async edited(source: ISource, edits: IEdit[]): Promise<{ bytes: Uint8Array; remarks: IRemark[] }> {
    const from = source.bytes ? { content: base64Of(source.bytes) } : { file: source.file };
    const body = JSON.stringify({ name: source.name, ...from, edits });
    const answer = await this.client.local<{ content: { $bytes: string }; remarks: IRemark[] }>('edit', {
      method: 'POST',
      body
    });
    return { bytes: bytesOf(answer.content.$bytes), remarks: answer.remarks };
  }

  /** The module of a widget; every tab has the same one, and with it one three.js. */
  module(name: string): Promise<IWidgetModule> {
    const known = this.modules.get(name) ?? this.load(name);
    this.modules.set(name, known);
    // A failure, for example while the server restarts, is not kept.
    known.catch(() => this.modules.delete(name));
    return known;
  }

  private async load(name: string): Promise<IWidgetModule> {
    // Read with the page's own token: a hub refuses scripts that a browser asks for by their address.
    const text = await this.client.localText(`widgets/${name}.js`);
    const url = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
    try {
      return (await import(/* webpackIgnore: true */ url)) as IWidgetModule;
    } finally {
      URL.revokeObjectURL(url);
    }
  }
}

function init(source: ISource): RequestInit {
  return source.bytes ? { method: 'POST', body: new Blob([source.bytes as Uint8Array<ArrayBuffer>]) } : {};
}
