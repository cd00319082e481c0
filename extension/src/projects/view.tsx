import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { RegistryStore } from '../registry/store';
import type { IProject, IProjectNode } from '../registry/types';
import { Moment } from '../moment';
import { SpaceGroup } from '../typeset';
import { cellWords } from '../cell_words';
import { NodeDetail } from './detail';
import type { ProjectsModel } from './model';
import { NodeState, Tree } from './tree_view';

/** What can be done with a project or a node of it outside this view. */
export interface IProjectActions {
  newProject(): void;
  open(node: IProjectNode): void;
  start(node: IProjectNode, application: string, command: string): void;
  rename(node: IProjectNode): void;
  note(node: IProjectNode): void;
  move(node: IProjectNode): void;
}

export interface IProjectProps {
  model: ProjectsModel;
  store: RegistryStore;
  actions: IProjectActions;
  trans: TranslationBundle;
}

/** Each structure with its history: one search over all, the tree of the one that is open. */
export class ProjectsView extends ReactWidget {
  constructor(private readonly props: IProjectProps) {
    super();
    this.addClass('qcrbox-Projects');
  }

  get model(): ProjectsModel {
    return this.props.model;
  }

  protected render(): JSX.Element {
    const { model, trans } = this.props;
    return (
      <UseSignal signal={model.changed}>
        {() => (
          <>
            <Search {...this.props} />
            {model.problem && (
              <div className="qcrbox-Error" role="alert">
                {model.problem}
              </div>
            )}
            <div className="qcrbox-Projects-body">
              <List {...this.props} />
              {model.tree ? (
                <Opened {...this.props} />
              ) : (
                <p className="qcrbox-empty">{trans.__('Choose a project to see its history.')}</p>
              )}
            </div>
          </>
        )}
      </UseSignal>
    );
  }
}

function Search({ model, store, actions, trans }: IProjectProps): JSX.Element {
  return (
    <div className="qcrbox-Projects-search" role="search" aria-label={trans.__('Search projects')}>
      <input
        type="search"
        value={model.text}
        aria-label={trans.__('Search projects')}
        placeholder={trans.__('Title, file, formula, cell, command or note')}
        onChange={event => model.setText(event.target.value)}
      />
      {store.maySeeOthers && (
        <label>
          <input
            type="checkbox"
            checked={model.everybody}
            onChange={event => void model.showEverybody(event.target.checked)}
          />
          {trans.__("Show everyone's work")}
        </label>
      )}
      <button className="qcrbox-small" onClick={() => actions.newProject()}>
        {trans.__('New project from files …')}
      </button>
      {model.lastChange && (
        <button className="qcrbox-small" onClick={() => void model.undo()}>
          {trans.__('Undo: %1', model.lastChange)}
        </button>
      )}
      <span role="status">
        {model.loading ? trans.__('Searching …') : trans._n('%1 project', '%1 projects', model.total)}
        {model.truncated && ` ${trans.__('The oldest calculations or datasets are left out.')}`}
      </span>
    </div>
  );
}

function List(props: IProjectProps): JSX.Element {
  const { model, actions, trans } = props;
  return (
    <nav className="qcrbox-Projects-list" aria-label={trans.__('Projects')}>
      {!model.loading && model.found.length === 0 && (
        <div className="qcrbox-empty">
          <p>{model.text ? trans.__('Nothing matches.') : trans.__('No project yet: it begins with your files.')}</p>
          {!model.text && (
            <button className="qcrbox-primary" onClick={() => actions.newProject()}>
              {trans.__('New project from files …')}
            </button>
          )}
        </div>
      )}
      <ul className="qcrbox-List">
        {model.found.map(project => (
          <li key={project.id} data-project={project.id}>
            <Entry project={project} {...props} />
          </li>
        ))}
      </ul>
      {model.next && (
        <button className="qcrbox-small" disabled={model.loading} onClick={() => void model.more()}>
          {trans.__('Show more: %1 of %2', model.found.length, model.total)}
        </button>
      )}
    </nav>
  );
}

function Entry({ project, model, trans }: IProjectProps & { project: IProject }): JSX.Element {
  const isOpen = model.project?.id === project.id;
  const { newest } = project;
  return (
    <>
      <button
        className={isOpen ? 'qcrbox-Projects-entry qcrbox-mod-open' : 'qcrbox-Projects-entry'}
        aria-current={isOpen || undefined}
        onClick={() => void model.open(project.id)}
      >
        <strong>
          {project.pinned && <span title={trans.__('pinned')}>★ </span>}
          {project.name || trans.__('without a name')}
        </strong>
        <span className="qcrbox-Projects-facts">
          {project.formula}
          {project.formula && project.space_group && ' · '}
          {project.space_group && <SpaceGroup symbol={project.space_group} />}
        </span>
        <span className="qcrbox-Projects-facts">
          {newest?.verdict && <NodeState node={newest} trans={trans} />} {newest?.verdict}
          {project.running > 0 && ` ${trans.__('%1 running', project.running)}`}
          {model.everybody && ` · ${project.owner}`}
          {(newest?.verdict || project.running > 0 || model.everybody) && ' · '}
          <Moment iso={project.changed_at} />
        </span>
      </button>
      {project.hits.length > 0 && (
        <ul className="qcrbox-Projects-hits">
          {project.hits.slice(0, 8).map(hit => (
            <li key={hit.id}>
              <button onClick={() => void model.open(project.id, hit.id)}>
                <NodeState node={hit} trans={trans} /> {hit.title}
              </button>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function Opened(props: IProjectProps): JSX.Element {
  const { model, trans } = props;
  const project = model.project as IProject;
  const root = model.tree?.nodes.find(each => each.id === project.id.split('@')[0]);
  const cell = cellWords(project);
  return (
    <section className="qcrbox-Projects-open" aria-label={project.name}>
      <h2>{project.name}</h2>
      <p>
        {project.formula}
        {project.formula && project.space_group && ' · '}
        {project.space_group && <SpaceGroup symbol={project.space_group} />}
        {cell && ` · ${cell}`}
      </p>
      <p>
        {project.note || <em>{trans.__('No note.')}</em>}{' '}
        {root && (
          <button className="qcrbox-small" onClick={() => props.actions.note(root)}>
            {trans.__('Edit the note …')}
          </button>
        )}
      </p>
      <div className="qcrbox-Projects-columns">
        <Tree model={model} actions={props.actions} trans={trans} />
        {model.node && <NodeDetail {...props} node={model.node} />}
      </div>
    </section>
  );
}
