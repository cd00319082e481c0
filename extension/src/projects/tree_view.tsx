import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { Moment } from '../moment';
import type { IProjectNode, State } from '../registry/types';
import { SIGNS, word } from '../states';
import type { ProjectsModel } from './model';
import { keyIn, rowsOf } from './tree';

/** State of a step as sign and, for readers of screens, as word; data have none. */
export function NodeState({ node, trans }: { node: IProjectNode; trans: TranslationBundle }): JSX.Element | null {
  if (!node.status) {
    return null;
  }
  const status = node.status as State;
  const words = !node.doubtful
    ? word(status, undefined, trans)
    : /not converged/i.test(node.verdict)
      ? trans.__('done, not converged')
      : trans.__('done, with warnings');
  return (
    <span className="qcrbox-State" data-state={status} data-doubtful={node.doubtful || undefined} title={words}>
      <span className="qcrbox-State-sign" role="img" aria-label={words}>
        {node.doubtful ? '⚠' : (SIGNS[status] ?? '?')}
      </span>
    </span>
  );
}

/** The kind of a step in one word. */
export function categoryWord(category: IProjectNode['category'], trans: TranslationBundle): string {
  return {
    data: trans.__('data'),
    model: trans.__('model'),
    refinement: trans.__('refinement'),
    session: trans.__('session'),
    surface: trans.__('surface'),
    report: trans.__('report'),
    calculation: trans.__('calculation')
  }[category];
}

/** What came out, unless the title says it: titles that were given by a person say what the person likes. */
export function verdictBeside({ title, verdict }: Pick<IProjectNode, 'title' | 'verdict'>): string {
  return verdict && !title.includes(verdict) ? verdict : '';
}

interface ITreeProps {
  model: ProjectsModel;
  actions: { open(node: IProjectNode): void };
  trans: TranslationBundle;
}

/** The history as a tree: walked with the arrow keys, a step is opened with Enter. */
export function Tree({ model, actions, trans }: ITreeProps): JSX.Element {
  const rows = rowsOf(model.tree?.nodes ?? [], model.folded);
  const list = React.useRef<HTMLUListElement>(null);
  const press = (event: React.KeyboardEvent) => {
    const node = model.node;
    if (event.key === 'Enter' && node) {
      event.preventDefault();
      actions.open(node);
      return;
    }
    const does = keyIn(rows, model.chosen, event.key, model.folded);
    if (!does) {
      return;
    }
    event.preventDefault();
    if (does.go) {
      model.choose(does.go);
      list.current?.querySelector<HTMLElement>(`[data-node="${does.go}"]`)?.focus();
    } else if (does.fold ?? does.unfold) {
      model.fold((does.fold ?? does.unfold) as string, does.fold !== undefined);
    }
  };
  return (
    <ul className="qcrbox-Tree" role="tree" aria-label={trans.__('History')} ref={list} onKeyDown={press}>
      {rows.map(({ node, guide, level, hasChildren }) => (
        <li
          key={node.id}
          role="treeitem"
          data-node={node.id}
          aria-level={level}
          aria-selected={node.id === model.chosen}
          aria-expanded={hasChildren ? !model.folded.has(node.id) : undefined}
          tabIndex={node.id === model.chosen ? 0 : -1}
          onClick={() => model.choose(node.id)}
          onDoubleClick={() => actions.open(node)}
        >
          <span className="qcrbox-Tree-guide" aria-hidden="true">
            {guide}
          </span>
          <NodeState node={node} trans={trans} />
          <span className={node.newest ? 'qcrbox-Tree-title qcrbox-mod-newest' : 'qcrbox-Tree-title'}>
            {node.title}
            {node.note && <small className="qcrbox-Tree-note">{node.note}</small>}
          </span>
          {model.folded.has(node.id) && <span className="qcrbox-Chip">…</span>}
          {node.newest && <span className="qcrbox-Chip">{trans.__('newest model')}</span>}
          {node.pinned && <span title={trans.__('pinned')}>★</span>}
          {model.everybody && <span className="qcrbox-Tree-when">{node.owner}</span>}
          <span className="qcrbox-Tree-when">
            {[verdictBeside(node), categoryWord(node.category, trans)].filter(Boolean).join(' · ')} ·{' '}
            <Moment iso={node.at} />
          </span>
        </li>
      ))}
    </ul>
  );
}
