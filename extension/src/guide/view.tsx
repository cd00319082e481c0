import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import { Facts } from '../command/facts';
import { Failure } from '../command/failure';
import { figuresOf } from '../command/figures';
import { Remarks } from '../command/remarks';
import { StateOrPlace } from '../panel/calculations';
import type { RegistryStore } from '../registry/store';
import { FINAL } from '../registry/types';
import { datasetTitle } from '../titles';
import { type GuideModel, type StepName, STEPS } from './model';

export interface IGuideActions {
  addFiles(): void;
  openResult(id: string): void;
  next(command: 'form' | 'project'): void;
}

/** A first refinement without a cell of code: five steps, each says what it is for. */
export class GuideView extends ReactWidget {
  constructor(
    private readonly model: GuideModel,
    private readonly store: RegistryStore,
    private readonly actions: IGuideActions,
    private readonly trans: TranslationBundle
  ) {
    super();
    this.addClass('qcrbox-Guide');
  }

  protected render(): JSX.Element {
    const { model, store } = this;
    return (
      <UseSignal signal={store.changed}>
        {() => <UseSignal signal={model.changed}>{() => this.steps()}</UseSignal>}
      </UseSignal>
    );
  }

  private steps(): JSX.Element {
    const { model, trans } = this;
    const titles: Record<StepName, string> = {
      choose: trans.__('Choose a structure with its reflections'),
      look: trans.__('Look at it before you refine'),
      refine: trans.__('Refine'),
      judge: trans.__('Judge the result'),
      next: trans.__('Go on')
    };
    const contents: Record<StepName, () => React.ReactNode> = {
      choose: () => this.choose(),
      look: () => this.look(),
      refine: () => this.refine(),
      judge: () => this.judge(),
      next: () => this.next()
    };
    return (
      <>
        <h2>{trans.__('First refinement')}</h2>
        <ol>
          {STEPS.map(step => {
            const isNow = step === model.step;
            const isOpen = isNow || model.isDone(step);
            return (
              <li key={step} data-step={step} aria-current={isNow ? 'step' : undefined}>
                <h3>
                  {model.isDone(step) && <span aria-label={trans.__('done')}>✓ </span>}
                  {titles[step]}
                </h3>
                {isOpen && contents[step]()}
              </li>
            );
          })}
        </ol>
      </>
    );
  }

  private choose(): JSX.Element {
    const { model, store, actions, trans } = this;
    const { candidates } = model;
    return (
      <>
        <p>
          {trans.__(
            'A refinement needs atoms (.cif) and measured intensities (.hkl beside it, or inside the CIF). Take an example, or your own files.'
          )}
        </p>
        <select
          aria-label={trans.__('Structure')}
          value={model.chosen}
          onChange={event => model.choose(event.target.value)}
        >
          <option value="">{trans.__('choose …')}</option>
          {candidates.map(({ dataset, file }) => (
            <option key={file.qcrbox_file_id} value={file.qcrbox_file_id}>
              {datasetTitle(dataset, store.calculations)}
              {dataset.read_only ? ` (${trans.__('example')})` : ''}
            </option>
          ))}
        </select>{' '}
        <button className="qcrbox-small" onClick={() => actions.addFiles()}>
          {trans.__('My own files …')}
        </button>
      </>
    );
  }

  private look(): JSX.Element {
    const { model, store, trans } = this;
    const file = model.candidate?.file;
    return (
      <>
        <p>
          {trans.__(
            'Are the elements right, is anything missing or doubled? Each ellipsoid encloses an atom with 50 % probability: one that is much larger or flatter than its neighbours is suspicious.'
          )}
        </p>
        {file && <Facts file={file} pictureUrl={store.client.pictureUrl(file.qcrbox_file_id)} trans={trans} />}
        {!model.isDone('look') && (
          <button className="qcrbox-primary" onClick={() => model.look()}>
            {trans.__('It looks right')}
          </button>
        )}
      </>
    );
  }

  private refine(): JSX.Element {
    const { model, trans } = this;
    const calculation = model.result;
    const missing = model.offer?.command.missing ?? '';
    return (
      <>
        <p>
          {trans.__(
            'Least squares move the atoms until calculated and observed intensities agree best. The defaults suit most structures.'
          )}
        </p>
        {missing && <div className="qcrbox-Error">{missing}</div>}
        {model.problem && (
          <div className="qcrbox-Error" role="alert">
            {model.problem}
          </div>
        )}
        {calculation ? (
          <div role="status">
            <StateOrPlace calculation={calculation} trans={trans} /> {calculation.progress?.text}
          </div>
        ) : (
          <button
            className="qcrbox-primary"
            disabled={model.isSending || !!missing || model.calculation !== ''}
            onClick={() => void model.refine()}
          >
            {model.calculation ? trans.__('Queued …') : trans.__('Refine with the defaults')}
          </button>
        )}
        {calculation && FINAL.has(calculation.status) && calculation.status !== 'successful' && (
          <>
            <Failure text={calculation.error_msg} status={calculation.status} trans={trans} />
            <button className="qcrbox-small" onClick={() => void model.refine()}>
              {trans.__('Try again')}
            </button>
          </>
        )}
      </>
    );
  }

  private judge(): JSX.Element {
    const { model, actions, trans } = this;
    const calculation = model.result;
    if (!calculation) {
      return <p>…</p>;
    }
    return (
      <>
        <p>
          {trans.__(
            'R1 below about 0.05 and S near 1 are usual for good data. The largest shift must be small beside its s.u., or the refinement has not converged: then run it again from its result.'
          )}
        </p>
        <ul>
          {figuresOf(calculation).map(({ symbol, before, now }) => (
            <li key={symbol}>
              {symbol}: {before ? `${before} → ${now}` : now}
            </li>
          ))}
        </ul>
        <Remarks calculation={calculation} trans={trans} />
        <button
          className="qcrbox-primary"
          onClick={() => {
            model.judge();
            actions.openResult(calculation.calculation_id);
          }}
        >
          {trans.__('Open the result: structure, difference map, plots, alerts')}
        </button>
      </>
    );
  }

  private next(): JSX.Element {
    const { actions, trans } = this;
    return (
      <>
        <p>
          {trans.__(
            'Every result can be the beginning of the next step: more cycles, hydrogen atoms, Hirshfeld atom refinement, a report. Your project keeps all of them as a tree.'
          )}
        </p>
        <button className="qcrbox-small" onClick={() => actions.next('form')}>
          {trans.__('Next step with this structure …')}
        </button>{' '}
        <button className="qcrbox-small" onClick={() => actions.next('project')}>
          {trans.__('Show the project')}
        </button>
      </>
    );
  }
}
