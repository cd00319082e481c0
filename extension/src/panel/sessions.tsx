import * as React from 'react';

import type { ISession } from '../registry/types';
import { PHASE_SIGNS, phaseOf } from '../session/phase';
import { phaseWord, titleOf } from '../session/words';
import type { IPanelContext } from './context';
import { Section } from './section';

/** Programs whose window is open somewhere, or on its way; the way back to each. */
export function Sessions({ context }: { context: IPanelContext }): JSX.Element | null {
  const { store, trans } = context;
  if (store.sessions.length === 0) {
    return null;
  }
  return (
    <Section name="sessions" title={trans.__('Sessions')} count={store.sessions.length}>
      <ul className="qcrbox-List">
        {store.sessions.map(session => (
          <Session key={session.session_id} session={session} context={context} />
        ))}
      </ul>
    </Section>
  );
}

function Session({ session, context }: { session: ISession; context: IPanelContext }): JSX.Element {
  const { trans } = context;
  const phase = phaseOf(session, 'connected');
  const word = phase === 'connected' ? trans.__('open') : phaseWord(phase, trans);
  const me = context.store.me?.name;
  const isOthers = !!session.owner && !!me && session.owner !== me;
  const title = titleOf(session, context.store.applications, trans);
  return (
    <li className="qcrbox-Row" data-session={session.session_id}>
      <span className="qcrbox-Row-name" title={session.owner}>
        {title}
        {isOthers && <small> · {session.owner}</small>}
      </span>
      <span className="qcrbox-Row-note qcrbox-Phase" data-phase={phase}>
        {PHASE_SIGNS[phase]} {word}
      </span>
      <button
        className="qcrbox-small"
        aria-label={trans.__('Open the window of %1', title)}
        onClick={() => context.openSession(session)}
      >
        {trans.__('Open')}
      </button>
    </li>
  );
}
