import { UUID } from '@lumino/coreutils';

import type { RegistryStore } from '../registry/store';
import { FINAL, type State } from '../registry/types';
import { wordsOf } from '../words_of';
import type { CommandModel } from './model';

/** While values are being filled in nothing is asked. */
export const PAUSE_MS = 1500;
/** Calculations that answer a form have it: the list of calculations leaves them out. */
export const ESTIMATE_TAG = 'estimate of a form';

type Store = Pick<RegistryStore, 'calculations' | 'client'>;

/** Estimates that were asked for in this page: what was asked → the calculation that answers. */
export type KnownEstimates = Map<string, string>;

/** Keeps the estimate of a form whose command offers one: asked for by itself, once for the same values. */
export class Estimating {
  private timer = 0;
  /** What the form asks for now. */
  private wanted = '';
  /** The calculation that was asked for last. */
  private running = '';

  constructor(
    private readonly model: CommandModel,
    private readonly store: Store,
    private readonly known: KnownEstimates,
    private readonly isShown: () => boolean
  ) {
    model.changed.connect(this.follow, this);
    this.follow();
  }

  /** Look whether the values as they are now need another estimate. */
  follow(): void {
    const { model, known } = this;
    const wanted = this.key();
    const answer = known.get(wanted) ?? '';
    if (wanted !== this.wanted) {
      this.drop();
      this.wanted = wanted;
      model.estimateProblem = '';
      if (wanted && !answer) {
        this.timer = window.setTimeout(() => void this.ask(wanted), PAUSE_MS);
      }
    }
    if (answer && model.estimateId !== answer) {
      model.estimated(answer);
    }
  }

  /** Stop waiting, and cancel an estimate that is still running. */
  drop(): void {
    window.clearTimeout(this.timer);
    const { running, known, model } = this;
    this.running = '';
    if (!running || isOver(this.statusOf(running))) {
      return;
    }
    for (const [wanted, id] of known) {
      if (id === running) {
        known.delete(wanted);
      }
    }
    if (model.estimateId === running) {
      model.estimated('');
    }
    this.cancel(running);
  }

  dispose(): void {
    this.model.changed.disconnect(this.follow, this);
    this.drop();
  }

  /** What the estimate depends on; empty where the command offers none or something is still missing. */
  private key(): string {
    const { application, estimator, estimateArguments, problems } = this.model;
    if (!estimator || estimator.missing || Object.keys(problems).length > 0) {
      return '';
    }
    return JSON.stringify([application.slug, application.version, estimator.name, estimateArguments]);
  }

  private async ask(wanted: string): Promise<void> {
    const { model, store } = this;
    const { application, estimator, estimateArguments } = model;
    if (!estimator || !this.isShown()) {
      // Asked for when the form comes to the front.
      this.wanted = '';
      return;
    }
    try {
      const id = await store.client.submit(application, estimator, estimateArguments, UUID.uuid4(), [ESTIMATE_TAG]);
      if (wanted !== this.wanted) {
        this.cancel(id);
        return;
      }
      this.running = id;
      this.known.set(wanted, id);
      model.estimated(id);
    } catch (error) {
      if (wanted === this.wanted) {
        model.estimateProblem = wordsOf(error);
        model.estimated('');
      }
    }
  }

  private statusOf(id: string): State | undefined {
    return this.store.calculations.find(each => each.calculation_id === id)?.status;
  }

  private cancel(id: string): void {
    // Where this does not reach the registry the estimate ends by itself.
    this.store.client.cancel(id).catch(() => undefined);
  }
}

function isOver(status: State | undefined): boolean {
  return status !== undefined && FINAL.has(status);
}
