import type { IApplication, ICommand, IDataset, IParameter } from '../registry/types';

const FILE_TYPES = /cif|file/i;

/** Words that no Python name can be. */
const KEYWORDS: ReadonlySet<string> = new Set(
  (
    'False None True and as assert async await break class continue def del elif else except finally for from global ' +
    'if import in is lambda nonlocal not or pass raise return try while with yield'
  ).split(' ')
);

/** As the notebook library names it (`identifier` in qcrbox.contract.python_names): a slug made into a Python name. */
export function pythonName(slug: string): string {
  const made = slug.replace(/[^\p{L}\p{N}_]/gu, '_');
  const name = made === '' || /^\p{Nd}/u.test(made) ? `_${made}` : made;
  return KEYWORDS.has(name) ? `${name}_` : name;
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
      given.push(dataset ? datasetSource(dataset) : 'qc["…"]');
    } else if (parameter.required && (parameter.default_value ?? null) === null) {
      given.push(`${name}=…`);
    }
  }
  const call = `qc.${pythonName(application.slug)}.${pythonName(command.name)}(${given.join(', ')})`;
  return `import qcrbox as qc\n\ncalculation = ${call}\ncalculation`;
}

/** A dataset in Python: by its name, by its id where several of `known` have that name. */
export function datasetSource(dataset: IDataset, known: IDataset[] = []): string {
  const isAlone = known.filter(each => each.name === dataset.name && !each.read_only).length < 2;
  const name = dataset.name && (isAlone || dataset.read_only) ? dataset.name : dataset.qcrbox_dataset_id;
  return dataset.read_only ? `qc.examples[${pythonText(name)}]` : `qc[${pythonText(name)}]`;
}

export function datasetCode(dataset: IDataset, known: IDataset[] = []): string {
  return `import qcrbox as qc\n\ns = ${datasetSource(dataset, known)}\ns`;
}

export function calculationCode(id: string): string {
  return `import qcrbox as qc\n\nresult = qc.calculations[${pythonText(id)}].result()\nresult`;
}

const IMPORT = 'import qcrbox as qc';

/** Code for a notebook in which `cells` are: one import is enough. */
export function withoutSecondImport(code: string, cells: string[]): string {
  const imported = cells.some(cell => /^import qcrbox as qc\b/m.test(cell));
  return imported && code.startsWith(IMPORT) ? code.slice(IMPORT.length).trimStart() : code;
}
