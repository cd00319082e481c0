import * as React from 'react';

import type { Connection } from '../registry/store';
import type { IPanelContext } from './context';

/** Says whether what is shown is live; silent words for a screen reader too. */
export function ConnectionBar({ context }: { context: IPanelContext }): JSX.Element {
  const { store, trans } = context;
  const texts: Record<Connection, string> = {
    connecting: trans.__('Connecting …'),
    live: trans.__('Live'),
    polling: trans.__('No live connection; checking every few seconds'),
    lost: trans.__('Connection lost. Running calculations continue; retrying …'),
    unconfigured: trans.__('This server is not part of a QCrBox platform.')
  };
  const signs: Record<Connection, string> = {
    connecting: '◌',
    live: '●',
    polling: '◐',
    lost: '○',
    unconfigured: '○'
  };
  return (
    <>
      <div className="qcrbox-Connection" role="status" data-connection={store.connection}>
        <span aria-hidden="true">{signs[store.connection]}</span>
        {texts[store.connection]}
        {store.connection !== 'unconfigured' && (
          <button className="qcrbox-small" onClick={() => void store.refresh()}>
            {trans.__('Refresh')}
          </button>
        )}
      </div>
      {store.problem && <div className="qcrbox-Error">{store.problem}</div>}
    </>
  );
}
