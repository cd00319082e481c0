import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { ESTIMATE_TAG } from '../command/estimating';
import { Failure } from '../command/failure';
import { inWords, isDoubtful, isUnconverged } from '../command/figures';
import { Remarks } from '../command/remarks';
import { commandOf, RunAgain } from '../command/repeating';
import { CommandName } from '../command_name';
import { Moment, Title } from '../moment';
import { FINAL, type ICalculation } from '../registry/types';
import { SIGNS, word } from '../states';
import { calculationTitle, calculationTitleParts } from '../titles';
import { Figure } from '../typeset';
import type { IPanelContext } from './context';
import { Log } from './log';
import { useLog } from './program_output';
import { queueWords } from './queue';
import { Section } from './section';

const SHOWN = 100;

/** State as sign, word and colour; a result with warnings is amber and says why. */
export function StateMark(props: { calculation: ICalculation; trans: TranslationBundle }): JSX.Element {
  const { calculation, trans } = props;
  const { status, step } = calculation;
  const doubt = isUnconverged(calculation) ? trans.__('not converged') : trans.__('with warnings');
  const isAmber = isDoubtful(calculation);
  return (
    <span className="qcrbox-State" data-state={status} data-doubtful={isAmber || undefined}>
      <span className="qcrbox-State-sign" aria-hidden="true">
        {isAmber ? '⚠' : (SIGNS[status] ?? '?')}
      </span>
      {word(status, step, trans)}
      {isAmber && `, ${doubt}`}
    </span>
  );
}

/** The place in the queue while it waits, else the state: one of the two, since both say "queued". */
export function StateOrPlace(props: { calculation: ICalculation; trans: TranslationBundle }): JSX.Element {
  const { calculation, trans } = props;
  const place = queueWords(calculation, trans);
  if (!place) {
    return <StateMark {...props} />;
  }
  return (
    <span className="qcrbox-State" data-state={calculation.status}>
      <span className="qcrbox-State-sign" aria-hidden="true">
        {SIGNS[calculation.status]}
      </span>
      {place}
    </span>
  );
}

/** All my calculations, newest first, live. */
export function Calculations({ context }: { context: IPanelContext }): JSX.Element {
  const { store, trans } = context;
  const [chosen, choose] = React.useState('');
  // A form shows its estimates itself.
  const listed = store.calculations.filter(each => !each.tags?.includes(ESTIMATE_TAG));
  return (
    <Section name="calculations" title={trans.__('Calculations')} count={listed.length}>
      {listed.length === 0 && (
        <div className="qcrbox-empty">
          {trans.__('None yet. Run a command from Applications below, or refine a file from the file browser.')}
        </div>
      )}
      <ul className="qcrbox-List">
        {listed.slice(0, SHOWN).map(calculation => {
          const id = calculation.calculation_id;
          const open = chosen === id;
          return (
            <li key={id} data-calculation={id}>
              <div className={open ? 'qcrbox-Row qcrbox-mod-open' : 'qcrbox-Row'}>
                <button className="qcrbox-Row-main" aria-expanded={open} onClick={() => choose(open ? '' : id)}>
                  <span className="qcrbox-Row-name qcrbox-mod-title" title={calculationTitle(calculation)}>
                    <Title {...calculationTitleParts(calculation)} />
                  </span>
                  {store.everybody && <span className="qcrbox-Row-note">{calculation.owner}</span>}
                  <span className="qcrbox-Row-note">
                    <StateMark calculation={calculation} trans={trans} />
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
  const { store, trans } = context;
  const over = FINAL.has(calculation.status);
  const { text: log, problem } = useLog(calculation, store);
  const progress = calculation.progress;
  const figures = Object.entries(progress?.metrics ?? {}).map(([name, value]) => inWords(name, value));
  const queue = queueWords(calculation, trans);
  const named = commandOf(calculation, store.applications)?.command ?? { name: calculation.command_name };
  return (
    <div className="qcrbox-Detail">
      <dl>
        <dt>{trans.__('Command')}</dt>
        <dd>
          <CommandName slug={calculation.application_slug} command={named} />, {calculation.application_version}
        </dd>
        <dt>{trans.__('Submitted')}</dt>
        <dd>
          <Moment iso={calculation.submitted_at} />
        </dd>
        {calculation.finished_at && (
          <>
            <dt>{trans.__('Took')}</dt>
            <dd>{duration(calculation)}</dd>
          </>
        )}
        {figures.map(([label, text]) => (
          <React.Fragment key={label}>
            <dt>
              <Figure symbol={label} />
            </dt>
            <dd>{text}</dd>
          </React.Fragment>
        ))}
      </dl>
      {!over && typeof progress?.fraction === 'number' && (
        <progress className="qcrbox-Progress" max={1} value={progress.fraction} aria-label={trans.__('Progress')} />
      )}
      {queue && <div data-queue="">{queue}</div>}
      {!over && progress?.text && <div>{progress.text}</div>}
      <Failure text={calculation.error_msg} status={calculation.status} trans={trans} />
      <Remarks calculation={calculation} trans={trans} />
      <div className="qcrbox-Detail-buttons">
        {!over && (
          <button className="qcrbox-small" onClick={() => void context.cancel(calculation)}>
            {trans.__('Cancel')}
          </button>
        )}
        <RunAgain calculation={calculation} store={store} repeat={context.repeat} trans={trans} />
        <button className="qcrbox-small" onClick={() => context.openResult(calculation.calculation_id)}>
          {trans.__('Open')}
        </button>
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

function duration(calculation: ICalculation): string {
  const from = Date.parse(calculation.started_at ?? calculation.submitted_at ?? '');
  const to = Date.parse(calculation.finished_at ?? '');
  const seconds = (to - from) / 1000;
  if (!Number.isFinite(seconds)) {
    return '';
  }
  return seconds < 90 ? `${seconds.toFixed(1)} s` : `${(seconds / 60).toFixed(1)} min`;
}
