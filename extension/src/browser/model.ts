import { ISignal, Signal } from '@lumino/signaling';

import type { RegistryClient } from '../registry/client';
import { json } from '../registry/json';
import { MOST_OF_A_PAGE } from '../registry/pages';
import type { IDataset } from '../registry/types';
import { type IFacets, NO_FACETS, pathOf } from './query';
import { wordsOf } from '../words_of';

const PAGE = 200;
/** Typing is not searched for letter by letter. */
const QUIET_MS = 300;

interface IPage {
  datasets: IDataset[];
  next?: string | null;
}

/** What the store browser shows: found datasets page by page, which of them are chosen, what is done to these. */
export class BrowserModel {
  facets: IFacets = { ...NO_FACETS };
  bin = false;
  /** Whether other people's data are searched too, as far as one may see them. */
  everybody = false;
  found: IDataset[] = [];
  more = false;
  readonly chosen = new Set<string>();
  /** The registry's words when something did not work, or what was done. */
  said = '';
  problem = '';
  loading = false;
  /** What was put into the bin last, for one click back. */
  lastBinned: string[] = [];

  private readonly _changed = new Signal<this, void>(this);
  private next = '';
  private timer = 0;
  private asked = 0;

  constructor(private readonly client: RegistryClient) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  set(facets: Partial<IFacets>): void {
    this.facets = { ...this.facets, ...facets };
    this._changed.emit();
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.search(), QUIET_MS);
  }

  showEverybody(everybody: boolean): void {
    this.everybody = everybody;
    void this.search();
  }

  showBin(bin: boolean): void {
    this.bin = bin;
    this.chosen.clear();
    void this.search();
  }

  /** Ask from the beginning. */
  async search(): Promise<void> {
    this.next = '';
    await this.load(true);
  }

  /** The next page, when somebody has scrolled that far. */
  async loadMore(): Promise<void> {
    if (this.more && !this.loading) {
      await this.load(false);
    }
  }

  private async load(fresh: boolean): Promise<void> {
    const mine = ++this.asked;
    // Asked again, as many rows as are shown: a change elsewhere must not scroll the list back.
    const limit = fresh ? Math.min(MOST_OF_A_PAGE, Math.max(PAGE, this.found.length)) : PAGE;
    this.loading = true;
    this._changed.emit();
    try {
      const page = await this.client.ask<IPage>(
        pathOf(this.facets, this.bin, fresh ? '' : this.next, limit, !this.everybody)
      );
      if (mine !== this.asked) {
        return; // A newer question is on its way.
      }
      this.found = fresh ? page.datasets : [...this.found, ...page.datasets];
      this.next = page.next ?? '';
      this.more = Boolean(page.next);
      this.problem = '';
      const there = new Set(this.found.map(each => each.qcrbox_dataset_id));
      [...this.chosen].filter(id => !there.has(id)).forEach(id => this.chosen.delete(id));
    } catch (error) {
      if (mine === this.asked) {
        this.problem = wordsOf(error);
      }
    }
    this.loading = false;
    this._changed.emit();
  }

  /** The tab is closed: what was typed last is not searched for. */
  dispose(): void {
    window.clearTimeout(this.timer);
    Signal.clearData(this);
  }

  choose(id: string, chosen: boolean): void {
    chosen ? this.chosen.add(id) : this.chosen.delete(id);
    this._changed.emit();
  }

  get chosenDatasets(): IDataset[] {
    return this.found.filter(each => this.chosen.has(each.qcrbox_dataset_id));
  }

  async tag(tag: string): Promise<void> {
    await this.each('tagged', dataset =>
      this.client.ask(
        path(dataset.qcrbox_dataset_id),
        json('PATCH', { tags: [...new Set([...(dataset.tags ?? []), tag])] })
      )
    );
  }

  async share(group: string): Promise<void> {
    await this.each('shared', dataset =>
      this.client.ask(
        'shares',
        json('POST', { kind: 'dataset', object_id: dataset.qcrbox_dataset_id, group, mode: 'read' })
      )
    );
  }

  async toBin(): Promise<void> {
    const ids = this.chosenDatasets.map(each => each.qcrbox_dataset_id);
    const failed = await this.each('in the bin', dataset => this.client.removeDataset(dataset.qcrbox_dataset_id));
    this.lastBinned = ids.filter(id => !failed.includes(id));
    this._changed.emit();
  }

  async restore(ids: string[]): Promise<void> {
    const failed = await this.every(ids, 'back', id => this.client.ask(`${path(id)}/restore`, { method: 'POST' }));
    this.lastBinned = this.lastBinned.filter(id => failed.includes(id) || !ids.includes(id));
    this._changed.emit();
  }

  private async each(word: string, act: (dataset: IDataset) => Promise<unknown>): Promise<string[]> {
    const datasets = new Map(this.chosenDatasets.map(each => [each.qcrbox_dataset_id, each]));
    return this.every([...datasets.keys()], word, id => act(datasets.get(id) as IDataset));
  }

  /** One that fails does not stop the others; all failures are told. Answers the ids of those that failed. */
  private async every(ids: string[], word: string, act: (id: string) => Promise<unknown>): Promise<string[]> {
    const results = await Promise.allSettled(ids.map(act));
    const failures = results.filter(each => each.status === 'rejected').map(each => wordsOf(each.reason));
    this.said = `${results.length - failures.length} ${word}`;
    await this.search();
    this.problem = [...new Set(failures)].join('\n');
    this._changed.emit();
    return ids.filter((_, number) => results[number]?.status === 'rejected');
  }
}

function path(id: string): string {
  return `datasets/${encodeURIComponent(id)}`;
}
