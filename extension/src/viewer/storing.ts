import { json } from '../registry/json';
import type { RegistryStore } from '../registry/store';
import type { IDataFile, IDataset, IProject } from '../registry/types';

/** A changed CIF as a new version: a dataset beside the one it came from, with its other files, in the same project. */
export async function storeVersion(
  store: RegistryStore,
  dataset: IDataset,
  file: IDataFile,
  bytes: Uint8Array
): Promise<string> {
  const { client } = store;
  const name = `${dataset.name || file.filename} (${versionWord(dataset, store.datasets, file.filename)})`;
  const id = await client.newDataset(new File([bytes as Uint8Array<ArrayBuffer>], file.filename));
  await client.renameDataset(id, name);
  for (const other of Object.values(dataset.data_files)) {
    if (other.qcrbox_file_id !== file.qcrbox_file_id && /\.(hkl|fcf|tsc|tscb)$/i.test(other.filename)) {
      await client.append(
        id,
        new File([(await client.bytes(other.qcrbox_file_id)) as Uint8Array<ArrayBuffer>], other.filename)
      );
    }
  }
  const query = `projects?mine=true&holds=${encodeURIComponent(dataset.qcrbox_dataset_id)}`;
  const { projects } = await client.ask<{ projects: IProject[] }>(query);
  const project = projects[0]?.id;
  if (project && !project.includes('@')) {
    await client.ask(`annotations/dataset/${encodeURIComponent(id)}`, json('PATCH', { project }));
  }
  await store.refresh();
  return id;
}

/** "edited", "edited 2" …: what no other dataset is called. */
export function versionWord(
  dataset: IDataset,
  known: IDataset[],
  filename = Object.keys(dataset.data_files)[0]
): string {
  const names = new Set(known.map(each => each.name));
  for (let number = 1; ; number++) {
    const word = number === 1 ? 'edited' : `edited ${number}`;
    if (!names.has(`${dataset.name || filename} (${word})`)) {
      return word;
    }
  }
}
