import { Notification } from '@jupyterlab/apputils';

import { wordsOf } from './words_of';

/** Resolves when the work ends; why it failed is shown until the person has read it. */
export async function notified(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    Notification.error(wordsOf(error), { autoClose: false });
  }
}
