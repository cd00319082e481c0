import type { components } from '../registry/contract';

type Schemas = components['schemas'];

export type ICourse = Schemas['Course'];
export type IExercise = Schemas['Exercise'];
export type ITaskProgress = Schemas['TaskProgress'];
export type ISnapshot = Schemas['Snapshot'];
export type TaskState = ITaskProgress['state'];

/** A task as students see it. */
export interface ITask {
  id: string;
  title: string;
  kind: 'calculation' | 'value' | 'answer';
  text: string;
  command: string;
  quantity: string;
  band?: { low?: number | null; high?: number | null } | null;
  unit: string;
  choices: string[];
  points: number;
}

export type IOwnExercise = Omit<Schemas['OwnExercise'], 'manifest'> & {
  manifest?: { title: string; text: string; tasks: ITask[] } | null;
};

/** What this server wrote into the person's files. */
export interface IReport {
  notebook: string | null;
  folder: string;
  written: string[];
  updated: string[];
  conflicts: string[];
}

/** An exercise that was made of a notebook. tasks: how many it has. */
export interface IMadeExercise {
  id: string;
  title: string;
  tasks: number;
}
