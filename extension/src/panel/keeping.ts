import { Notification } from '@jupyterlab/apputils';
import type { Contents } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';

import { wordsOf } from '../words_of';
import type { RegistryStore } from '../registry/store';
import { type IUploadResult, upload } from '../registry/upload';

/** Files of Lab's file browser as the bytes they are. */
function filesOfLab(contents: Contents.IManager, paths: string[]): Promise<File[]> {
  return Promise.all(
    paths.map(async path => {
      const model = await contents.get(path, { type: 'file', format: 'base64', content: true });
      const bytes = Uint8Array.from(atob(model.content as string), sign => sign.charCodeAt(0));
      return new File([bytes], model.name);
    })
  );
}

/** Stores files of Lab's file browser. Rejects where one cannot be read, as a folder or a file that is gone. */
export async function keepLabFiles(
  store: RegistryStore,
  contents: Contents.IManager,
  paths: string[],
  trans: TranslationBundle
): Promise<string[]> {
  let files: File[];
  try {
    files = await filesOfLab(contents, paths);
  } catch (error) {
    throw new Error(trans.__('Nothing was stored, since a file could not be read: %1', wordsOf(error)), {
      cause: error
    });
  }
  return keepFiles(store, files, trans);
}

/** Stores files and says how it went; answers the ids of the new datasets. */
export async function keepFiles(store: RegistryStore, files: File[], trans: TranslationBundle): Promise<string[]> {
  if (files.length === 0) {
    return [];
  }
  // Lab draws its first notification late: one that was changed until then keeps its first words for ever.
  // So this one is never changed, and the outcome is another.
  const note = Notification.emit(trans._n('Storing %1 file …', 'Storing %1 files …', files.length), 'in-progress', {
    autoClose: false
  });
  const results = await upload(store.client, files).finally(() => Notification.dismiss(note));
  const refused = results.filter(each => each.problem || each.without);
  const why = (each: IUploadResult) => each.problem || trans.__('not stored, since %1 was refused', each.without);
  const message = refused.length
    ? refused.map(each => `${each.name}: ${why(each)}`).join('\n')
    : trans._n('%1 file stored', '%1 files stored', results.length);
  Notification.emit(message, refused.length ? 'error' : 'success', { autoClose: refused.length ? false : 3000 });
  await store.refresh();
  return [...new Set(results.map(each => each.dataset).filter(Boolean))];
}
