import { Notification } from '@jupyterlab/apputils';

/** The words of whatever was thrown. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Work that nobody waits for: why it failed is shown, until the person has read it. */
export function notified(work: Promise<unknown>): void {
  void work.catch((error: unknown) => Notification.error(wordsOf(error), { autoClose: false }));
}
