import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import { Title } from '../moment';
import { StepChooser, structureCommands } from '../offers';
import { StateOrPlace } from '../panel/calculations';
import { Log } from '../panel/log';
import { useLog } from '../panel/program_output';
import type { RegistryStore } from '../registry/store';
import {
  FINAL,
  type IApplication,
  type ICalculation,
  type ICommand,
  type IDataFile,
  type IDataset
} from '../registry/types';
import { calculationTitleParts } from '../titles';
import { Figure } from '../typeset';
import type { ViewClient } from '../viewer/client';
import { Densities } from '../viewer/densities';
import { Live, Shown, useAsked } from '../viewer/live';
import type { LiveModel } from '../viewer/live_model';
import { AlertsBesideStructure, Plots, Structure, Tables } from '../viewer/parts';
import { canBeShown, densitiesOf, sourceOf } from '../viewer/source';
import { type ITab, Tabs } from '../viewer/tabs';
import { Facts } from './facts';
import { Failure } from './failure';
import { figuresOf } from './figures';
import { Remarks } from './remarks';
import { RunAgain } from './repeating';

export interface IResultActions {
  rename(calculation: ICalculation): void;
  cancel(calculation: ICalculation): void;
  repeat(calculation: ICalculation): void;
  insert(calculation: ICalculation): void;
  project(calculation: ICalculation): void;
  open(file: IDataFile): void;
  refine(file: IDataFile, edits: string, form: boolean): Promise<void>;
  next(application: IApplication, command: ICommand, dataset: IDataset): void;
}

/** A calculation from its place in the queue to its result, live. */
export class ResultView extends ReactWidget {
  constructor(
    private readonly id_: string,
    private readonly store: RegistryStore,
    private readonly views: ViewClient,
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
          const found = store.calculationOf(this.id_);
          return found ? (
            <Result calculation={found} store={store} views={this.views} actions={this.actions} trans={trans} />
          ) : (
            <p role="status">{store.missingOf(this.id_) || store.problem || trans.__('Waiting for the registry …')}</p>
          );
        }}
      </UseSignal>
    );
  }
}

interface IProps {
  calculation: ICalculation;
  store: RegistryStore;
  views: ViewClient;
  actions: IResultActions;
  trans: TranslationBundle;
}

function Result(props: IProps): JSX.Element {
  const { calculation, store, actions, trans } = props;
  const isOver = FINAL.has(calculation.status);
  const dataset = store.datasetOf(calculation);
  const structure = dataset && Object.values(dataset.data_files).find(file => /\.cif$/i.test(file.filename));
  const fraction = calculation.progress?.fraction;
  return (
    <>
      <div className="qcrbox-Result-head">
        <h2>
          <button
            className="qcrbox-Result-title"
            title={trans.__('Rename …')}
            onClick={() => actions.rename(calculation)}
          >
            <Title {...calculationTitleParts(calculation)} />
          </button>
        </h2>
        <div role="status">
          <StateOrPlace calculation={calculation} trans={trans} />
          {!isOver && <span> {calculation.progress?.text}</span>}
        </div>
      </div>
      {!isOver && typeof fraction === 'number' && (
        <progress className="qcrbox-Progress" max={1} value={fraction} aria-label={trans.__('Progress')} />
      )}
      <Remarks calculation={calculation} trans={trans} />
      <Failure text={calculation.error_msg} status={calculation.status} trans={trans} />
      <div className="qcrbox-Result-facts">
        <Figures calculation={calculation} trans={trans} />
        {structure && (
          <Facts file={structure} pictureUrl={store.client.pictureUrl(structure.qcrbox_file_id)} trans={trans} />
        )}
      </div>
      <div className="qcrbox-Detail-buttons qcrbox-Result-acts">
        {!isOver && (
          <button className="qcrbox-small" onClick={() => actions.cancel(calculation)}>
            {trans.__('Cancel')}
          </button>
        )}
        <RunAgain calculation={calculation} store={store} repeat={actions.repeat} trans={trans} />
        <button className="qcrbox-small" onClick={() => actions.project(calculation)}>
          {trans.__('Show in its project')}
        </button>
        <button className="qcrbox-small" onClick={() => actions.insert(calculation)}>
          {trans.__('Insert into notebook')}
        </button>
        {dataset && (
          <a className="qcrbox-small" href={store.client.downloadUrl(dataset.qcrbox_dataset_id)} download>
            {trans.__('Download the files')}
          </a>
        )}
        {dataset && structure && (
          <Next calculation={calculation} dataset={dataset} store={store} actions={actions} trans={trans} />
        )}
      </div>
      <Parts {...props} dataset={dataset} structure={structure} />
    </>
  );
}

interface IPartsProps extends IProps {
  dataset: IDataset | undefined;
  structure: IDataFile | undefined;
}

/** Structure with difference map, plots, alerts, table 1, lineage, files and log of a result; those that it has. */
function Parts({ calculation, store, actions, views, trans, dataset, structure }: IPartsProps): JSX.Element {
  const [highlight, setHighlight] = React.useState<string[]>([]);
  const isOver = FINAL.has(calculation.status);
  const log: ITab = {
    name: 'log',
    label: trans.__('Log'),
    content: () => <LogOf calculation={calculation} store={store} trans={trans} />
  };
  const lineage: ITab = {
    name: 'lineage',
    label: trans.__('Lineage'),
    content: () => <LineageOf id={calculation.calculation_id} views={views} trans={trans} />
  };
  const files: ITab = {
    name: 'files',
    label: trans.__('Files'),
    content: () => <Files dataset={dataset} open={actions.open} trans={trans} />
  };
  if (!structure || !dataset) {
    return (
      <Tabs
        label={trans.__('Parts of the result')}
        tabs={isOver ? [log, ...(dataset ? [files] : []), lineage] : [log]}
      />
    );
  }
  const common = { views, source: sourceOf(structure, dataset), trans };
  const cubes = densitiesOf(dataset);
  const densities: ITab = {
    name: 'densities',
    label: trans.__('Densities'),
    content: () => <Densities files={cubes} views={views} trans={trans} />
  };
  const tabs: ITab[] = [
    {
      name: 'structure',
      label: trans.__('Structure'),
      content: () => (
        <Structure
          {...common}
          density={common.source.fcf !== undefined}
          highlight={highlight}
          refine={(edits, form) => actions.refine(structure, edits, form)}
        />
      )
    },
    ...(cubes.length > 0 ? [densities] : []),
    { name: 'plots', label: trans.__('Plots'), content: () => <Plots {...common} /> },
    {
      name: 'alerts',
      label: trans.__('Alerts'),
      content: () => <AlertsBesideStructure {...common} highlight={highlight} show={setHighlight} />
    },
    { name: 'table', label: trans.__('Table 1'), content: () => <Tables {...common} /> },
    lineage,
    files,
    log
  ];
  return <Tabs label={trans.__('Parts of the result')} tabs={tabs} />;
}

function LogOf({ calculation, store, trans }: Pick<IProps, 'calculation' | 'store' | 'trans'>): JSX.Element {
  const { text, problem } = useLog(calculation, store);
  const loading = text === undefined && !problem;
  return (
    <>
      {problem && <div className="qcrbox-Error">{problem}</div>}
      {text && <Log text={text} trans={trans} />}
      {text === '' && (
        <p>
          {FINAL.has(calculation.status)
            ? trans.__('The program has written nothing.')
            : trans.__('The program has written nothing yet.')}
        </p>
      )}
      {loading && <p>{trans.__('Loading …')}</p>}
    </>
  );
}

function LineageOf({ id, views, trans }: { id: string; views: ViewClient; trans: TranslationBundle }): JSX.Element {
  const asked = useAsked(() => views.lineage('calculation', id), `lineage ${id}`);
  return (
    <Shown asked={asked} trans={trans}>
      {(model: LiveModel) => <Live views={views} name="lineage" model={model} trans={trans} />}
    </Shown>
  );
}

function Files(props: {
  dataset: IDataset | undefined;
  open(file: IDataFile): void;
  trans: TranslationBundle;
}): JSX.Element {
  const files = Object.values(props.dataset?.data_files ?? {});
  return (
    <ul>
      {files.map(file => (
        <li key={file.qcrbox_file_id}>
          {file.filename}{' '}
          {canBeShown(file.filename) && (
            <button className="qcrbox-small" onClick={() => props.open(file)}>
              {props.trans.__('Open %1', file.filename)}
            </button>
          )}
        </li>
      ))}
    </ul>
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
            <th scope="row">
              <Figure symbol={symbol} />
            </th>
            <td>{before}</td>
            <td>{now}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Commands that take the structure as their first input; the one that made it comes first. */
function Next({
  calculation,
  dataset,
  store,
  actions,
  trans
}: Omit<IProps, 'views'> & { dataset: IDataset }): JSX.Element {
  return (
    <StepChooser
      label={trans.__('Next step with this structure')}
      act={trans.__('Open the form …')}
      offers={structureCommands(store.applications)}
      usual={`${calculation.application_slug}.${calculation.command_name}`}
      start={({ application, command }) => actions.next(application, command, dataset)}
      trans={trans}
    />
  );
}
