import { ISignal, Signal } from '@lumino/signaling';

import type { RegistryClient } from '../registry/client';
import { isGone } from '../registry/gone';
import { json } from '../registry/json';
import { MOST_OF_A_PAGE } from '../registry/pages';
import type { IProject, IProjectNode } from '../registry/types';
import { wordsOf } from '../words_of';

/** Typing is not searched for letter by letter. */
const QUIET_MS = 300;
/** Projects that the list begins with and grows by. */
const PAGE = 200;

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
  private opened = 0;

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
    const limit = Math.min(MOST_OF_A_PAGE, Math.max(PAGE, this.found.length));
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
    const isNewest = () => number === this.asked;
    await this.attempt(async () => {
      const page = await this.client.ask<IPage>(`projects?${query.toString()}`);
      if (isNewest()) {
        take(page);
        this.total = page.total;
        this.truncated = page.truncated;
        this.next = page.next ?? '';
      }
    }, isNewest);
    if (isNewest()) {
      this.loading = false;
      this._changed.emit();
    }
  }

  /** Open a project, at a node of it or at its newest model. */
  async open(id: string, node = ''): Promise<void> {
    const number = ++this.opened;
    await this.attempt(
      () => this.enter(id, node, number),
      () => number === this.opened
    );
    this._changed.emit();
  }

  /** Show a project, unless another one was opened meanwhile, or this one closed. */
  private async enter(id: string, node: string, number: number): Promise<void> {
    const tree = await this.read(id);
    if (number !== this.opened) {
      return;
    }
    this.tree = tree;
    const { nodes } = tree;
    const wanted = nodes.find(each => each.id === node) ?? nodes.find(each => each.newest) ?? nodes[0];
    this.chosen = wanted?.id ?? '';
    this.unfoldAbove(wanted);
  }

  /** A chosen step is in sight, or the tree could not be entered by the keyboard. */
  private unfoldAbove(node: IProjectNode | undefined): void {
    const nodes = new Map(this.tree?.nodes.map(each => [each.id, each]));
    const seen = new Set<string>();
    for (let above = node?.parent; above && !seen.has(above); above = nodes.get(above)?.parent) {
      seen.add(above);
      this.folded.delete(above);
    }
  }

  /** Open the project that has a dataset or calculation, at that. */
  async openHolding(object: string): Promise<void> {
    const number = ++this.opened;
    const isNewest = () => number === this.opened;
    const query = new URLSearchParams({ holds: object, mine: String(!this.everybody) });
    await this.attempt(async () => {
      const { projects } = await this.client.ask<IPage>(`projects?${query.toString()}`);
      if (!projects[0]) {
        throw new Error('It belongs to no project that you can see.');
      }
      if (isNewest()) {
        await this.enter(projects[0].id, object, number);
      }
    }, isNewest);
    this._changed.emit();
  }

  /** The tab is closed: what was typed last is not searched for. */
  dispose(): void {
    window.clearTimeout(this.timer);
    Signal.clearData(this);
  }

  close(): void {
    this.opened++;
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
      before.project = this.placeOf(node);
    }
    await this.act({ words, back: () => this.put(node, before) }, () => this.put(node, change));
  }

  /** The project that a dataset was moved to; '' for its own place. An id with @ is of a project that nobody made. */
  private placeOf(node: IProjectNode): string {
    const id = this.project?.id ?? '';
    return id === node.id || id.includes('@') ? '' : id;
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
    if (!last) {
      return;
    }
    if (await this.attempt(() => last.back())) {
      await this.refresh();
    } else {
      this.undone.push(last);
      this._changed.emit();
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
    return this.client.ask(`annotations/${node.kind}/${encodeURIComponent(node.id)}`, json('PATCH', change));
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
        this.unfoldAbove(this.node);
      }
    } catch (error) {
      if (isGone(error) && this.project?.id === id) {
        this.close(); // moved, or deleted with all that was in it
      } else if (!isGone(error)) {
        this.problem = wordsOf(error);
      }
    }
    this._changed.emit();
  }

  /** What the registry refuses is shown, unless the question was overtaken by a newer one. */
  private async attempt(act: () => Promise<unknown>, isNewest = () => true): Promise<boolean> {
    try {
      await act();
      this.problem = isNewest() ? '' : this.problem;
      return true;
    } catch (error) {
      this.problem = isNewest() ? wordsOf(error) : this.problem;
      return false;
    }
  }
}
