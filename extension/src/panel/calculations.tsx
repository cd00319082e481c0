import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { FINAL, type ICalculation, type State } from '../registry/types';
import { SIGNS, word } from '../states';
import { calculationTitle } from '../titles';
import type { IPanelContext } from './context';
import { Log } from './log';
import { queueWords } from './queue';
import { Section } from './section';

const SHOWN = 100;

export function StateMark(props: { state: State; step?: string; trans: TranslationBundle }): JSX.Element {
  return (
    <span className="qcrbox-State" data-state={props.state}>
      <span className="qcrbox-State-sign" aria-hidden="true">
        {SIGNS[props.state] ?? '?'}
      </span>
      {word(props.state, props.step, props.trans)}
    </span>
  );
}

/** All my calculations, newest first, live. */
export function Calculations({ context }: { context: IPanelContext }): JSX.Element {
  const { store, trans } = context;
  const [chosen, choose] = React.useState('');
  return (
    <Section title={trans.__('Calculations')} count={store.calculations.length}>
      {store.calculations.length === 0 && (
        <div className="qcrbox-empty">{trans.__('None yet. Start one from a notebook.')}</div>
      )}
      <ul className="qcrbox-List">
        {store.calculations.slice(0, SHOWN).map(calculation => {
          const id = calculation.calculation_id;
          const open = chosen === id;
          return (
            <li key={id} data-calculation={id}>
              <div className={open ? 'qcrbox-Row qcrbox-mod-open' : 'qcrbox-Row'}>
                <button className="qcrbox-Row-main" aria-expanded={open} onClick={() => choose(open ? '' : id)}>
                  <span className="qcrbox-Row-name qcrbox-mod-title" title={calculationTitle(calculation)}>
                    {calculationTitle(calculation)}
                  </span>
                  <span className="qcrbox-Row-note">
                    <StateMark state={calculation.status} step={calculation.step} trans={trans} />
                  </span>
                </button>
              </div>
              {open && <Detail calculation={calculation} context={context} />}
            </li>
          );
        })}
      </ul>
    </Section>
  );
}

interface IDetailProps {
  calculation: ICalculation;
  context: IPanelContext;
}

/** State, times, progress, log, and what can be done. */
function Detail({ calculation, context }: IDetailProps): JSX.Element {
  const { trans } = context;
  const over = FINAL.has(calculation.status);
  const { text: log, problem } = useLog(calculation, context);
  const progress = calculation.progress;
  const metrics = Object.entries(progress?.metrics ?? {});
  const queue = queueWords(calculation, trans);
  return (
    <div className="qcrbox-Detail">
      <dl>
        <dt>{trans.__('Command')}</dt>
        <dd>
          {calculation.application_slug} {calculation.application_version}, {calculation.command_name}
        </dd>
        <dt>{trans.__('Submitted')}</dt>
        <dd>{time(calculation.submitted_at)}</dd>
        {calculation.finished_at && (
          <>
            <dt>{trans.__('Took')}</dt>
            <dd>{duration(calculation)}</dd>
          </>
        )}
        {metrics.map(([name, value]) => (
          <React.Fragment key={name}>
            <dt>{name}</dt>
            <dd>{Number.isInteger(value) ? value : value.toPrecision(4)}</dd>
          </React.Fragment>
        ))}
      </dl>
      {!over && typeof progress?.fraction === 'number' && (
        <progress className="qcrbox-Progress" max={1} value={progress.fraction} aria-label={trans.__('Progress')} />
      )}
      {queue && <div data-queue="">{queue}</div>}
      {!over && progress?.text && <div>{progress.text}</div>}
      {calculation.error_msg && <div className="qcrbox-Error">{calculation.error_msg}</div>}
      {(calculation.warnings ?? []).map(warning => (
        <div key={warning}>⚠ {warning}</div>
      ))}
      <div className="qcrbox-Detail-buttons">
        {!over && (
          <button className="qcrbox-small" onClick={() => void context.cancel(calculation)}>
            {trans.__('Cancel')}
          </button>
        )}
        <button className="qcrbox-small" onClick={() => void context.rename(calculation)}>
          {trans.__('Rename …')}
        </button>
        <button className="qcrbox-small" onClick={() => context.insertResult(calculation)}>
          {trans.__('Insert code')}
        </button>
      </div>
      {problem && <div className="qcrbox-Error">{problem}</div>}
      {log && <Log text={log} trans={trans} />}
    </div>
  );
}

/** The program's output, read again whenever the calculation moved on. */
function useLog(calculation: ICalculation, context: IPanelContext): { text: string; problem: string } {
  const [found, setFound] = React.useState({ text: '', problem: '' });
  const id = calculation.calculation_id;
  const moved = `${calculation.status}/${calculation.step}/${calculation.status_events.length}/${calculation.heard ?? 0}`;
  React.useEffect(() => {
    let current = true;
    context.store.client
      .calculation(id)
      .then(whole => current && setFound({ text: whole ? tail(whole) : '', problem: '' }))
      .catch((error: Error) => current && setFound({ text: '', problem: error.message }));
    return () => {
      current = false;
    };
  }, [id, moved]);
  return found;
}

function tail(calculation: ICalculation): string {
  const last = calculation.status_events[calculation.status_events.length - 1];
  const text = [last?.stdout, last?.stderr].filter(Boolean).join('\n');
  // Escape sequences colour a terminal; here they would be noise.
  // eslint-disable-next-line no-control-regex
  const plain = text.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, '');
  return plain.trim();
}

function time(iso: string | null | undefined): string {
  return iso ? new Date(iso).toLocaleString() : '';
}

function duration(calculation: ICalculation): string {
  const from = Date.parse(calculation.started_at ?? calculation.submitted_at ?? '');
  const to = Date.parse(calculation.finished_at ?? '');
  const seconds = (to - from) / 1000;
  if (!Number.isFinite(seconds)) {
    return '';
  }
  return seconds < 90 ? `${seconds.toFixed(1)} s` : `${(seconds / 60).toFixed(1)} min`;
}
