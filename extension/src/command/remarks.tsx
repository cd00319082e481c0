import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { ICalculation } from '../registry/types';
import { isUnconverged } from './figures';

/** From here on a list may be higher than its place. */
const SCROLLED = 3;

/** What a calculation has to say: warnings, what was not applied as a list, notes folded. */
export function Remarks({ calculation, trans }: { calculation: ICalculation; trans: TranslationBundle }): JSX.Element {
  const warnings = calculation.warnings ?? [];
  const remarks = calculation.remarks ?? [];
  const notApplied = remarks.filter(each => each.kind === 'not_applied');
  const notes = remarks.filter(each => each.kind !== 'not_applied');
  return (
    <>
      {isUnconverged(calculation) && warnings.length === 0 && (
        <p className="qcrbox-Warning">⚠ {trans.__('Finished, but not converged. The result is kept.')}</p>
      )}
      {warnings.map(warning => (
        <p className="qcrbox-Warning" key={warning}>
          ⚠ {warning}
        </p>
      ))}
      {notApplied.length > 0 && (
        <div className="qcrbox-NotApplied">
          {trans.__('Not applied:')}
          <List texts={notApplied.map(each => each.text)} />
        </div>
      )}
      {notes.length > 0 && (
        <details className="qcrbox-Notes">
          <summary>{trans.__('Notes (%1)', notes.length)}</summary>
          <List texts={notes.map(each => each.text)} />
        </details>
      )}
    </>
  );
}

function List({ texts }: { texts: string[] }): JSX.Element {
  return (
    // A long list scrolls, also by keys.
    <ul tabIndex={texts.length > SCROLLED ? 0 : undefined}>
      {texts.map(text => (
        <li key={text}>{text}</li>
      ))}
    </ul>
  );
}
