import { nullTranslator } from '@jupyterlab/translation';
import { expect, test } from 'vitest';

import type { IApplication, ISession, State } from '../src/registry/types';
import { PHASE_SIGNS, type Phase } from '../src/session/phase';
import { minutes, phaseText, phaseWord, titleOf } from '../src/session/words';
import { SIGNS, word } from '../src/states';

const trans = nullTranslator.load('qcrbox');
const session = (more: object = {}) =>
  ({ status: 'running', step: '', application_slug: 'olex2', ...more }) as unknown as ISession;
const PHASES = Object.keys(PHASE_SIGNS) as Phase[];

test('no two phases have one word, and none is without a sign', () => {
  expect(new Set(PHASES.map(phase => phaseWord(phase, trans))).size).toBe(PHASES.length);
  expect(PHASES.every(phase => PHASE_SIGNS[phase].length > 0)).toBe(true);
});

test.each([
  ['starting', session({ step: 'starting' }), '', 'The program is being started: starting.'],
  ['starting', session({ step: 'fetching', reason: 'No agent is free.' }), '', 'No agent is free.'],
  ['starting', null, '', ''],
  ['connecting', session(), '', 'Loading the window …'],
  ['reconnecting', session(), '', 'Connection lost; the program keeps running. Reconnecting …'],
  ['refused', session(), 'Too many viewers.', 'Too many viewers.'],
  ['refused', session(), '', 'The window cannot be shown.'],
  ['finished', session({ reason: 'Idle for 2 h.' }), '', 'Idle for 2 h.'],
  ['finished', session(), '', ''],
  ['discarded', session(), '', 'Nothing was stored.'],
  ['discarded', session({ reason: 'The account is gone.' }), '', 'The account is gone.'],
  ['failed', session(), '', 'See the log in the list of calculations.'],
  ['failed', session({ reason: 'No display.' }), '', 'No display.'],
  ['missing', null, '', 'There is no such session, or it is not yours.'],
  ['connected', session(), '', ''],
  ['loading', undefined, '', '']
] as [Phase, ISession | null | undefined, string, string][])('%s: %o, %j', (phase, known, reason, text) => {
  expect(phaseText(phase, known, reason, trans)).toBe(text);
});

test.each([
  [0, '0 seconds'],
  [1, '1 second'],
  [89.4, '89 seconds'],
  [90, '2 minutes'],
  [300, '5 minutes'],
  [5399, '90 minutes'],
  [5400, '1.5 hours'],
  [86400, '24.0 hours']
])('%s s are %j', (seconds, text) => {
  expect(minutes(seconds, trans)).toBe(text);
});

test('a session has the name that was given, else that of its program', () => {
  const applications = [{ slug: 'olex2', name: 'Olex2' }] as IApplication[];
  expect(titleOf(session({ name: 'my azulene' }), applications, trans)).toBe('my azulene');
  expect(titleOf(session(), applications, trans)).toBe('Olex2');
  expect(titleOf(session({ application_slug: 'gone' }), applications, trans)).toBe('gone');
  expect(titleOf(null, applications, trans)).toBe('Session');
});

test.each([
  ['submitted', 'fetching', 'fetching files'],
  ['running', 'uploading', 'storing results'],
  ['running', 'a step of tomorrow', 'running'],
  ['running', undefined, 'running'],
  ['successful', 'uploading', 'done'],
  ['failed', 'running', 'failed'],
  ['cancelled', 'cancelling', 'cancelled'],
  ['unknown', '', 'unknown'],
  ['paused', '', 'paused']
] as [State, string | undefined, string][])('a calculation that is %s at the step %s is "%s"', (state, step, text) => {
  expect(word(state, step, trans)).toBe(text);
});

test('no two states share a sign', () => {
  expect(new Set(Object.values(SIGNS)).size).toBe(Object.keys(SIGNS).length);
});
