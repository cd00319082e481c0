import * as React from 'react';

import { CommandName } from '../command_name';
import { StepChooser, structureCommands } from '../offers';
import type { IProjectNode } from '../registry/types';
import type { IProjectProps } from './view';
import { categoryWord } from './tree_view';

/** The chosen step: its picture, what it was made with, and what can be done from here. */
export function NodeDetail(props: IProjectProps & { node: IProjectNode }): JSX.Element {
  const { node, model, store, actions, trans } = props;
  const [isBroken, setBroken] = React.useState(false);
  React.useEffect(() => setBroken(false), [node.structure]);
  const beside = node.beside.map(id => model.tree?.nodes.find(each => each.id === id)?.title).filter(Boolean);
  return (
    <aside className="qcrbox-Projects-detail" aria-label={trans.__('The chosen step')}>
      <h3>{node.title}</h3>
      {node.structure && !isBroken && (
        <img
          src={store.client.pictureUrl(node.structure)}
          alt={trans.__('Displacement ellipsoids of %1', node.title)}
          onError={() => setBroken(true)}
        />
      )}
      <dl>
        <dt>{trans.__('Kind')}</dt>
        <dd>{categoryWord(node.category, trans)}</dd>
        {node.command && (
          <>
            <dt>{trans.__('Command')}</dt>
            <dd>
              <NodeCommand command={node.command} store={store} />
            </dd>
          </>
        )}
        {node.verdict && (
          <>
            <dt>{trans.__('Verdict')}</dt>
            <dd>{node.verdict}</dd>
          </>
        )}
        {beside.length > 0 && (
          <>
            <dt>{trans.__('Used with')}</dt>
            <dd>{beside.join(', ')}</dd>
          </>
        )}
        <dt>{trans.__('Files')}</dt>
        <dd>{node.files.map(file => file.filename).join(', ') || trans.__('none')}</dd>
        <dt>{trans.__('Note')}</dt>
        <dd>{node.note || '–'}</dd>
      </dl>
      <div className="qcrbox-Detail-buttons">
        <button className="qcrbox-primary" onClick={() => actions.open(node)}>
          {trans.__('Open')}
        </button>
        <button
          className="qcrbox-small"
          aria-pressed={node.pinned}
          onClick={() =>
            void model.annotate(
              node,
              { pinned: !node.pinned },
              node.pinned ? trans.__('%1 unpinned', node.title) : trans.__('%1 pinned', node.title)
            )
          }
        >
          {node.pinned ? trans.__('Unpin') : trans.__('Pin')}
        </button>
        <button className="qcrbox-small" onClick={() => actions.note(node)}>
          {trans.__('Note …')}
        </button>
        <button className="qcrbox-small" onClick={() => actions.rename(node)}>
          {trans.__('Rename …')}
        </button>
        {node.kind === 'dataset' && (
          <button className="qcrbox-small" onClick={() => actions.move(node)}>
            {trans.__('Move to another project …')}
          </button>
        )}
        {node.dataset_id && (
          <button
            className="qcrbox-small"
            onClick={() => void model.bin(node, trans.__('files of %1 put into the bin', node.title))}
          >
            {trans.__('Put the files into the bin')}
          </button>
        )}
      </div>
      {node.structure && <StartHere {...props} />}
    </aside>
  );
}

/** "refine.refine_iam", as its command is called where it is registered. */
function NodeCommand({ command, store }: Pick<IProjectProps, 'store'> & { command: string }): JSX.Element {
  const [slug = '', name = ''] = [command.slice(0, command.indexOf('.')), command.slice(command.indexOf('.') + 1)];
  const known = store.applications.find(each => each.slug === slug)?.commands.find(each => each.name === name);
  return <CommandName slug={slug} command={known ?? { name }} />;
}

/** The next step with this model; a new branch when a step exists already. */
function StartHere({ node, store, actions, trans }: IProjectProps & { node: IProjectNode }): JSX.Element {
  return (
    <StepChooser
      label={trans.__('Start from here')}
      act={trans.__('Start from here …')}
      offers={structureCommands(store.applications)}
      usual={node.command}
      start={({ application, command }) => actions.start(node, application.slug, command.name)}
      trans={trans}
    />
  );
}
