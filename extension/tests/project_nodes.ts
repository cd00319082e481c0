import type { IProjectNode } from '../src/registry/types';

/** A step of a project as the registry describes it: a calculation that came from nothing, unless `more` says otherwise. */
export const projectNode = (id: string, more: object = {}) =>
  ({
    id,
    parent: null,
    kind: 'calculation',
    category: 'refinement',
    title: id,
    note: '',
    pinned: false,
    newest: false,
    owner: 'ada',
    at: '2026-11-29T10:00:00Z',
    files: [],
    beside: [],
    dataset_id: `ds-${id}`,
    ...more
  }) as unknown as IProjectNode;
