import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import { offerLabel, structureCommands } from '../offers';
import { StateMark } from '../panel/calculations';
import { Log } from '../panel/log';
import { useLog } from '../panel/program_output';
import { queueWords } from '../panel/queue';
import type { RegistryStore } from '../registry/store';
import { FINAL, type IApplication, type ICalculation, type ICommand, type IDataset } from '../registry/types';
import { calculationTitle } from '../titles';
import { Facts } from './facts';
import { figuresOf } from './figures';
import { Remarks } from './remarks';

export interface IResultActions {
  rename(calculation: ICalculation): void;
  cancel(calculation: ICalculation): void;
  insert(calculation: ICalculation): void;
  next(application: IApplication, command: ICommand, dataset: IDataset): void;
}

/** A calculation from its place in the queue to its result, live. */
export class ResultView extends ReactWidget {
  constructor(
    private readonly id_: string,
    private readonly store: RegistryStore,
    private readonly actions: IResultActions,
    private readonly trans: TranslationBundle
  ) {
    super();
    this.addClass('qcrbox-Result');
  }

  protected render(): JSX.Element {
    const { store, trans } = this;
    return (
      <UseSignal signal={store.changed}>
        {() => {
          const found = store.calculations.find(each => each.calculation_id === this.id_);
          return found ? (
            <Result calculation={found} store={store} actions={this.actions} trans={trans} />
          ) : (
            <p role="status">{trans.__('Waiting for the registry …')}</p>
          );
        }}
      </UseSignal>
    );
  }
}

interface IProps {
  calculation: ICalculation;
  store: RegistryStore;
  actions: IResultActions;
  trans: TranslationBundle;
}

function Result({ calculation, store, actions, trans }: IProps): JSX.Element {
  const isOver = FINAL.has(calculation.status);
  const dataset = store.datasets.find(each => each.qcrbox_dataset_id === calculation.output_dataset_id);
  const structure = dataset && Object.values(dataset.data_files).find(file => /\.cif$/i.test(file.filename));
  const { text: log, problem } = useLog(calculation, store);
  const fraction = calculation.progress?.fraction;
  return (
    <>
      <h2>
        <button
          className="qcrbox-Result-title"
          title={trans.__('Rename …')}
          onClick={() => actions.rename(calculation)}
        >
          {calculationTitle(calculation)}
        </button>
      </h2>
      <div role="status">
        <StateMark calculation={calculation} trans={trans} /> {queueWords(calculation, trans)}
        {!isOver && <span> {calculation.progress?.text}</span>}
      </div>
      {!isOver && typeof fraction === 'number' && (
        <progress className="qcrbox-Progress" max={1} value={fraction} aria-label={trans.__('Progress')} />
      )}
      <Remarks calculation={calculation} trans={trans} />
      {calculation.error_msg && (
        <div className="qcrbox-Error" role="alert">
          {calculation.error_msg}
        </div>
      )}
      <div className="qcrbox-CommandForm-columns">
        <Figures calculation={calculation} trans={trans} />
        {structure && (
          <Facts file={structure} pictureUrl={store.client.pictureUrl(structure.qcrbox_file_id)} trans={trans} />
        )}
      </div>
      <div className="qcrbox-Detail-buttons">
        {!isOver && (
          <button className="qcrbox-small" onClick={() => actions.cancel(calculation)}>
            {trans.__('Cancel')}
          </button>
        )}
        <button className="qcrbox-small" onClick={() => actions.insert(calculation)}>
          {trans.__('Insert into notebook')}
        </button>
        {dataset && (
          <a className="qcrbox-small" href={store.client.downloadUrl(dataset.qcrbox_dataset_id)} download>
            {trans.__('Download the files')}
          </a>
        )}
      </div>
      {dataset && (
        <>
          <h3>{trans.__('Files')}</h3>
          <ul>
            {Object.keys(dataset.data_files).map(name => (
              <li key={name}>{name}</li>
            ))}
          </ul>
        </>
      )}
      {dataset && structure && <Next dataset={dataset} store={store} actions={actions} trans={trans} />}
      {problem && <div className="qcrbox-Error">{problem}</div>}
      {log && (
        <details open={!isOver || calculation.status === 'failed'}>
          <summary>{trans.__('Log')}</summary>
          <Log text={log} trans={trans} />
        </details>
      )}
    </>
  );
}

function Figures({ calculation, trans }: { calculation: ICalculation; trans: TranslationBundle }): JSX.Element | null {
  const figures = figuresOf(calculation);
  if (figures.length === 0) {
    return null;
  }
  return (
    <table className="qcrbox-Figures" aria-label={trans.__('Figures of merit')}>
      <thead>
        <tr>
          <th />
          <th>{trans.__('before')}</th>
          <th>{trans.__('now')}</th>
        </tr>
      </thead>
      <tbody>
        {figures.map(({ symbol, before, now }) => (
          <tr key={symbol}>
            <th scope="row">{symbol}</th>
            <td>{before}</td>
            <td>{now}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Commands that take the structure as their first input. */
function Next({ dataset, store, actions, trans }: Omit<IProps, 'calculation'> & { dataset: IDataset }): JSX.Element {
  const offers = structureCommands(store.applications);
  return (
    <label className="qcrbox-Next">
      {trans.__('Next step with this structure')}
      <select
        value=""
        onChange={event => {
          const chosen = offers[Number(event.target.value)];
          if (event.target.value && chosen) {
            actions.next(chosen.application, chosen.command, dataset);
          }
        }}
      >
        <option value="">{trans.__('choose …')}</option>
        {offers.map((offer, number) => (
          <option
            key={`${offer.application.slug} ${offer.command.name}`}
            value={number}
            disabled={Boolean(offer.command.missing)}
            title={offer.command.missing}
          >
            {offerLabel(offer, trans)}
          </option>
        ))}
      </select>
    </label>
  );
}
