import * as React from 'react';

import { commandCall, CommandName, commandPhrase } from '../command_name';
import { NotInstalled } from '../offers';
import type { IApplication, ICommand } from '../registry/types';
import type { IPanelContext } from './context';
import { Section } from './section';

function matches(text: string, application: IApplication, command?: ICommand): boolean {
  const phrase = command && commandPhrase(command);
  const all = [
    application.name,
    application.slug,
    application.description,
    command?.name,
    phrase,
    command?.description
  ];
  return all.some(each => each?.toLowerCase().includes(text));
}

/** The catalogue: applications and their commands, found by need. */
export function Applications({ context }: { context: IPanelContext }): JSX.Element {
  const { store, trans } = context;
  const [search, setSearch] = React.useState('');
  const text = search.trim().toLowerCase();
  const found = store.applications
    .map(application => ({
      application,
      commands: application.commands.filter(command => !text || matches(text, application, command))
    }))
    .filter(({ application, commands }) => commands.length > 0 || (text && matches(text, application)) || !text);
  return (
    <Section name="applications" title={trans.__('Applications')} count={store.applications.length}>
      {store.applications.length > 3 && (
        <input
          className="qcrbox-Search"
          type="search"
          value={search}
          placeholder={trans.__('Find a program or a command')}
          aria-label={trans.__('Find a program or a command')}
          onChange={event => setSearch(event.target.value)}
        />
      )}
      {found.length === 0 && (
        <div className="qcrbox-empty">
          {text ? trans.__('Nothing matches.') : trans.__('No application is registered yet.')}
        </div>
      )}
      <ul className="qcrbox-List">
        {found.map(({ application, commands }) => (
          <Application
            key={`${application.slug}@${application.version}`}
            application={application}
            commands={commands}
            forceOpen={text !== ''}
            context={context}
          />
        ))}
      </ul>
    </Section>
  );
}

interface IApplicationProps {
  application: IApplication;
  commands: ICommand[];
  forceOpen: boolean;
  context: IPanelContext;
}

function Application({ application, commands, forceOpen, context }: IApplicationProps): JSX.Element {
  const { trans } = context;
  const [open, setOpen] = React.useState(false);
  const shown = open || forceOpen;
  return (
    <li data-application={application.slug}>
      <div className="qcrbox-Row">
        <button
          className="qcrbox-Row-main"
          aria-expanded={shown}
          title={application.description ?? ''}
          onClick={() => setOpen(!open)}
        >
          <span className="qcrbox-Row-name">{application.name}</span>
          <NotInstalled text={application.missing} trans={trans} />
          <span className="qcrbox-Row-note">{application.version}</span>
        </button>
      </div>
      {shown && application.missing && <div className="qcrbox-Error">{application.missing}</div>}
      {shown && (
        <ul className="qcrbox-List qcrbox-Commands">
          {commands.map(command => (
            <li className="qcrbox-Row" key={command.id} data-command={command.name}>
              <span
                className="qcrbox-Row-name"
                title={`${commandCall(application.slug, command.name)}: ${command.description}`}
              >
                <CommandName slug={application.slug} command={command} />
              </span>
              {!application.missing && <NotInstalled text={command.missing} trans={trans} />}
              {!command.missing && command.implemented_as === 'interactive_session' && (
                <button
                  className="qcrbox-small"
                  aria-label={trans.__('Open %1 in a tab', application.name)}
                  onClick={() => context.startSession(application, command)}
                >
                  {trans.__('Open …')}
                </button>
              )}
              {!command.missing && !command.interactive && (
                <button
                  className="qcrbox-small"
                  aria-label={trans.__('Run %1 …', commandPhrase(command))}
                  onClick={() => context.runCommand(application, command)}
                >
                  {trans.__('Run …')}
                </button>
              )}
              {!command.missing && (
                <button
                  className="qcrbox-small qcrbox-Row-note"
                  title={trans.__('Insert a call of %1 into the notebook', commandPhrase(command))}
                  aria-label={trans.__('Insert a call of %1 into the notebook', commandPhrase(command))}
                  onClick={() => context.insertCommand(application, command)}
                >
                  {trans.__('Insert code')}
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}
