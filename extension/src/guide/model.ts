import { ISignal, Signal } from '@lumino/signaling';

import { fits } from '../command/fields';
import { RequestKey } from '../registry/request_key';
import type { RegistryStore } from '../registry/store';
import {
  FINAL,
  type IApplication,
  type ICalculation,
  type ICommand,
  type IDataFile,
  type IDataset
} from '../registry/types';
import { wordsOf } from '../words_of';

const APPLICATION = 'refine';
const COMMAND = 'refine_iam';

export type StepName = 'choose' | 'look' | 'refine' | 'judge' | 'next';
export const STEPS: StepName[] = ['choose', 'look', 'refine', 'judge', 'next'];

/** A structure with reflections, which can be refined as it is. */
export interface ICandidate {
  dataset: IDataset;
  file: IDataFile;
}

type Store = Pick<RegistryStore, 'applications' | 'datasets' | 'calculationOf'> & {
  client: Pick<RegistryStore['client'], 'submit'>;
};

/** A first refinement, step by step: what was chosen, what was started, and which step comes next. */
export class GuideModel {
  chosen = '';
  calculation = '';
  hasLooked = false;
  hasJudged = false;
  isSending = false;
  problem = '';
  private readonly _changed = new Signal<this, void>(this);
  private readonly sending: RequestKey;

  constructor(
    private readonly store: Store,
    newKey: () => string
  ) {
    this.sending = new RequestKey(newKey);
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The command, as the registry knows it now. */
  get offer(): { application: IApplication; command: ICommand } | undefined {
    const application = this.store.applications.find(each => each.slug === APPLICATION);
    const command = application?.commands.find(each => each.name === COMMAND);
    return application && command && { application, command };
  }

  /** Structures with reflections: one's own first, then examples. */
  get candidates(): ICandidate[] {
    const parameters = this.offer?.command.parameters ?? {};
    const structure = Object.values(parameters).find(each => each.takes?.atoms);
    const reflections = Object.values(parameters).find(each => (each.companion ?? []).length > 0);
    const found = this.store.datasets.flatMap(dataset => {
      const files = Object.values(dataset.data_files);
      const file = files.find(each => structure && fits(structure, each));
      const hasData =
        file?.index?.has_hkl === true || files.some(each => each !== file && reflections && fits(reflections, each));
      return file && hasData && dataset.kind !== 'output' ? [{ dataset, file }] : [];
    });
    return [...found.filter(each => !each.dataset.read_only), ...found.filter(each => each.dataset.read_only)];
  }

  get candidate(): ICandidate | undefined {
    return this.candidates.find(each => each.file.qcrbox_file_id === this.chosen);
  }

  get result(): ICalculation | undefined {
    return this.calculation ? this.store.calculationOf(this.calculation) : undefined;
  }

  isDone(step: StepName): boolean {
    const ended = this.result !== undefined && FINAL.has(this.result.status);
    return {
      choose: this.candidate !== undefined,
      look: this.candidate !== undefined && (this.hasLooked || this.calculation !== ''),
      refine: ended && this.result?.status === 'successful',
      judge: this.hasJudged,
      next: false
    }[step];
  }

  /** The first step that is not done. */
  get step(): StepName {
    return STEPS.find(step => !this.isDone(step)) ?? 'next';
  }

  choose(fileId: string): void {
    this.chosen = fileId;
    this.calculation = '';
    this.hasLooked = this.hasJudged = false;
    this.problem = '';
    this._changed.emit();
  }

  look(): void {
    this.hasLooked = true;
    this._changed.emit();
  }

  judge(): void {
    this.hasJudged = true;
    this._changed.emit();
  }

  /** Start the refinement with its defaults; a second click while it is sent starts no second one. */
  async refine(): Promise<void> {
    const { offer, candidate } = this;
    if (!offer || !candidate || this.isSending) {
      return;
    }
    const name = Object.entries(offer.command.parameters).find(([, each]) => each.takes?.atoms)?.[0];
    if (name === undefined) {
      return;
    }
    this.isSending = true;
    this.problem = '';
    this._changed.emit();
    const file = candidate.file.qcrbox_file_id;
    const { application, command } = offer;
    const given = { [name]: { data_file_id: file } };
    try {
      const id = await this.sending.send(given, key => this.store.client.submit(application, command, given, key));
      // Another structure may have been chosen meanwhile: the calculation is in the list, and not of its guide.
      if (this.chosen === file) {
        this.calculation = id;
        this.hasJudged = false;
      }
    } catch (error) {
      this.problem = this.chosen === file ? wordsOf(error) : '';
    }
    this.isSending = false;
    this._changed.emit();
  }
}
