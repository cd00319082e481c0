import { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import { RegistryClient } from './client';
import { isGone } from './gone';
import { progressAfter } from './progress';
import { EventStream } from './stream';
import {
  FINAL,
  type IApplication,
  type ICalculation,
  type IDataset,
  type IEvent,
  type IMe,
  type ISession
} from './types';
import { wordsOf } from '../words_of';

export type Connection = 'connecting' | 'live' | 'polling' | 'lost' | 'unconfigured';

/** Changes that come together are fetched together: the first at once, those after it when this time is over. */
const GATHER_MS = 200;
const POLL_MS = 3000;
/** Events that change what is stored, or who may see it. */
export const DATA_KINDS: ReadonlySet<string> = new Set(['dataset', 'data_file', 'share']);
/** Events that change projects. */
export const PROJECT_KINDS: ReadonlySet<string> = new Set(['calculation', 'title', 'project', ...DATA_KINDS]);
/** More changed calculations than this: one list is cheaper than many single requests. */
const SINGLE_FETCHES = 5;

/** What the panel shows: kept up to date by the registry's events, by asking again where they do not come. */
export class RegistryStore implements IDisposable {
  applications: IApplication[] = [];
  datasets: IDataset[] = [];
  calculations: ICalculation[] = [];
  sessions: ISession[] = [];
  /** Who the registry takes us for; undefined until it was asked. */
  me: IMe | undefined;
  /** Whether other people's work is listed too, as far as one may see it. */
  everybody = false;
  connection: Connection = 'connecting';
  problem = '';
  isDisposed = false;

  private readonly _changed = new Signal<this, void>(this);
  private readonly _happened = new Signal<this, IEvent>(this);
  private starting: Promise<void> | undefined;
  private stream: EventStream | undefined;
  private pollTimer = 0;
  private gatherTimer = 0;
  private lastGathered = 0;
  private isStreaming = false;
  private refreshed = 0;
  private readonly needed = new Map<string, ICalculation>();
  /** Of calculations that were needed and not found: why. Those that a failing registry hid are asked for again. */
  private readonly missing = new Map<string, { words: string; isGone: boolean }>();
  private readonly neededDatasets = new Map<string, IDataset>();
  private readonly waitingCalculations = new Set<string>();
  private waitingDatasets = false;
  private waitingApplications = false;
  private waitingSessions = false;

  constructor(readonly client: RegistryClient) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Each event as it comes, before the lists are up to date. */
  get happened(): ISignal<this, IEvent> {
    return this._happened;
  }

  /** Load everything and listen, when somebody first looks; asked again it waits for that. What failed is tried again. */
  start(): Promise<void> {
    this.starting ??= this.begin();
    return this.starting;
  }

  private async begin(): Promise<void> {
    try {
      if (!(await this.client.configured())) {
        this.become('unconfigured');
        return;
      }
    } catch (error) {
      this.fail(error);
      this.starting = undefined;
      if (!this.isDisposed) {
        this.pollTimer = window.setTimeout(() => void this.start(), POLL_MS);
      }
      return;
    }
    window.clearTimeout(this.pollTimer);
    if (this.isDisposed) {
      return;
    }
    // Listen first: what happens between the list and the stream would be missed otherwise.
    this.listen();
    await this.refresh();
  }

  /** Whether there is a right over other people's work, so that listing it makes a difference. */
  get maySeeOthers(): boolean {
    return Object.keys(this.me?.roles ?? {}).length > 0;
  }

  /** List everybody's work, or one's own. */
  async showEverybody(everybody: boolean): Promise<void> {
    this.everybody = everybody;
    // At once, or the switch springs back until the answer is there.
    this._changed.emit();
    await this.refresh();
  }

  async refresh(): Promise<void> {
    const number = ++this.refreshed;
    try {
      const [applications, datasets, calculations, sessions, me] = await Promise.all([
        this.client.applications(),
        this.client.datasets(!this.everybody),
        this.client.calculations(!this.everybody),
        this.client.sessions(!this.everybody),
        this.client.me()
      ]);
      if (number !== this.refreshed) {
        return; // A newer question is on its way, perhaps for other people's work.
      }
      this.me = me;
      this.sessions = sessions;
      this.applications = applications;
      this.datasets = datasets;
      this.calculations = newestFirst(calculations);
      this.problem = '';
      if (this.connection === 'lost') {
        this.connection = this.isStreaming ? 'live' : 'polling';
      }
      this._changed.emit();
      this.missing.forEach(({ isGone }, id) => !isGone && void this.need(id));
    } catch (error) {
      if (number === this.refreshed) {
        this.fail(error);
      }
    }
  }

  /** A calculation of the list, or one that was asked for by `need`. */
  calculationOf(id: string): ICalculation | undefined {
    return this.calculations.find(each => each.calculation_id === id) ?? this.needed.get(id);
  }

  /** Why a calculation that was asked for is not there; empty while it is on its way. */
  missingOf(id: string): string {
    return this.missing.get(id)?.words ?? '';
  }

  /** The files of a result. */
  datasetOf(calculation: ICalculation): IDataset | undefined {
    const id = calculation.output_dataset_id;
    return this.datasets.find(each => each.qcrbox_dataset_id === id) ?? (id ? this.neededDatasets.get(id) : undefined);
  }

  /** Read a calculation with its files that is older than the lists go back, for example one of a project. */
  async need(id: string): Promise<void> {
    await this.start();
    try {
      const found = this.calculationOf(id) ?? (await this.client.calculation(id));
      if (!found) {
        throw Object.assign(new Error(`There is no calculation ${id}.`), { status: 404 });
      }
      this.missing.delete(id);
      this.needed.set(id, found);
      const dataset = found.output_dataset_id;
      if (dataset && !this.datasetOf(found)) {
        this.neededDatasets.set(dataset, await this.client.dataset(dataset));
      }
      this._changed.emit();
    } catch (error) {
      this.problem = wordsOf(error);
      if (!this.calculationOf(id)) {
        this.missing.set(id, { words: this.problem, isGone: isGone(error) });
      }
      this._changed.emit();
    }
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this.isDisposed = true;
    this.stream?.close();
    window.clearTimeout(this.pollTimer);
    window.clearTimeout(this.gatherTimer);
    Signal.clearData(this);
  }

  private listen(): void {
    this.stream = this.client.stream({
      open: () => {
        this.isStreaming = true;
        window.clearTimeout(this.pollTimer);
        const wasAway = this.connection === 'polling' || this.connection === 'lost';
        this.become('live');
        if (wasAway) {
          void this.refresh();
        }
      },
      event: data => this.receive(data),
      interrupted: () => {
        this.isStreaming = false;
        if (this.connection === 'live' || this.connection === 'connecting') {
          this.become('polling');
        }
        this.poll();
      }
    });
    void this.stream.run();
  }

  private poll(): void {
    window.clearTimeout(this.pollTimer);
    this.pollTimer = window.setTimeout(() => {
      if (!this.isDisposed && this.connection !== 'live') {
        void this.refresh().then(() => this.poll());
      }
    }, POLL_MS);
  }

  private receive(text: string): void {
    let event: IEvent;
    try {
      event = JSON.parse(text) as IEvent;
    } catch {
      return;
    }
    this._happened.emit(event);
    if (event.kind === 'calculation' || event.kind === 'progress' || event.kind === 'log') {
      this.applyToCalculation(event);
    } else if (DATA_KINDS.has(event.kind)) {
      this.waitingDatasets = true;
    } else if (event.kind === 'title') {
      this.waitingCalculations.add(event.id);
    } else if (event.kind === 'session') {
      this.waitingSessions = true;
    } else if (event.kind === 'application') {
      this.waitingApplications = true;
    } else {
      return;
    }
    this.gather();
  }

  private applyToCalculation(event: IEvent): void {
    const known = this.calculations.find(each => each.calculation_id === event.id);
    if (known && event.seq === 0) {
      known.progress = progressAfter(known, event);
      known.heard = (known.heard ?? 0) + 1;
      return;
    }
    if (known && event.status) {
      known.status = event.status;
      known.step = event.step ?? known.step;
      // The event itself says the new state: show it before the rest of the record is asked for.
      this._changed.emit();
    }
    this.waitingCalculations.add(event.id);
    this.waitingSessions ||= this.sessions.some(each => each.session_id === event.id);
    if (event.status && FINAL.has(event.status)) {
      this.waitingDatasets = true;
    }
  }

  private gather(): void {
    if (this.gatherTimer) {
      return;
    }
    // A single change, such as a new calculation, is seen without a delay; a burst waits for its end.
    const pause = Math.max(0, this.lastGathered + GATHER_MS - Date.now());
    this.gatherTimer = window.setTimeout(() => {
      this.gatherTimer = 0;
      this.lastGathered = Date.now();
      void this.fetchWaiting();
    }, pause);
  }

  private async fetchWaiting(): Promise<void> {
    const ids = [...this.waitingCalculations];
    const { waitingDatasets, waitingApplications, waitingSessions, client } = this;
    this.waitingCalculations.clear();
    this.waitingDatasets = this.waitingApplications = this.waitingSessions = false;
    try {
      await Promise.all([
        // A row does not wait for longer lists.
        this.fetchCalculations(ids).then(() => this._changed.emit()),
        waitingDatasets &&
          this.fetchList(
            mine => client.datasets(mine),
            found => (this.datasets = found)
          ),
        waitingSessions &&
          this.fetchList(
            mine => client.sessions(mine),
            found => (this.sessions = found)
          ),
        waitingApplications && client.applications().then(found => (this.applications = found))
      ]);
      this._changed.emit();
    } catch (error) {
      this.fail(error);
      this.poll();
    }
  }

  /** Read a list. After a switch to everybody's work, or back, an answer to the request before it is ignored. */
  private async fetchList<T>(read: (mine: boolean) => Promise<T>, take: (found: T) => void): Promise<void> {
    const { everybody } = this;
    const found = await read(!everybody);
    if (everybody === this.everybody) {
      take(found);
    }
  }

  private async fetchCalculations(ids: string[]): Promise<void> {
    if (ids.length > SINGLE_FETCHES) {
      await this.fetchList(
        mine => this.client.calculations(mine),
        found => (this.calculations = newestFirst(found))
      );
      return;
    }
    const found = await Promise.all(ids.map(id => this.recordOf(id)));
    const byId = new Map(this.calculations.map(each => [each.calculation_id, each]));
    for (const calculation of found) {
      if (calculation && this.needed.has(calculation.calculation_id)) {
        this.needed.set(calculation.calculation_id, calculation);
      }
      if (calculation && this.isListed(calculation)) {
        byId.set(calculation.calculation_id, calculation);
      }
    }
    this.calculations = newestFirst([...byId.values()]);
  }

  /** A record; undefined when it is gone, which is no fault of the connection. */
  private async recordOf(id: string): Promise<ICalculation | undefined> {
    try {
      return await this.client.calculation(id);
    } catch (error) {
      if (isGone(error)) {
        return undefined;
      }
      throw error;
    }
  }

  /** Events tell of everything one may see: an administrator of everybody's work. */
  private isListed(calculation: ICalculation): boolean {
    return this.everybody || !this.me || calculation.owner === this.me.name;
  }

  private become(connection: Connection): void {
    this.connection = connection;
    this._changed.emit();
  }

  private fail(error: unknown): void {
    this.problem = wordsOf(error);
    this.become('lost');
  }
}

function newestFirst(calculations: ICalculation[]): ICalculation[] {
  const at = (each: ICalculation) => each.submitted_at ?? each.status_events[0]?.timestamp ?? '';
  return [...calculations].sort((a, b) => at(b).localeCompare(at(a)));
}
