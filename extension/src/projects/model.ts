import { ISignal, Signal } from '@lumino/signaling';

import type { RegistryClient } from '../registry/client';
import type { IProject, IProjectNode } from '../registry/types';
import { wordsOf } from '../words_of';

/** Typing is not searched for letter by letter. */
const QUIET_MS = 300;
/** Projects of a page, and what the registry answers at most. */
const PAGE = 200;
const MOST = 1000;

interface IPage {
  projects: IProject[];
  total: number;
  truncated: boolean;
  next?: string | null;
}

interface ITree {
  project: IProject;
  nodes: IProjectNode[];
}

/** What a person may change at a node. */
export interface IAnnotation {
  note?: string;
  pinned?: boolean;
  project?: string;
}

interface IUndo {
  words: string;
  back(): Promise<unknown>;
}

/** Projects that fit a search, the one that is open with its tree, and what was changed in them. */
export class ProjectsModel {
  text = '';
  everybody = false;
  found: IProject[] = [];
  total = 0;
  truncated = false;
  /** Where the next page begins; empty: all are shown. */
  next = '';
  loading = false;
  problem = '';
  /** The open project and the chosen node in it. */
  tree: ITree | undefined;
  chosen = '';
  readonly folded = new Set<string>();

  private readonly _changed = new Signal<this, void>(this);
  private readonly undone: IUndo[] = [];
  private timer = 0;
  private asked = 0;

  constructor(private readonly client: Pick<RegistryClient, 'ask' | 'removeDataset'>) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get project(): IProject | undefined {
    return this.tree?.project;
  }

  get node(): IProjectNode | undefined {
    return this.tree?.nodes.find(each => each.id === this.chosen);
  }

  /** What would be undone next, in words. */
  get lastChange(): string {
    return this.undone[this.undone.length - 1]?.words ?? '';
  }

  setText(text: string): void {
    this.text = text;
    this.found = this.found.slice(0, PAGE); // another search begins with its first page
    this._changed.emit();
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.search(), QUIET_MS);
  }

  async showEverybody(everybody: boolean): Promise<void> {
    this.everybody = everybody;
    await this.search();
  }

  async search(): Promise<void> {
    // As many as are shown already: what changes elsewhere must not fold the list.
    const limit = Math.min(MOST, Math.max(PAGE, this.found.length));
    await this.load(limit, '', page => (this.found = page.projects));
  }

  /** Add the next page to the list. */
  async more(): Promise<void> {
    if (this.next && !this.loading) {
      const shown = new Set(this.found.map(each => each.id));
      const loaded = this.load(PAGE, this.next, page => {
        this.found = [...this.found, ...page.projects.filter(each => !shown.has(each.id))];
      });
      this._changed.emit();
      await loaded;
    }
  }

  private async load(limit: number, after: string, take: (page: IPage) => void): Promise<void> {
    const number = ++this.asked;
    this.loading = true;
    const query = new URLSearchParams({ text: this.text.trim(), limit: String(limit), mine: String(!this.everybody) });
    if (after) {
      query.set('after', after);
    }
    await this.attempt(async () => {
      const page = await this.client.ask<IPage>(`projects?${query.toString()}`);
      if (number === this.asked) {
        take(page);
        this.total = page.total;
        this.truncated = page.truncated;
        this.next = page.next ?? '';
      }
    });
    this.loading = false;
    this._changed.emit();
  }

  /** Open a project, at a node of it or at its newest model. */
  async open(id: string, node = ''): Promise<void> {
    await this.attempt(async () => {
      this.tree = await this.read(id);
      const newest = this.tree.nodes.find(each => each.newest)?.id;
      this.chosen = node || newest || (this.tree.nodes[0]?.id ?? '');
    });
    this._changed.emit();
  }

  /** Open the project that has a dataset or calculation, at that. */
  async openHolding(object: string): Promise<void> {
    const query = new URLSearchParams({ holds: object, mine: String(!this.everybody) });
    const isAsked = await this.attempt(async () => {
      const { projects } = await this.client.ask<IPage>(`projects?${query.toString()}`);
      if (!projects[0]) {
        throw new Error('It belongs to no project that you can see.');
      }
      await this.open(projects[0].id, object);
    });
    if (!isAsked) {
      this._changed.emit();
    }
  }

  close(): void {
    this.tree = undefined;
    this.chosen = '';
    this._changed.emit();
  }

  choose(node: string): void {
    this.chosen = node;
    this._changed.emit();
  }

  fold(node: string, folded: boolean): void {
    folded ? this.folded.add(node) : this.folded.delete(node);
    this._changed.emit();
  }

  /** Ask again for what is shown: something changed elsewhere. */
  async refresh(): Promise<void> {
    const id = this.project?.id;
    await Promise.all([this.search(), id !== undefined && this.reopen(id)]);
  }

  /** Set note, pin or project of a node; `undo` takes it back. */
  async annotate(node: IProjectNode, change: IAnnotation, words: string): Promise<void> {
    const before: IAnnotation = {};
    if (change.note !== undefined) {
      before.note = node.note;
    }
    if (change.pinned !== undefined) {
      before.pinned = node.pinned;
    }
    if (change.project !== undefined) {
      before.project = '';
    }
    await this.act({ words, back: () => this.put(node, before) }, () => this.put(node, change));
  }

  /** Put the data of a node, or the files of its result, into the bin; `undo` brings them back. */
  async bin(node: IProjectNode, words: string): Promise<void> {
    const id = node.dataset_id;
    if (id === null) {
      return;
    }
    const restore = () => this.client.ask(`datasets/${encodeURIComponent(id)}/restore`, { method: 'POST' });
    await this.act({ words, back: restore }, () => this.client.removeDataset(id));
  }

  async undo(): Promise<void> {
    const last = this.undone.pop();
    if (last) {
      await this.attempt(() => last.back());
      await this.refresh();
    }
  }

  private async act(undo: IUndo, change: () => Promise<unknown>): Promise<void> {
    const isDone = await this.attempt(change);
    if (isDone) {
      this.undone.push(undo);
      await this.refresh();
    }
    this._changed.emit();
  }

  private put(node: IProjectNode, change: IAnnotation): Promise<unknown> {
    const headers = { 'Content-Type': 'application/json' };
    const path = `annotations/${node.kind}/${encodeURIComponent(node.id)}`;
    return this.client.ask(path, { method: 'PATCH', body: JSON.stringify(change), headers });
  }

  private read(id: string): Promise<ITree> {
    return this.client.ask<ITree>(`projects/${encodeURIComponent(id)}?mine=${String(!this.everybody)}`);
  }

  private async reopen(id: string): Promise<void> {
    try {
      const tree = await this.read(id);
      if (this.project?.id === id) {
        this.tree = tree;
        this.chosen = tree.nodes.some(each => each.id === this.chosen) ? this.chosen : (tree.nodes[0]?.id ?? '');
      }
    } catch {
      this.close(); // moved, or deleted with all that was in it
    }
    this._changed.emit();
  }

  /** What the registry refuses is shown. */
  private async attempt(act: () => Promise<unknown>): Promise<boolean> {
    try {
      await act();
      this.problem = '';
      return true;
    } catch (error) {
      this.problem = wordsOf(error);
      return false;
    }
  }
}
