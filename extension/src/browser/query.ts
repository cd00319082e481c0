import type { IDataset } from '../registry/types';
import { datasetTitle } from '../titles';

/** What a person filled in; empty fields do not count. */
export interface IFacets {
  text: string;
  tag: string;
  owner: string;
  formula: string;
  elements: string;
  spaceGroup: string;
  cell: string;
  tolerance: string;
  r1Below: string;
}

export const NO_FACETS: IFacets = {
  text: '',
  tag: '',
  owner: '',
  formula: '',
  elements: '',
  spaceGroup: '',
  cell: '',
  tolerance: '',
  r1Below: ''
};

/** The registry's names of the facets. */
const NAMES: Record<keyof IFacets, string> = {
  text: 'text',
  tag: 'tag',
  owner: 'owner',
  formula: 'formula',
  elements: 'elements',
  spaceGroup: 'space_group',
  cell: 'cell',
  tolerance: 'tolerance',
  r1Below: 'r1_below'
};

/** Path of one page of what fits; of the bin, which is not searched, all. */
export function pathOf(facets: IFacets, bin: boolean, after: string, limit: number, mine = true): string {
  const query = new URLSearchParams({ limit: String(limit), mine: String(mine) });
  if (after) {
    query.set('after', after);
  }
  if (bin) {
    query.set('deleted', 'true');
    return `datasets?${query.toString()}`;
  }
  for (const [name, key] of Object.entries(NAMES) as [keyof IFacets, string][]) {
    const value = facets[name].trim();
    // A tolerance alone says nothing: it is that of a cell, and is given in per cent here.
    if (!value || (name === 'tolerance' && !facets.cell.trim())) {
      continue;
    }
    query.set(key, asked(name, value));
  }
  return `search?${query.toString()}`;
}

/** A facet as the registry takes it. What is no number goes on as it was typed: the registry says what is wrong. */
function asked(name: keyof IFacets, value: string): string {
  if (name === 'cell') {
    return numbers(value);
  }
  if (name !== 'tolerance' && name !== 'r1Below') {
    return value;
  }
  const number = Number(value.replace(',', '.'));
  return Number.isNaN(number) ? value : String(name === 'tolerance' ? number / 100 : number);
}

/** Six numbers, however they are separated; s.u. in brackets are left out. */
function numbers(text: string): string {
  return text
    .replace(/\(\d+\)/g, '')
    .split(/[\s,;]+/)
    .filter(Boolean)
    .join(',');
}

export interface IRow {
  id: string;
  name: string;
  formula: string;
  spaceGroup: string;
  r1: string;
  files: string;
  tags: string;
  owner: string;
  /** ISO 8601. */
  stored: string;
  readOnly: boolean;
}

export function rowOf(dataset: IDataset): IRow {
  const index = Object.values(dataset.data_files).find(file => file.index?.kind === 'structure')?.index;
  return {
    id: dataset.qcrbox_dataset_id,
    name: datasetTitle(dataset),
    formula: index?.formula_sum ?? '',
    spaceGroup: index?.space_group_hm ?? '',
    r1: typeof index?.r1 === 'number' ? index.r1.toFixed(4) : '',
    files: Object.keys(dataset.data_files).join(', '),
    tags: (dataset.tags ?? []).join(', '),
    owner: dataset.owner ?? '',
    stored: dataset.created_at ?? '',
    readOnly: dataset.read_only ?? false
  };
}

/** Which rows a window of this height shows, with some more on both sides. */
export function visible(scrolled: number, height: number, rowHeight: number, count: number): [number, number] {
  const first = Math.max(0, Math.floor(scrolled / rowHeight) - 5);
  return [first, Math.min(count, Math.ceil((scrolled + height) / rowHeight) + 5)];
}
