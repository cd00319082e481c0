import * as React from 'react';

import type { IPanelContext } from './context';

/** A switch for those who may see other people's work; it is off until they ask for it. */
export function Everybody({ context }: { context: IPanelContext }): JSX.Element | null {
  const { store, trans } = context;
  if (!store.maySeeOthers) {
    return null;
  }
  return (
    <label className="qcrbox-Everybody">
      <input
        type="checkbox"
        checked={store.everybody}
        onChange={event => void store.showEverybody(event.target.checked)}
      />
      {trans.__("Show everyone's work")}
    </label>
  );
}
