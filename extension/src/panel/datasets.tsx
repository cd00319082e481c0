import * as React from 'react';

import { ESTIMATE_TAG } from '../command/estimating';
import { CrystalFacts } from '../crystal_facts';
import { Doubt, isDoubtfulDataset } from '../doubt';
import { Title } from '../moment';
import type { IDataset } from '../registry/types';
import { datasetTitle, datasetTitleParts } from '../titles';
import type { IPanelContext } from './context';
import { Section } from './section';

/** More rows than this are found by searching: a panel is not a table. */
const SHOWN = 200;

/** One's datasets, and the examples that applications bring. */
export function Datasets({ context }: { context: IPanelContext }): JSX.Element {
  const { store, trans } = context;
  const [search, setSearch] = React.useState('');
  const text = search.trim().toLowerCase();
  const names = (each: IDataset) => [datasetTitle(each, store.calculations), ...Object.keys(each.data_files)];
  // What a form asked for itself is shown there.
  const estimates = new Set(
    store.calculations.filter(each => each.tags?.includes(ESTIMATE_TAG)).map(each => each.calculation_id)
  );
  const listed = store.datasets.filter(each => !estimates.has(each.calculation_id ?? ''));
  const found = listed.filter(each => !text || names(each).some(name => name.toLowerCase().includes(text)));
  return (
    <Section name="datasets" title={trans.__('Datasets')} count={listed.length}>
      <div className="qcrbox-Drop">
        {trans.__('Drop CIF and reflection files here')}
        <br />
        <button className="qcrbox-small" onClick={() => context.chooseFiles()}>
          {trans.__('Choose files …')}
        </button>{' '}
        <button className="qcrbox-small" onClick={() => context.openStore()}>
          {trans.__('Browse the store')}
        </button>
      </div>
      {listed.length > 8 && (
        <input
          className="qcrbox-Search"
          type="search"
          value={search}
          placeholder={trans.__('Find a dataset')}
          aria-label={trans.__('Find a dataset')}
          onChange={event => setSearch(event.target.value)}
        />
      )}
      <ul className="qcrbox-List">
        {found.slice(0, SHOWN).map(dataset => (
          <Dataset key={dataset.qcrbox_dataset_id} dataset={dataset} context={context} />
        ))}
      </ul>
      {found.length > SHOWN && (
        <div className="qcrbox-empty">{trans.__('%1 more: search for them.', found.length - SHOWN)}</div>
      )}
    </Section>
  );
}

function Dataset({ dataset, context }: { dataset: IDataset; context: IPanelContext }): JSX.Element {
  const { trans, store } = context;
  const [open, setOpen] = React.useState(false);
  const title = datasetTitle(dataset, store.calculations);
  const index = Object.values(dataset.data_files).find(file => file.index?.kind === 'structure')?.index;
  return (
    <li data-dataset={dataset.qcrbox_dataset_id}>
      <div className={open ? 'qcrbox-Row qcrbox-mod-open' : 'qcrbox-Row'}>
        <button className="qcrbox-Row-main" aria-expanded={open} onClick={() => setOpen(!open)}>
          <span className="qcrbox-Row-name qcrbox-mod-title" title={title}>
            {isDoubtfulDataset(dataset, store.calculations) && <Doubt trans={trans} />}
            <Title {...datasetTitleParts(dataset, store.calculations)} />
          </span>
          {store.everybody && !dataset.read_only && <span className="qcrbox-Row-note">{dataset.owner}</span>}
          {dataset.read_only && <span className="qcrbox-Row-note">{trans.__('example')}</span>}
        </button>
        <button
          className="qcrbox-small"
          aria-label={trans.__('Insert %1 into the notebook', title)}
          title={trans.__('Insert %1 into the notebook', title)}
          onClick={() => context.insertDataset(dataset)}
        >
          {trans.__('Use')}
        </button>
      </div>
      {open && (
        <div className="qcrbox-Detail">
          {dataset.description && <p>{dataset.description}</p>}
          {index && <CrystalFacts index={index} trans={trans} />}
          <ul>
            {Object.values(dataset.data_files).map(file => (
              <li key={file.qcrbox_file_id}>
                {file.filename}
                {file.size !== undefined && ` (${size(file.size)})`}
              </li>
            ))}
          </ul>
          <button className="qcrbox-small" onClick={() => context.runOn(dataset)}>
            {trans.__('Run …')}
          </button>{' '}
          <a className="qcrbox-small" href={store.client.downloadUrl(dataset.qcrbox_dataset_id)} download>
            {trans.__('Download')}
          </a>
        </div>
      )}
    </li>
  );
}

function size(bytes: number): string {
  if (bytes < 1024) {
    return `${bytes} B`;
  }
  const kib = bytes / 1024;
  return kib < 1024 ? `${kib.toFixed(0)} KiB` : `${(kib / 1024).toFixed(1)} MiB`;
}
