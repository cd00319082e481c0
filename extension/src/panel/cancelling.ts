import { Dialog, InputDialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import { notified } from '../notified';
import type { RegistryStore } from '../registry/store';
import type { ICalculation } from '../registry/types';
import { calculationTitle } from '../titles';

/** Asks, and cancels; the safe button is the default. The owner of another's calculation reads why it was cancelled. */
export async function askToCancel(
  store: RegistryStore,
  calculation: ICalculation,
  trans: TranslationBundle
): Promise<void> {
  const mine = !store.me || calculation.owner === store.me.name;
  const reason = await (mine ? confirmed(calculation, trans) : reasonGiven(calculation, trans));
  if (reason === undefined) {
    return;
  }
  await notified(store.client.cancel(calculation.calculation_id, reason));
}

async function confirmed(calculation: ICalculation, trans: TranslationBundle): Promise<string | undefined> {
  const answer = await showDialog({
    title: trans.__('Cancel this calculation?'),
    body: trans.__('%1 stops; its log stays.', calculationTitle(calculation)),
    buttons: [
      Dialog.cancelButton({ label: trans.__('Keep it running') }),
      Dialog.warnButton({ label: trans.__('Cancel it') })
    ],
    defaultButton: 0
  });
  return answer.button.accept ? '' : undefined;
}

async function reasonGiven(calculation: ICalculation, trans: TranslationBundle): Promise<string | undefined> {
  const answer = await InputDialog.getText({
    title: trans.__('Cancel the calculation of %1?', calculation.owner),
    label: trans.__('%1 stops; its log stays. Its owner reads the reason:', calculationTitle(calculation)),
    cancelLabel: trans.__('Keep it running'),
    okLabel: trans.__('Cancel it'),
    required: true
  });
  const reason = answer.value?.trim();
  return answer.button.accept && reason ? reason : undefined;
}
