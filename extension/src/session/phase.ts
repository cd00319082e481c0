// With its ending, so that node's tests find it too.
import { FINAL, type ISession } from '../registry/types.js';

/** How the connection to the picture stands. */
export type Link = 'none' | 'connecting' | 'connected' | 'reconnecting' | 'refused';

/** What a tab says about its session: one word for the person. */
export type Phase =
  | 'loading'
  | 'starting'
  | 'connecting'
  | 'connected'
  | 'reconnecting'
  | 'refused'
  | 'program-ended'
  | 'finishing'
  | 'finished'
  | 'discarded'
  | 'failed'
  | 'missing';

/** Signs beside the words, so that no state is told by colour alone. */
export const PHASE_SIGNS: Record<Phase, string> = {
  loading: '◌',
  starting: '◌',
  connecting: '◌',
  connected: '●',
  reconnecting: '↻',
  refused: '✗',
  'program-ended': '◼',
  finishing: '◌',
  finished: '✓',
  discarded: '⊘',
  failed: '✗',
  missing: '?'
};

/** The phase that session and connection make together; `undefined` is a session not yet heard of. */
export function phaseOf(session: ISession | undefined | null, link: Link): Phase {
  if (!session) {
    return session === null ? 'missing' : 'loading';
  }
  if (isOver(session)) {
    if (session.status === 'cancelled') {
      return 'discarded';
    }
    return session.status === 'failed' ? 'failed' : 'finished';
  }
  if (session.state === 'finalising') {
    return 'finishing';
  }
  if (!hasPicture(session)) {
    return 'starting';
  }
  if (session.state === 'program_ended') {
    return 'program-ended';
  }
  return link === 'none' ? 'connecting' : link;
}

export function isOver(session: ISession): boolean {
  return FINAL.has(session.status);
}

export function hasPicture(session: ISession): boolean {
  return !isOver(session) && (session.state === 'open' || session.state === 'program_ended');
}

/** Seconds until an untouched session is ended (and kept); undefined when it has no limit. */
export function secondsLeft(session: ISession, now: number): number | undefined {
  const touched = Date.parse(session.last_input_at ?? session.opened_at ?? '');
  if (!hasPicture(session) || !session.idle_limit_s || Number.isNaN(touched)) {
    return undefined;
  }
  return Math.max(0, (touched - now) / 1000 + session.idle_limit_s);
}

/** Five minutes before, of a short limit a fifth: as the registry warns. */
export function isLate(session: ISession, left: number | undefined): boolean {
  return left !== undefined && left <= Math.min(300, (session.idle_limit_s ?? 0) / 5);
}
