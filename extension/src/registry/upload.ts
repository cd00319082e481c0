import type { RegistryClient } from './client';
import { wordsOf } from '../words_of';

/** One file's fate. */
export interface IUploadResult {
  name: string;
  problem: string;
  /** The refused file of the same dataset that keeps this one out; '' otherwise. */
  without: string;
  /** The dataset that holds it; '' when it was refused. */
  dataset: string;
}

const stem = (name: string) => name.replace(/\.[^.]*$/, '').toLowerCase();
const isModel = (name: string) => /\.(cif|ins|res|pdb|mmcif)$/i.test(name);

/** Files of the same name before the dot belong together: a model and its reflections are one dataset. */
export function together(files: File[]): File[][] {
  const groups = new Map<string, File[]>();
  for (const file of files) {
    groups.set(stem(file.name), [...(groups.get(stem(file.name)) ?? []), file]);
  }
  return [...groups.values()].map(group =>
    [...group].sort((a, b) => Number(isModel(b.name)) - Number(isModel(a.name)))
  );
}

/** Store files; one that is refused stops its own dataset only. */
export async function upload(client: RegistryClient, files: File[]): Promise<IUploadResult[]> {
  const results: IUploadResult[] = [];
  for (const group of together(files)) {
    let dataset = '';
    let refused = '';
    for (const file of group) {
      if (refused) {
        results.push({ name: file.name, problem: '', without: refused, dataset: '' });
        continue;
      }
      try {
        if (dataset) {
          await client.append(dataset, file);
        } else {
          dataset = await client.newDataset(file);
        }
        results.push({ name: file.name, problem: '', without: '', dataset });
      } catch (error) {
        const problem = wordsOf(error);
        results.push({ name: file.name, problem, without: '', dataset: '' });
        refused = dataset ? '' : file.name;
      }
    }
  }
  return results;
}
