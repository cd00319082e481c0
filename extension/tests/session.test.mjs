import assert from 'node:assert/strict';
import { test, vi } from 'vitest';

import { argumentsOf, choices, kindOf, programs } from '../src/session/arguments';
import { EscapeChord } from '../src/session/chord';
import { COMBINATIONS, press } from '../src/session/keys';
import { isLate, phaseOf, secondsLeft } from '../src/session/phase';

const down = code => ({ type: 'keydown', code });
const up = code => ({ type: 'keyup', code });
const feed = events => {
  const chord = new EscapeChord();
  return events.map(event => chord.feed(event));
};

test('Control, Alt and Shift pressed and released give the keyboard back, once, at the last release', () => {
  const events = [
    down('ControlLeft'),
    down('AltLeft'),
    down('ShiftLeft'),
    up('ShiftLeft'),
    up('AltLeft'),
    up('ControlLeft')
  ];
  assert.deepEqual(feed(events), [false, false, false, false, false, true]);
});

test('a combination with another key belongs to the program', () => {
  const events = [
    down('ControlLeft'),
    down('AltLeft'),
    down('ShiftLeft'),
    down('KeyF'),
    up('KeyF'),
    up('ShiftLeft'),
    up('AltLeft'),
    up('ControlLeft')
  ];
  assert.ok(feed(events).every(leaves => !leaves));
});

test('AltGr and Shift, which some systems report as Control and Alt, are no chord', () => {
  assert.ok(
    feed([
      down('ControlLeft'),
      down('AltRight'),
      down('ShiftLeft'),
      up('ShiftLeft'),
      up('AltRight'),
      up('ControlLeft')
    ]).every(leaves => !leaves)
  );
});

test('after a spoiled chord the next one counts', () => {
  const chord = new EscapeChord();
  for (const event of [down('ControlLeft'), down('KeyC'), up('KeyC'), up('ControlLeft')]) chord.feed(event);
  const rest = [
    down('ControlRight'),
    down('AltLeft'),
    down('ShiftRight'),
    up('ControlRight'),
    up('AltLeft'),
    up('ShiftRight')
  ];
  assert.equal(rest.map(event => chord.feed(event)).at(-1), true);
});

test('keys of a combination go down in order and up in the opposite one', () => {
  const sent = [];
  press(COMBINATIONS['Ctrl+Alt+Del'], (keysym, code, isDown) => sent.push([code, isDown]));
  assert.deepEqual(sent, [
    ['ControlLeft', true],
    ['AltLeft', true],
    ['Delete', true],
    ['Delete', false],
    ['AltLeft', false],
    ['ControlLeft', false]
  ]);
});

const session = more => ({ session_id: 'a', state: 'open', status: 'running', ...more });

test('the phase tells session and connection in one word', () => {
  const cases = [
    [undefined, 'none', 'loading'],
    [null, 'none', 'missing'],
    [session({ state: 'starting' }), 'none', 'starting'],
    [session({}), 'none', 'connecting'],
    [session({}), 'connected', 'connected'],
    [session({}), 'reconnecting', 'reconnecting'],
    [session({}), 'refused', 'refused'],
    [session({ state: 'program_ended' }), 'connected', 'program-ended'],
    [session({ state: 'finalising' }), 'connected', 'finishing'],
    [session({ state: 'closed', status: 'successful' }), 'none', 'finished'],
    [session({ state: 'closed', status: 'cancelled' }), 'none', 'discarded'],
    [session({ state: 'closed', status: 'failed' }), 'none', 'failed']
  ];
  for (const [about, link, phase] of cases) {
    assert.equal(phaseOf(about, link), phase);
  }
});

test('time left counts from the last input, and a warning comes as early as the registry gives it', () => {
  const about = session({
    opened_at: '2026-01-01T00:00:00Z',
    last_input_at: '2026-01-01T00:10:00Z',
    idle_limit_s: 3600
  });
  const at = Date.parse('2026-01-01T01:04:00Z');
  assert.equal(secondsLeft(about, at), 360);
  assert.equal(isLate(about, 360), false);
  assert.equal(isLate(about, 300), true);
  assert.equal(isLate({ ...about, idle_limit_s: 60 }, 13), false);
  assert.equal(secondsLeft({ ...about, state: 'starting' }, at), undefined);
});

const command = {
  implemented_as: 'interactive_session',
  parameters: {
    structure: { dtype: 'QCrBox.cif_data_file', required: true },
    reflections: { dtype: 'QCrBox.data_file', required: false },
    wavelength: { dtype: 'float' },
    maps: { dtype: 'bool' },
    title: { dtype: 'str' },
    edited: { dtype: 'QCrBox.output_cif' }
  }
};

test('a form becomes arguments; what is empty is left to its default', () => {
  const filled = { structure: 'id', reflections: '', wavelength: ' 0.7 ', maps: 'false', title: '', edited: 'x.cif' };
  assert.deepEqual(argumentsOf(command, filled), { structure: { data_file_id: 'id' }, wavelength: 0.7, maps: false });
});

test('what is no number goes to the registry, which says what is wrong', () => {
  assert.deepEqual(argumentsOf(command, { wavelength: 'blue' }), { wavelength: 'blue' });
});

test('a CIF parameter offers CIF files only, the newest dataset first', () => {
  const file = (id, filename) => ({ qcrbox_file_id: id, filename });
  const datasets = [
    { name: 'old', created_at: '1', data_files: { a: file('1', 'a.cif'), b: file('2', 'a.hkl') } },
    { name: 'new.CIF', created_at: '2', data_files: { c: file('3', 'new.CIF') } }
  ];
  assert.deepEqual(choices('cif', datasets), [
    ['3', 'new.CIF'],
    ['1', 'old / a.cif']
  ]);
  assert.equal(choices('file', datasets).length, 3);
  assert.deepEqual(programs([{ slug: 's', commands: [command, { implemented_as: 'cli_command' }] }]).length, 1);
  assert.equal(kindOf({ dtype: 'QCrBox.output_cif' }), 'output');
});

class Socket {
  sent = [];
  closed = false;
  send(data) {
    this.sent.push(data);
  }
  close() {
    this.closed = true;
  }
}

async function channel() {
  vi.stubGlobal('window', globalThis);
  const { Channel, SILENCE_MS } = await import('../src/session/channel');
  const socket = new Socket();
  const ends = [];
  const made = new Channel(socket, end => ends.push(end));
  socket.onopen();
  return { socket, ends, made, SILENCE_MS };
}

test('a connection that says nothing is dead; one that says it is alive is not', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] });
  try {
    const { socket, ends, SILENCE_MS } = await channel();
    vi.advanceTimersByTime(SILENCE_MS - 1000);
    socket.onmessage({ data: '{"alive": true}' });
    vi.advanceTimersByTime(SILENCE_MS - 1000);
    assert.deepEqual(ends, []);
    vi.advanceTimersByTime(3000);
    assert.deepEqual(ends, [{ code: 1006, reason: '' }]);
    assert.equal(socket.closed, true);
  } finally {
    vi.useRealTimers();
  }
});

test('bytes go to noVNC, words do not; the last words tell why it ended', async () => {
  const { socket, ends, made } = await channel();
  const heard = [];
  made.onmessage = event => heard.push(event.data);
  const bytes = new Uint8Array([1]).buffer;
  socket.onmessage({ data: bytes });
  socket.onmessage({ data: 'no JSON' });
  socket.onmessage({ data: '{"end": 4403, "reason": "not yours"}' });
  socket.onclose({ code: 1005, reason: '' });
  assert.deepEqual(heard, [bytes]);
  assert.deepEqual(ends, [{ code: 4403, reason: 'not yours' }]);
});

test('an invitation names one session, and leaves the address once it was followed', async () => {
  const { INVITED, withoutInvitation } = await import('../src/session/invitation');
  const id = '0123456789abcdef'.repeat(2);
  assert.equal(INVITED.exec(`?reset&qcrbox-session=${id}`)?.[1], id);
  for (const wrong of ['', `?qcrbox-session=${id}0`, '?qcrbox-session=../../etc', `?x-qcrbox-session=${id}`]) {
    assert.equal(INVITED.exec(wrong), null, wrong);
  }
  assert.equal(withoutInvitation(`http://hub/user/a/lab?reset=&qcrbox-session=${id}#x`), '/user/a/lab?reset=#x');
});
