import type { ICommand, IDataFile, IDataset, IParameter } from '../registry/types';
import { kindOf } from '../session/arguments';

/** A file that a parameter can take. */
export interface IChoice {
  id: string;
  label: string;
  file: IDataFile;
  dataset: IDataset;
}

/** Whether a file can be the value of a parameter, as far as its name and its index tell. */
export function fits(parameter: IParameter, file: IDataFile): boolean {
  const name = file.filename.toLowerCase();
  const { endings = [], atoms = false } = parameter.takes ?? {};
  const hasAtoms = !file.index || file.index.kind === 'structure';
  return (endings.length === 0 || endings.some(ending => name.endsWith(ending))) && (!atoms || hasAtoms);
}

/** The files that fit, the newest datasets first. */
export function choicesOf(
  parameter: IParameter,
  datasets: IDataset[],
  title: (dataset: IDataset) => string
): IChoice[] {
  // A structure goes by the name of its dataset; what goes beside one says which file it is.
  const isModel = kindOf(parameter) === 'cif';
  return [...datasets]
    .sort((a, b) => (b.created_at ?? '').localeCompare(a.created_at ?? ''))
    .flatMap(dataset => {
      const fitting = Object.values(dataset.data_files).filter(file => fits(parameter, file));
      const name = title(dataset);
      return fitting.map(file => ({
        id: file.qcrbox_file_id,
        label: name === file.filename || (isModel && fitting.length === 1) ? name : `${name} / ${file.filename}`,
        file,
        dataset
      }));
    });
}

/** Of these datasets the first that holds a CIF; the first one when none does. */
export function withModel(ids: string[], datasets: IDataset[]): string | undefined {
  const holdsCif = (id: string) => {
    const dataset = datasets.find(each => each.qcrbox_dataset_id === id);
    return Object.keys(dataset?.data_files ?? {}).some(name => /\.cif$/i.test(name));
  };
  return ids.find(holdsCif) ?? ids[0];
}

/** The allowed values in words: "whole number between 0 and 50". */
export function meaningOf(parameter: IParameter): string {
  const kind = kindOf(parameter);
  if (kind !== 'number') {
    return '';
  }
  const noun = parameter.dtype === 'int' ? 'whole number' : 'number';
  const [low, high] = parameter.valid_value?.numeric_range ?? [];
  const given = (value: unknown): value is number => typeof value === 'number';
  const range =
    given(low) && given(high)
      ? ` between ${low} and ${high}`
      : given(low)
        ? ` ≥ ${low}`
        : given(high)
          ? ` ≤ ${high}`
          : '';
  return `${noun}${parameter.unit ? ` in ${parameter.unit}` : ''}${range}`;
}

/** What is wrong with the text of a field; '' when nothing is. An empty field is wrong where a value is needed. */
export function problemOf(parameter: IParameter, text: string): string {
  const value = text.trim();
  if (!value) {
    return isNeeded(parameter) ? 'needed' : '';
  }
  if (kindOf(parameter) === 'number') {
    const number = Number(value);
    const [low, high] = parameter.valid_value?.numeric_range ?? [];
    const isWhole = parameter.dtype !== 'int' || Number.isInteger(number);
    const isInside = (typeof low !== 'number' || number >= low) && (typeof high !== 'number' || number <= high);
    return Number.isFinite(number) && isWhole && isInside ? '' : `must be a ${meaningOf(parameter)}`;
  }
  const choices = parameter.valid_value?.choices;
  return choices && !choices.map(String).includes(value) ? `must be one of ${choices.join(', ')}` : '';
}

export function isNeeded(parameter: IParameter): boolean {
  return parameter.required === true && (parameter.default_value ?? null) === null;
}

/** Names of the parameters that a form shows: no outputs, files first. */
export function namesOf(command: ICommand): string[] {
  const shown = Object.entries(command.parameters).filter(([, parameter]) => kindOf(parameter) !== 'output');
  const isFile = (parameter: IParameter) => kindOf(parameter) === 'cif' || kindOf(parameter) === 'file';
  return [
    ...shown.filter(([, parameter]) => isFile(parameter)),
    ...shown.filter(([, parameter]) => !isFile(parameter))
  ].map(([name]) => name);
}
