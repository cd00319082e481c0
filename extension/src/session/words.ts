import type { TranslationBundle } from '@jupyterlab/translation';

import type { IApplication, ISession } from '../registry/types';
import { word } from '../states';
import type { Phase } from './phase';

export function phaseWord(phase: Phase, trans: TranslationBundle): string {
  const words: Record<Phase, string> = {
    loading: trans.__('loading'),
    starting: trans.__('starting'),
    connecting: trans.__('connecting'),
    connected: trans.__('connected'),
    reconnecting: trans.__('reconnecting'),
    refused: trans.__('no picture'),
    'program-ended': trans.__('program closed'),
    finishing: trans.__('finishing'),
    finished: trans.__('finished'),
    discarded: trans.__('discarded'),
    failed: trans.__('failed'),
    missing: trans.__('not found')
  };
  return words[phase];
}

/** What a person should know beyond the word: a reason, or what to do next. */
export function phaseText(
  phase: Phase,
  session: ISession | undefined | null,
  linkReason: string,
  trans: TranslationBundle
): string {
  const reason = session?.reason ?? '';
  switch (phase) {
    case 'starting': {
      const step = session ? word(session.status, session.step, trans) : '';
      return reason || (step ? trans.__('The program is being started: %1.', step) : '');
    }
    case 'connecting':
      return trans.__('Loading the window …');
    case 'reconnecting':
      return trans.__('Connection lost; the program keeps running. Reconnecting …');
    case 'refused':
      return linkReason || trans.__('The window cannot be shown.');
    case 'program-ended':
      return trans.__('The program was closed. Finish and keep what was saved in it, or discard it.');
    case 'finishing':
      return trans.__('Storing the changes …');
    case 'finished':
      return reason;
    case 'discarded':
      return reason || trans.__('Nothing was stored.');
    case 'failed':
      return reason || trans.__('See the log in the list of calculations.');
    case 'missing':
      return trans.__('There is no such session, or it is not yours.');
    default:
      return '';
  }
}

/** Time in the words of a clock on the wall. */
export function minutes(seconds: number, trans: TranslationBundle): string {
  if (seconds < 90) {
    return trans._n('%1 second', '%1 seconds', Math.round(seconds));
  }
  if (seconds < 5400) {
    return trans._n('%1 minute', '%1 minutes', Math.round(seconds / 60));
  }
  return trans.__('%1 hours', (seconds / 3600).toFixed(1));
}

/** The person's own name for it, else the program's. */
export function titleOf(
  session: ISession | undefined | null,
  applications: IApplication[],
  trans: TranslationBundle
): string {
  const program = applications.find(each => each.slug === session?.application_slug);
  return session?.name || program?.name || session?.application_slug || trans.__('Session');
}
