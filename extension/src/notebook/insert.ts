import { Notification } from '@jupyterlab/apputils';
import { INotebookTracker, NotebookActions } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';

import { withoutSecondImport } from './code';

/** Put code into a new cell below the active one, ready to be read before it is run. */
export function insert(code: string, tracker: INotebookTracker, trans: TranslationBundle): boolean {
  const notebook = tracker.currentWidget?.content;
  if (!notebook) {
    Notification.info(trans.__('Open a notebook first; the code goes into it.'), { autoClose: 4000 });
    return false;
  }
  const active = notebook.activeCell?.model;
  const free = active?.type === 'code' && active.sharedModel.getSource().trim() === '';
  if (!free) {
    NotebookActions.insertBelow(notebook);
  }
  notebook.activeCell?.model.sharedModel.setSource(
    withoutSecondImport(
      code,
      notebook.widgets.map(cell => cell.model.sharedModel.getSource())
    )
  );
  notebook.mode = 'edit';
  return true;
}
