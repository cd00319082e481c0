import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { RegistryStore } from '../registry/store';
import type { ICalculation } from '../registry/types';
import { calculationTitle } from '../titles';

/** Asks, and cancels; the safe button is the default. */
export async function askToCancel(
  store: RegistryStore,
  calculation: ICalculation,
  trans: TranslationBundle
): Promise<void> {
  const answer = await showDialog({
    title: trans.__('Cancel this calculation?'),
    body: trans.__('%1 stops; its log stays.', calculationTitle(calculation)),
    buttons: [
      Dialog.cancelButton({ label: trans.__('Keep it running') }),
      Dialog.warnButton({ label: trans.__('Cancel it') })
    ],
    defaultButton: 0
  });
  if (!answer.button.accept) {
    return;
  }
  try {
    await store.client.cancel(calculation.calculation_id);
  } catch (error) {
    Notification.error(error instanceof Error ? error.message : String(error));
  }
}
