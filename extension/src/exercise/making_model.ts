import { ISignal, Signal } from '@lumino/signaling';

import { json } from '../registry/json';
import type { RegistryStore } from '../registry/store';
import type { IDataset } from '../registry/types';
import { datasetTitle } from '../titles';
import { wordsOf } from '../words_of';
import type { ICourse, IMadeExercise } from './types';

export interface IMakingFields {
  course: string;
  title: string;
  text: string;
  minutes: string;
  /** Ids of datasets whose files students get, and of those that only lecturers get. */
  data: string[];
  forLecturers: string[];
}

/** What a lecturer fills in to make a notebook an exercise. */
export class MakingModel {
  courses: ICourse[] = [];
  isLoaded = false;
  isSending = false;
  problem = '';
  made: IMadeExercise | null = null;
  fields: IMakingFields;
  private readonly _changed = new Signal<this, void>(this);

  constructor(
    private readonly store: RegistryStore,
    /** Of the notebook, below the root of the server. */
    readonly path: string,
    private readonly save: () => Promise<unknown>
  ) {
    const name = path.slice(path.lastIndexOf('/') + 1).replace(/\.ipynb$/, '');
    this.fields = { course: '', title: name.replace(/_/g, ' '), text: '', minutes: '', data: [], forLecturers: [] };
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The courses that the person teaches, and the data that may belong to an exercise. */
  async load(): Promise<void> {
    try {
      const { courses } = await this.store.client.ask<{ courses: ICourse[] }>('courses');
      this.courses = courses.filter(course => course.role === 'lecturer' && !course.archived_at);
      this.fields.course = this.courses[0]?.id ?? '';
    } catch (error) {
      this.problem = wordsOf(error);
    }
    this.isLoaded = true;
    this._changed.emit();
  }

  /** (id, title) of the datasets here, the newest first. */
  get datasets(): [string, string][] {
    return this.store.datasets.map(each => [each.qcrbox_dataset_id, datasetTitle(each, this.store.calculations)]);
  }

  set(change: Partial<IMakingFields>): void {
    this.fields = { ...this.fields, ...change };
    this._changed.emit();
  }

  /** Save the notebook and make the exercise; a second click meanwhile does nothing. */
  async make(): Promise<void> {
    if (this.isSending || this.made) {
      return;
    }
    this.tell({ isSending: true, problem: '' });
    try {
      await this.save();
      const { course, title, text, minutes, data, forLecturers } = this.fields;
      const body = {
        course,
        title: title.trim(),
        text,
        minutes: minutes.trim() ? Number(minutes) : null,
        path: this.path,
        data: this.filesOf(data),
        for_lecturers: this.filesOf(forLecturers)
      };
      const made = await this.store.client.local<IMadeExercise>('exercises', json('POST', body));
      this.tell({ isSending: false, made });
    } catch (error) {
      this.tell({ isSending: false, problem: wordsOf(error) });
    }
  }

  private filesOf(ids: string[]): string[] {
    const chosen = this.store.datasets.filter((each: IDataset) => ids.includes(each.qcrbox_dataset_id));
    return chosen.flatMap(each => Object.values(each.data_files).map(file => file.qcrbox_file_id));
  }

  private tell(change: Partial<Pick<this, 'isSending' | 'problem' | 'made'>>): void {
    Object.assign(this, change);
    this._changed.emit();
  }
}
