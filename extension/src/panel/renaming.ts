import { InputDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import { notified } from '../notified';
import type { RegistryStore } from '../registry/store';
import type { ICalculation, IDataset } from '../registry/types';

/** Asks for the title of a calculation and its result; an empty one brings the automatic title back. */
export async function renameCalculation(
  store: RegistryStore,
  calculation: ICalculation,
  trans: TranslationBundle
): Promise<void> {
  const id = calculation.calculation_id;
  await renameResult(store, id, calculation.title, trans);
}

/** The same for a dataset; that of a result has one title with its calculation. */
export async function renameDataset(store: RegistryStore, dataset: IDataset, trans: TranslationBundle): Promise<void> {
  const name = dataset.name ?? '';
  if (dataset.calculation_id) {
    await renameResult(store, dataset.calculation_id, name, trans);
    return;
  }
  await renameDatasetOf(store, dataset.qcrbox_dataset_id, name, trans);
}

/** Asks for the name of a dataset that is no result. */
export async function renameDatasetOf(
  store: RegistryStore,
  id: string,
  name: string,
  trans: TranslationBundle
): Promise<void> {
  const value = await asked(name, trans.__('Name of this dataset'), '', trans);
  if (value) {
    await notified(store.client.renameDataset(id, value));
  }
}

/** Asks for the title of a result; an empty one brings the automatic title back. */
export async function renameResult(
  store: RegistryStore,
  id: string,
  title: string,
  trans: TranslationBundle
): Promise<void> {
  const label = trans.__('Leave it empty for the automatic title.');
  const value = await asked(title, trans.__('Title of this result'), label, trans);
  if (value !== null) {
    await notified(store.client.renameCalculation(id, value));
  }
}

async function asked(text: string, title: string, label: string, trans: TranslationBundle): Promise<string | null> {
  const okLabel = trans.__('Rename');
  const { value } = await InputDialog.getText({ title, label, text, selectionRange: text.length, okLabel });
  return value === null ? null : value.trim();
}
