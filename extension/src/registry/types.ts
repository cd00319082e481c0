/**
 * What the registry answers: the generated types of its REST contract, and what the contract leaves open (parameters
 * of a command, the index of a CIF, progress) as far as the front end reads it.
 */
import type { components } from './contract';

type Schemas = components['schemas'];
type Replace<T, U> = Omit<T, keyof U> & U;

export type State = Schemas['Calculation']['status'];

export interface IParameter {
  dtype?: string;
  description?: string;
  required?: boolean;
  default_value?: unknown;
  unit?: string;
  valid_value?: { choices?: unknown[]; numeric_range?: [number | null, number | null] } | null;
  /** File name patterns of what is taken from the dataset of the structure when nothing is given. */
  companion?: string[];
  /** Of a file: endings of names that fit (none: any), and whether a CIF without atoms does not. */
  takes?: { endings: string[]; atoms: boolean };
}

export type ICommand = Replace<Schemas['Command'], { parameters: Record<string, IParameter> }>;
export type IApplication = Replace<Schemas['Application'], { commands: ICommand[] }>;

/** What the registry read from a CIF. */
export interface ICifIndex {
  kind?: string;
  formula_sum?: string | null;
  formula_moiety?: string | null;
  space_group_hm?: string | null;
  a?: number | null;
  b?: number | null;
  c?: number | null;
  alpha?: number | null;
  beta?: number | null;
  gamma?: number | null;
  /** The six with their s.u. */
  cell_text?: string[];
  temperature_k?: number | null;
  r1?: number | null;
  has_hkl?: boolean;
  has_res?: boolean;
  warnings?: string[];
}

export type IDataFile = Replace<Schemas['DataFile'], { index?: ICifIndex | null }>;
export type IDataset = Replace<Schemas['Dataset'], { data_files: Record<string, IDataFile> }>;

export interface IProgress {
  fraction?: number | null;
  text?: string;
  metrics?: Record<string, number>;
  /** The metrics of every cycle so far. */
  history?: Record<string, number>[];
}

/** Place 1 is next; estimated_start is Unix time in s. */
export interface IQueue {
  place?: number | null;
  reason?: string | null;
  estimated_start?: number | null;
}

export type ICalculation = Replace<
  Schemas['Calculation'],
  {
    progress?: IProgress | null;
    queue?: IQueue | null;
    /** Number of log lines and steps since the record was read; known in this page only. */
    heard?: number;
  }
>;

export type SessionState = 'starting' | 'open' | 'program_ended' | 'finalising' | 'closed';

/** A program with a window; its id is that of its calculation. */
export type ISession = Replace<Schemas['Session'], { state: SessionState }>;
/** A structure with its history, in short; and one step of it. */
export type IProject = Schemas['Project'];
export type IProjectNode = Schemas['ProjectNode'];
/** The person, as the registry knows them. */
export type IMe = Schemas['Me'];
/** How a session ended. */
export type IClosedSession = Schemas['ClosedSession'];

/** One server-sent event. `seq` is 0 for events that are not stored, such as progress. */
export interface IEvent extends IProgress {
  seq: number;
  kind: string;
  id: string;
  status?: State | '';
  step?: string;
  reason?: string;
}

export const FINAL: ReadonlySet<State> = new Set<State>(['successful', 'failed', 'cancelled']);
