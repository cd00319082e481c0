import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import { Doubt, isDoubtfulDataset } from '../doubt';
import { Moment, Title } from '../moment';
import type { IDataset } from '../registry/types';
import { datasetTitleParts } from '../titles';
import { Figure, SpaceGroup } from '../typeset';
import type { BrowserModel } from './model';
import { type IFacets, NO_FACETS, rowOf, visible } from './query';

const ROW_HEIGHT = 28;

/** What can be done with a dataset outside this view. */
export interface IActions {
  use(dataset: IDataset): void;
  rename(dataset: IDataset): void;
  downloadUrl(id: string): string;
  maySeeOthers(): boolean;
  ask(title: string, label: string): Promise<string>;
}

/** The store: searched by what is in it, its datasets chosen and handled together. */
export class StoreBrowser extends ReactWidget {
  constructor(
    private readonly model: BrowserModel,
    private readonly actions: IActions,
    private readonly trans: TranslationBundle
  ) {
    super();
    this.addClass('qcrbox-Store');
  }

  protected render(): JSX.Element {
    const { model, actions, trans } = this;
    return (
      <UseSignal signal={model.changed}>
        {() => (
          <>
            <Facets model={model} trans={trans} maySeeOthers={actions.maySeeOthers} />
            <Bulk model={model} actions={actions} trans={trans} />
            {model.problem && (
              <div className="qcrbox-Error" role="alert">
                {model.problem}
              </div>
            )}
            <Rows model={model} actions={actions} trans={trans} />
          </>
        )}
      </UseSignal>
    );
  }
}

interface IProps {
  model: BrowserModel;
  trans: TranslationBundle;
}

function Facets({ model, trans, maySeeOthers }: IProps & { maySeeOthers(): boolean }): JSX.Element {
  const fields: [keyof IFacets, string, string][] = [
    ['text', trans.__('Text'), trans.__('name, title, formula')],
    ['formula', trans.__('Formula'), 'C10 H10 F2 N4'],
    ['elements', trans.__('Elements'), 'C,H,Cu'],
    ['spaceGroup', trans.__('Space group'), 'P 21/n'],
    ['cell', trans.__('Cell'), 'a b c α β γ'],
    ['tolerance', trans.__('± %'), '2'],
    ['r1Below', trans.__('R1 below'), '0.05'],
    ['tag', trans.__('Tag'), ''],
    ['owner', trans.__('Owner'), '']
  ];
  return (
    <div className="qcrbox-Store-facets" role="search" aria-label={trans.__('Search the store')}>
      {fields.map(([name, label, hint]) => (
        <label key={name} data-facet={name}>
          {label}
          <input
            type="search"
            value={model.facets[name]}
            placeholder={hint}
            disabled={model.bin}
            onChange={event => model.set({ [name]: event.target.value })}
          />
        </label>
      ))}
      <button className="qcrbox-small" onClick={() => model.set({ ...NO_FACETS })}>
        {trans.__('Clear')}
      </button>
      <label>
        <input type="checkbox" checked={model.bin} onChange={event => model.showBin(event.target.checked)} />
        {trans.__('Bin')}
      </label>
      {maySeeOthers() && (
        <label data-everybody="">
          <input
            type="checkbox"
            checked={model.everybody}
            onChange={event => model.showEverybody(event.target.checked)}
          />
          {trans.__('Everyone')}
        </label>
      )}
    </div>
  );
}

function Bulk({ model, actions, trans }: IProps & { actions: IActions }): JSX.Element {
  const chosen = model.chosenDatasets;
  const none = chosen.length === 0;
  const fixed = chosen.some(each => each.read_only);
  const asked = async (title: string, label: string, act: (answer: string) => Promise<void>) => {
    const answer = (await actions.ask(title, label)).trim();
    if (answer) {
      await act(answer);
    }
  };
  const ids = chosen.map(each => each.qcrbox_dataset_id);
  return (
    <div className="qcrbox-Store-bulk" role="toolbar" aria-label={trans.__('Chosen datasets')}>
      <span role="status">
        {trans.__('%1 of %2 chosen', chosen.length, model.found.length)}
        {model.more ? '+' : ''} {model.said && `· ${model.said}`}
      </span>
      {model.bin ? (
        <button className="qcrbox-small" disabled={none} onClick={() => void model.restore(ids)}>
          {trans.__('Bring back')}
        </button>
      ) : (
        <>
          <button
            className="qcrbox-small"
            disabled={none || fixed}
            onClick={() => void asked(trans.__('Tag'), trans.__('Tag for the chosen datasets'), tag => model.tag(tag))}
          >
            {trans.__('Tag …')}
          </button>
          <button
            className="qcrbox-small"
            disabled={none || fixed}
            onClick={() =>
              void asked(trans.__('Share'), trans.__('Group that may read them'), group => model.share(group))
            }
          >
            {trans.__('Share …')}
          </button>
          <button className="qcrbox-small" disabled={none} onClick={() => download(ids.map(actions.downloadUrl))}>
            {trans.__('Export')}
          </button>
          <button className="qcrbox-small" disabled={none || fixed} onClick={() => void model.toBin()}>
            {trans.__('Delete')}
          </button>
        </>
      )}
      {model.lastBinned.length > 0 && !model.bin && (
        <button className="qcrbox-small" onClick={() => void model.restore(model.lastBinned)}>
          {trans.__('Undo: bring back %1', model.lastBinned.length)}
        </button>
      )}
    </div>
  );
}

/** One after the other: a browser drops downloads that begin at the same moment. */
function download(urls: string[]): void {
  urls.forEach((url, number) =>
    window.setTimeout(() => {
      const link = document.createElement('a');
      link.href = url;
      link.download = '';
      link.click();
    }, 400 * number)
  );
}

/** Only the rows in sight are in the page, whatever their number. */
function Rows({ model, actions, trans }: IProps & { actions: IActions }): JSX.Element {
  const box = React.useRef<HTMLDivElement>(null);
  const [[scrolled, height], setPlace] = React.useState([0, 600]);
  const measure = () => {
    const { scrollTop, clientHeight, scrollHeight } = box.current ?? {
      scrollTop: 0,
      clientHeight: 600,
      scrollHeight: 0
    };
    setPlace([scrollTop, clientHeight]);
    if (scrollTop + clientHeight > scrollHeight - 20 * ROW_HEIGHT) {
      void model.loadMore();
    }
  };
  React.useEffect(measure, [model.found.length]);
  const [first, last] = visible(scrolled, height, ROW_HEIGHT, model.found.length);
  const heads = [
    '',
    trans.__('Name'),
    trans.__('Formula'),
    trans.__('Space group'),
    <Figure key="R1" symbol="R1" />,
    trans.__('Files'),
    trans.__('Tags'),
    trans.__('Owner'),
    trans.__('Stored'),
    ''
  ];
  return (
    <div
      className="qcrbox-Store-rows"
      ref={box}
      onScroll={measure}
      role="grid"
      aria-rowcount={model.found.length + 1}
      aria-busy={model.loading}
    >
      <div className="qcrbox-Store-row qcrbox-Store-head" role="row" aria-rowindex={1}>
        {heads.map((head, number) => (
          <span key={number} role="columnheader">
            {head}
          </span>
        ))}
      </div>
      <div style={{ height: model.found.length * ROW_HEIGHT, position: 'relative' }} role="rowgroup">
        {model.found.slice(first, last).map((dataset, number) => (
          <Row
            key={dataset.qcrbox_dataset_id}
            dataset={dataset}
            place={first + number}
            model={model}
            actions={actions}
            trans={trans}
          />
        ))}
      </div>
      {!model.loading && model.found.length === 0 && (
        <div className="qcrbox-empty">{model.bin ? trans.__('The bin is empty.') : trans.__('Nothing matches.')}</div>
      )}
    </div>
  );
}

interface IRowProps extends IProps {
  dataset: IDataset;
  place: number;
  actions: IActions;
}

/** Places of cells in a row. */
const NAME = 0;
const SPACE_GROUP = 2;
const STORED = 7;

/** The title of a dataset, a button to rename it where it may be changed. */
function Name({ dataset, model, actions, trans }: Omit<IRowProps, 'place'>): JSX.Element {
  const title = (
    <>
      {isDoubtfulDataset(dataset) && <Doubt trans={trans} />}
      <Title {...datasetTitleParts(dataset)} />
    </>
  );
  if (model.bin || dataset.read_only) {
    return title;
  }
  const words = trans.__('Rename %1', rowOf(dataset).name);
  return (
    <button className="qcrbox-Store-name" title={words} aria-label={words} onClick={() => actions.rename(dataset)}>
      {title}
    </button>
  );
}

function Row({ dataset, place, model, actions, trans }: IRowProps): JSX.Element {
  const row = rowOf(dataset);
  const cells = [row.name, row.formula, row.spaceGroup, row.r1, row.files, row.tags, row.owner, row.stored];
  const chosen = model.chosen.has(row.id);
  const shown = (number: number, cell: string): React.ReactNode => {
    switch (number) {
      case NAME:
        return <Name dataset={dataset} model={model} actions={actions} trans={trans} />;
      case SPACE_GROUP:
        return cell && <SpaceGroup symbol={cell} />;
      case STORED:
        return <Moment iso={cell} />;
      default:
        return cell;
    }
  };
  return (
    <div
      className="qcrbox-Store-row"
      role="row"
      aria-rowindex={place + 2}
      aria-selected={chosen}
      data-dataset={row.id}
      style={{ position: 'absolute', top: place * ROW_HEIGHT, height: ROW_HEIGHT }}
    >
      <span role="gridcell">
        <input
          type="checkbox"
          checked={chosen}
          aria-label={trans.__('Choose %1', row.name)}
          onChange={event => model.choose(row.id, event.target.checked)}
          onKeyDown={event => walk(event)}
        />
      </span>
      {cells.map((cell, number) => (
        <span key={number} role="gridcell" title={number === STORED ? undefined : cell}>
          {shown(number, cell)}
        </span>
      ))}
      <span role="gridcell">
        {!model.bin && (
          <button
            className="qcrbox-small"
            aria-label={trans.__('Insert %1 into the notebook', row.name)}
            onClick={() => actions.use(dataset)}
          >
            {trans.__('Use')}
          </button>
        )}
      </span>
    </div>
  );
}

/** Up and down go from box to box. */
function walk(event: React.KeyboardEvent<HTMLInputElement>): void {
  const step = { ArrowDown: 'nextElementSibling', ArrowUp: 'previousElementSibling' }[event.key] as
    'nextElementSibling' | 'previousElementSibling' | undefined;
  const next = step && event.currentTarget.closest('[role="row"]')?.[step]?.querySelector('input');
  if (next) {
    event.preventDefault();
    next.focus();
  }
}
