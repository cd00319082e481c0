import type { TranslationBundle } from '@jupyterlab/translation';

import type { IOffer } from '../offers';
import type { IApplication, ICalculation, ICommand, IDataFile, IDataset } from '../registry/types';
import { kindOf } from '../session/arguments';
import { isNeeded } from './fields';

/** What a refinement after edits does not take over from the one before: the file it left says it by now, or the edits do. */
const DONE = ['edits', 'cycles', 'omit', 'restraints', 'resolution', 'wavelength', 'missing_hydrogens'];
/** Of spherical atoms: they would undo "iso", "free" or a hydrogen atom that is new. */
const DONE_BY_REFINE = ['adp', 'hydrogens'];

/** The refinement that edits of a model begin. */
export interface IEditedRefinement extends IOffer {
  /** As a form holds it: names to texts, files by their ids. */
  values: Record<string, string>;
}

/**
 * The next refinement of a file with edits: by the command that made it, if it takes edits, else by `refine`.
 * A CIF brings its reflections along or has them beside it; instructions need the .hkl file of their dataset.
 * Throws an Error in words.
 */
export function editedRefinement(
  file: IDataFile,
  dataset: IDataset,
  edits: string,
  applications: IApplication[],
  made: ICalculation | undefined,
  trans: TranslationBundle
): IEditedRefinement {
  const isCif = /\.cif$/i.test(file.filename);
  const named = (slug: string, name: string): IOffer | undefined => {
    const application = applications.find(each => each.slug === slug);
    const command = application?.commands.find(each => each.name === name);
    return application && command && { application, command };
  };
  const same = made && isCif ? named(made.application_slug, made.command_name) : undefined;
  const takesEdits = same && canRefineEdited(same.command);
  const offer = takesEdits ? same : named('refine', isCif ? 'refine_iam' : 'refine_shelx');
  if (!offer) {
    throw new Error(trans.__('The application "refine" is not registered here. An administrator can add it.'));
  }
  if (offer.command.missing) {
    throw new Error(offer.command.missing);
  }
  const values: Record<string, string> = { [isCif ? 'structure' : 'instructions']: file.qcrbox_file_id, edits };
  if (!isCif) {
    const beside = Object.values(dataset.data_files).filter(each => /\.hkl$/i.test(each.filename));
    const [reflections] = beside;
    if (beside.length !== 1 || !reflections) {
      throw new Error(
        trans.__('%1 needs one .hkl file beside it in the store; there are %2.', file.filename, beside.length)
      );
    }
    values['reflections'] = reflections.qcrbox_file_id;
  }
  const done = new Set([...DONE, ...(offer.application.slug === 'refine' ? DONE_BY_REFINE : [])]);
  for (const [name, given] of Object.entries((takesEdits && made?.command_arguments) || {})) {
    const isPlain = ['string', 'number', 'boolean'].includes(typeof given);
    const isInput = kindOf(offer.command.parameters[name] ?? {}) !== 'output';
    if (name in offer.command.parameters && isPlain && isInput && !done.has(name) && !(name in values)) {
      values[name] = String(given);
    }
  }
  return { ...offer, values };
}

/** Takes edits, and no other file than the structure and its reflections: a table of form factors is of the old model. */
function canRefineEdited({ parameters }: ICommand): boolean {
  const others = Object.entries(parameters).filter(([name]) => name !== 'structure' && name !== 'reflections');
  return 'edits' in parameters && 'structure' in parameters && !others.some(([, each]) => isNeeded(each));
}
