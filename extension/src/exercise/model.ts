import { ISignal, Signal } from '@lumino/signaling';

import type { IOffer } from '../offers';
import { json } from '../registry/json';
import type { RegistryStore } from '../registry/store';
import type { IEvent } from '../registry/types';
import type { ICourse, IExercise, IOwnExercise, IReport, ISnapshot, ITask } from './types';

/** Many events of one moment are one question. */
const WAIT_MS = 700;

/** The person's exercises, and the tasks of the one that is open in the panel. */
export class ExerciseModel {
  exercises: IExercise[] = [];
  own: IOwnExercise | null = null;
  problem = '';
  private readonly _changed = new Signal<this, void>(this);
  private readonly _noted = new Signal<this, string>(this);
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** Counts what was opened and closed: an answer to what was asked before is not shown. */
  private opened = 0;

  constructor(private readonly store: RegistryStore) {
    store.happened.connect((_, event) => this.hear(event));
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Notes of the course's staff, as they arrive. */
  get noted(): ISignal<this, string> {
    return this._noted;
  }

  /** Exercises of every course, those that can be worked on first. A course that cannot be read hides no other. */
  async load(): Promise<void> {
    const { client } = this.store;
    const { courses } = await client.ask<{ courses: ICourse[] }>('courses');
    const active = courses.filter(course => !course.archived_at);
    const lists = await Promise.allSettled(
      active.map(course => client.ask<{ exercises: IExercise[] }>(`courses/${course.id}/exercises`))
    );
    const [failure] = lists.filter(list => list.status === 'rejected');
    if (failure && lists.every(list => list.status === 'rejected')) {
      throw failure.reason;
    }
    this.exercises = lists
      .flatMap(list => (list.status === 'fulfilled' ? list.value.exercises : []))
      .sort((a, b) => rank(a) - rank(b));
    this._changed.emit();
  }

  /** Write the exercise into the person's files and show its tasks. */
  async open(id: string): Promise<IReport> {
    const report = await this.store.client.local<IReport>(`exercises/${id}/fetch`, { method: 'POST' });
    await this.show(id);
    await this.load();
    return report;
  }

  async resetData(id: string): Promise<IReport> {
    return this.store.client.local<IReport>(`exercises/${id}/reset`, { method: 'POST' });
  }

  async show(id: string): Promise<void> {
    this.opened++;
    await this.read(id);
  }

  private async read(id: string): Promise<void> {
    await this.take(this.store.client.ask<IOwnExercise>(`exercises/${id}/own`));
  }

  close(): void {
    this.opened++;
    this.own = null;
    this._changed.emit();
  }

  async answer(id: string, task: string, value: string): Promise<void> {
    const path = `exercises/${id}/answers/${encodeURIComponent(task)}`;
    await this.take(this.store.client.ask<IOwnExercise>(path, json('PUT', { value })));
  }

  async submit(id: string): Promise<ISnapshot> {
    const receipt = await this.store.client.ask<ISnapshot>(`exercises/${id}/submit`, { method: 'POST' });
    await this.show(id);
    return receipt;
  }

  /** The command of a task (`application.command` or the command alone); none where no application here has it. */
  offerOf(task: ITask): IOffer | undefined {
    const end = task.command.lastIndexOf('.');
    const [slug, name] = [task.command.slice(0, Math.max(end, 0)), task.command.slice(end + 1)];
    for (const application of this.store.applications) {
      const command = application.commands.find(each => each.name === name);
      if (command && (!slug || slug === application.slug)) {
        return { application, command };
      }
    }
    return undefined;
  }

  /** Show an answer, unless it was overtaken: another exercise was opened, or this one closed. */
  private async take(answer: Promise<IOwnExercise>): Promise<void> {
    const { opened } = this;
    const own = await answer;
    if (opened === this.opened) {
      this.own = own;
      this._changed.emit();
    }
  }

  private hear(event: IEvent): void {
    if (event.kind === 'exercise' && (event.status as string) === 'note' && event.text) {
      this._noted.emit(event.text);
    }
    const id = this.own?.exercise.id;
    if (!id || (event.kind !== 'exercise' && event.kind !== 'calculation') || this.timer !== undefined) {
      return;
    }
    this.timer = setTimeout(() => {
      this.timer = undefined;
      if (this.own?.exercise.id === id) {
        void this.read(id).catch(() => undefined);
      }
    }, WAIT_MS);
  }
}

function rank(exercise: IExercise): number {
  return { open: 0, late: 1, not_open: 2, closed: 3 }[exercise.phase];
}
