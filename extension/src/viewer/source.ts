import type { IDataFile, IDataset } from '../registry/types';

/** A file to be shown: a stored one by its id, with the .fcf beside it, or bytes that are not stored. */
export interface ISource {
  name: string;
  file?: string;
  fcf?: string;
  bytes?: Uint8Array;
}

const SHOWN = /\.(cif|fcf|res|ins|hkl|cube|cub)$/i;

export function canBeShown(name: string): boolean {
  return SHOWN.test(name);
}

/** A stored file as a source; of a CIF with the only .fcf of its dataset. */
export function sourceOf(file: IDataFile, dataset?: IDataset): ISource {
  const fcf = Object.values(dataset?.data_files ?? {}).filter(each => /\.fcf$/i.test(each.filename));
  const beside = /\.cif$/i.test(file.filename) && fcf.length === 1 ? fcf[0]?.qcrbox_file_id : undefined;
  return { name: file.filename, file: file.qcrbox_file_id, ...(beside ? { fcf: beside } : {}) };
}

/** The cube files of a dataset: densities that a program wrote. */
export function densitiesOf(dataset: IDataset | undefined): IDataFile[] {
  return Object.values(dataset?.data_files ?? {})
    .filter(file => /\.(cube|cub)$/i.test(file.filename))
    .sort((a, b) => a.filename.localeCompare(b.filename));
}

/** Where a source is named in an address. */
export function queryOf(source: ISource): string {
  const query = new URLSearchParams({ name: source.name });
  if (source.file) {
    query.set('file', source.file);
  }
  if (source.fcf) {
    query.set('fcf', source.fcf);
  }
  return query.toString();
}

/** Of these paths the .hkl file that has the name of the model. */
export function reflectionsBeside(model: string, paths: string[]): string[] {
  const stem = model.replace(/\.[^./]*$/, '').toLowerCase();
  return paths.filter(path => path.toLowerCase() === `${stem}.hkl`).slice(0, 1);
}
