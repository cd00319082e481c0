import { Notification } from '@jupyterlab/apputils';
import { INotebookTracker, NotebookActions } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { IApplication, ICommand, IDataset, IParameter } from '../registry/types';

const FILE_TYPES = /cif|file/i;

/** As the notebook library names it: a slug made into a Python name. */
export function pythonName(slug: string): string {
  const name = slug.replace(/[^A-Za-z0-9_]/g, '_');
  return /^[A-Za-z_]/.test(name) ? name : `_${name}`;
}

function pythonText(text: string): string {
  return JSON.stringify(text);
}

const isFile = (parameter: IParameter) => FILE_TYPES.test(parameter.dtype ?? '');
const isOutput = (parameter: IParameter) => /output/i.test(parameter.dtype ?? '');

/** The line that starts a command: what has to be given, the rest left at its default. */
export function commandCode(application: IApplication, command: ICommand, dataset?: IDataset): string {
  const given: string[] = [];
  for (const [name, parameter] of Object.entries(command.parameters)) {
    if (isOutput(parameter)) {
      continue;
    }
    if (isFile(parameter) && given.length === 0) {
      given.push(dataset?.name ? `qc[${pythonText(dataset.name)}]` : 'qc["…"]');
    } else if (parameter.required && (parameter.default_value ?? null) === null) {
      given.push(`${name}=…`);
    }
  }
  const call = `qc.${pythonName(application.slug)}.${pythonName(command.name)}(${given.join(', ')})`;
  return `import qcrbox as qc\n\ncalculation = ${call}\ncalculation`;
}

export function datasetCode(dataset: IDataset): string {
  const name = dataset.name ?? dataset.qcrbox_dataset_id;
  const source = dataset.read_only ? `qc.examples[${pythonText(name)}]` : `qc[${pythonText(name)}]`;
  return `import qcrbox as qc\n\ns = ${source}\ns`;
}

export function calculationCode(id: string): string {
  return `import qcrbox as qc\n\nresult = qc.calculations[${pythonText(id)}].result()\nresult`;
}

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
  notebook.activeCell?.model.sharedModel.setSource(withoutSecondImport(code, notebook));
  notebook.mode = 'edit';
  return true;
}

function withoutSecondImport(code: string, notebook: { widgets: readonly { model: { sharedModel: { getSource(): string } } }[] }): string {
  const imported = notebook.widgets.some(cell => /^import qcrbox as qc\b/m.test(cell.model.sharedModel.getSource()));
  return imported ? code.replace(/^import qcrbox as qc\n\n/, '') : code;
}
