import { ISignal, Signal } from '@lumino/signaling';

/** A change of one item of a CIF, or with `row` of one cell of a loop. */
export interface IEdit {
  block: string;
  tag: string;
  row?: number;
  value: string;
}

/** Changes that are not kept yet, in order: each can be undone and done again. */
export class Edits {
  private done: IEdit[] = [];
  private undone: IEdit[] = [];
  private readonly _changed = new Signal<this, void>(this);

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The changes as they are sent: of several changes of one item, the last. */
  get list(): IEdit[] {
    return [...new Map(this.done.map(edit => [keyOf(edit), edit])).values()];
  }

  get last(): IEdit | undefined {
    return this.done[this.done.length - 1];
  }

  get canRedo(): boolean {
    return this.undone.length > 0;
  }

  /** The value of an item after the changes; undefined where it has none. */
  valueOf(block: string, tag: string, row?: number): string | undefined {
    return this.list.find(each => keyOf(each) === keyOf({ block, tag, row, value: '' } as IEdit))?.value;
  }

  add(edit: IEdit): void {
    this.done.push(edit);
    this.undone = [];
    this._changed.emit();
  }

  undo(): void {
    const last = this.done.pop();
    if (last) {
      this.undone.push(last);
      this._changed.emit();
    }
  }

  redo(): void {
    const next = this.undone.pop();
    if (next) {
      this.done.push(next);
      this._changed.emit();
    }
  }

  /** The changes one by one, as they were made. */
  get made(): IEdit[] {
    return [...this.done];
  }

  /** These changes are kept, or given up; what was changed since stays. */
  clear(made = this.made): void {
    const gone = new Set(made);
    this.done = this.done.filter(each => !gone.has(each));
    this.undone = [];
    this._changed.emit();
  }
}

function keyOf({ block, tag, row }: IEdit): string {
  return JSON.stringify([block, tag.toLowerCase(), row ?? null]);
}
