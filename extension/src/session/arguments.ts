import type { IApplication, ICommand, IDataFile, IDataset, IParameter } from '../registry/types';

/** A command that opens a window. */
export interface IProgram {
  application: IApplication;
  command: ICommand;
}

export function programs(applications: IApplication[]): IProgram[] {
  return applications.flatMap(application =>
    application.commands
      .filter(command => command.implemented_as === 'interactive_session')
      .map(command => ({ application, command }))
  );
}

export type Kind = 'cif' | 'file' | 'boolean' | 'number' | 'text' | 'output';

export function kindOf(parameter: IParameter): Kind {
  const dtype = (parameter.dtype ?? 'str').toLowerCase();
  if (dtype.includes('output')) {
    return 'output';
  }
  if (dtype.includes('file')) {
    return dtype.includes('cif') ? 'cif' : 'file';
  }
  if (dtype === 'bool') {
    return 'boolean';
  }
  return dtype === 'int' || dtype === 'float' ? 'number' : 'text';
}

/** Files a parameter can take: [id, label], the newest datasets first. */
export function choices(kind: Kind, datasets: IDataset[]): [string, string][] {
  return [...datasets]
    .sort((a, b) => (b.created_at ?? '').localeCompare(a.created_at ?? ''))
    .flatMap(dataset =>
      Object.values(dataset.data_files)
        .filter(file => kind !== 'cif' || isCif(file))
        .map((file): [string, string] => [
          file.qcrbox_file_id,
          dataset.name && dataset.name !== file.filename ? `${dataset.name} / ${file.filename}` : file.filename
        ])
    );
}

function isCif(file: IDataFile): boolean {
  return /\.cif$/i.test(file.filename);
}

/** What a form holds as the registry wants it; an empty field is left to its default. */
export function argumentsOf(command: ICommand, filled: Record<string, string>): Record<string, unknown> {
  const made: Record<string, unknown> = {};
  for (const [name, parameter] of Object.entries(command.parameters)) {
    const text = (filled[name] ?? '').trim();
    const kind = kindOf(parameter);
    if (!text || kind === 'output') {
      continue;
    }
    if (kind === 'cif' || kind === 'file') {
      made[name] = { data_file_id: text };
    } else if (kind === 'boolean') {
      made[name] = text === 'true';
    } else {
      // What is no number goes on as it is: the registry says what is wrong with it.
      made[name] = kind === 'number' && Number.isFinite(Number(text)) ? Number(text) : text;
    }
  }
  return made;
}
