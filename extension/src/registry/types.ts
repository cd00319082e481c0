/** What the registry answers; the fields of its REST contract that the panel uses. */

export type State =
  | 'submitted'
  | 'running'
  | 'successful'
  | 'failed'
  | 'cancelled'
  | 'unknown';

export interface IParameter {
  dtype?: string;
  description?: string;
  required?: boolean;
  default_value?: unknown;
  unit?: string;
}

export interface ICommand {
  id: number;
  name: string;
  cmd_name: string;
  description: string;
  application: string;
  version: string;
  implemented_as: 'cli_command' | 'python_callable' | 'interactive_session';
  parameters: Record<string, IParameter>;
}

export interface IApplication {
  id: number;
  name: string;
  slug: string;
  version: string;
  description: string | null;
  commands: ICommand[];
}

/** What the registry read out of a CIF. */
export interface ICifIndex {
  kind?: string;
  formula_sum?: string | null;
  formula_moiety?: string | null;
  space_group_hm?: string | null;
  temperature_k?: number | null;
  r1?: number | null;
  has_hkl?: boolean;
  has_res?: boolean;
  warnings?: string[];
}

export interface IDataFile {
  qcrbox_file_id: string;
  filename: string;
  filetype: string;
  size?: number;
  index?: ICifIndex | null;
}

export interface IDataset {
  qcrbox_dataset_id: string;
  name: string | null;
  description?: string | null;
  kind?: string;
  application?: string | null;
  read_only?: boolean;
  created_at?: string;
  owner?: string;
  tags?: string[];
  data_files: Record<string, IDataFile>;
}

export interface IStatusEvent {
  status: State;
  stdout: string | null;
  stderr: string | null;
  timestamp: string;
  extra_info: Record<string, unknown>;
}

export interface IProgress {
  fraction?: number | null;
  text?: string;
  metrics?: Record<string, number>;
}

export interface ICalculation {
  calculation_id: string;
  application_slug: string;
  application_version: string;
  command_name: string;
  status: State;
  step?: string;
  name?: string | null;
  owner?: string;
  output_dataset_id: string | null;
  status_events: IStatusEvent[];
  submitted_at?: string | null;
  started_at?: string | null;
  finished_at?: string | null;
  error_msg?: string | null;
  warnings?: string[];
  progress?: IProgress | null;
  /** place 1 is next; estimated_start is Unix time in s. */
  queue?: { place?: number | null; reason?: string | null; estimated_start?: number | null } | null;
  /** How many lines and steps were told since the record was read; kept here only. */
  heard?: number;
}

export type SessionState = 'starting' | 'open' | 'program_ended' | 'finalising' | 'closed';

/** A program with a window; its id is its calculation's. */
export interface ISession {
  session_id: string;
  application_slug: string | null;
  application_version: string | null;
  command_name: string;
  state: SessionState;
  status: State;
  step?: string;
  reason?: string | null;
  name?: string | null;
  owner?: string;
  opened_at?: string | null;
  last_input_at?: string | null;
  closed_at?: string | null;
  idle_limit_s?: number | null;
  view_only_allowed?: boolean;
  output_dataset_id?: string | null;
}

/** The person, as the registry knows them. */
export interface IMe {
  name: string;
  groups: string[];
}

/** How a session ended. */
export interface IClosedSession {
  session_id: string;
  status: State;
  output_dataset_id?: string;
  error_msg?: string;
  warnings?: string[];
}

/** One server-sent event. `seq` is 0 for what is told but not kept, such as progress. */
export interface IEvent extends IProgress {
  seq: number;
  kind: string;
  id: string;
  status?: State | '';
  step?: string;
  reason?: string;
}

export const FINAL: ReadonlySet<State> = new Set<State>(['successful', 'failed', 'cancelled']);
