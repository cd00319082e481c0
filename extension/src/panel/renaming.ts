import { InputDialog, Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { RegistryStore } from '../registry/store';
import type { ICalculation } from '../registry/types';

/** Asks for the title of a calculation and its result; an empty one brings the automatic title back. */
export async function renameCalculation(
  store: RegistryStore,
  calculation: ICalculation,
  trans: TranslationBundle
): Promise<void> {
  const { value } = await InputDialog.getText({
    title: trans.__('Title of this result'),
    label: trans.__('Leave it empty for the automatic title.'),
    text: calculation.title,
    selectionRange: calculation.title.length,
    okLabel: trans.__('Rename')
  });
  if (value === null) {
    return;
  }
  try {
    await store.client.renameCalculation(calculation.calculation_id, value.trim());
  } catch (error) {
    Notification.error(error instanceof Error ? error.message : String(error));
  }
}
