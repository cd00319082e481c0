import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { isErrorLine } from './error_line';

/** As many lines are in the page; the whole log is in the notebook. */
const LINES = 5000;

interface ILogProps {
  text: string;
  trans: TranslationBundle;
}

/** What a program wrote: followed to its end, searched, or opened at the first error. */
export function Log({ text, trans }: ILogProps): JSX.Element {
  const view = React.useRef<HTMLPreElement>(null);
  const [search, setSearch] = React.useState('');
  const [follow, setFollow] = React.useState(true);
  const all = text.split('\n').slice(-LINES);
  const wanted = search.trim().toLowerCase();
  const lines = wanted ? all.filter(line => line.toLowerCase().includes(wanted)) : all;
  React.useEffect(() => {
    if (follow && view.current) {
      view.current.scrollTop = view.current.scrollHeight;
    }
  }, [text, follow, search]);
  const toFirstError = () => {
    setSearch('');
    setFollow(false);
    window.requestAnimationFrame(() => {
      const found = view.current?.querySelector<HTMLElement>('[data-error]');
      if (found && view.current) {
        view.current.scrollTop = found.offsetTop - view.current.offsetTop;
      }
    });
  };
  return (
    <div className="qcrbox-LogView">
      <div className="qcrbox-Log-tools">
        <input
          type="search"
          value={search}
          placeholder={trans.__('Search the log')}
          aria-label={trans.__('Search the log')}
          onChange={event => setSearch(event.target.value)}
        />
        <button className="qcrbox-small" disabled={!all.some(isErrorLine)} onClick={toFirstError}>
          {trans.__('First error')}
        </button>
        <label>
          <input type="checkbox" checked={follow} onChange={event => setFollow(event.target.checked)} />
          {trans.__('Follow')}
        </label>
      </div>
      <pre className="qcrbox-Log" ref={view} tabIndex={0} role="log" aria-live="off" aria-label={trans.__('Log')}>
        {lines.map((line, number) => (
          <div key={number} data-error={isErrorLine(line) || undefined}>
            {line || ' '}
          </div>
        ))}
        {wanted && lines.length === 0 && <div>{trans.__('No line matches.')}</div>}
      </pre>
    </div>
  );
}
