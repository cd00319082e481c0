import { beforeEach, expect, test, vi } from 'vitest';

import card from '../../qcrbox_kernel_lib/qcrbox/widgets/calculation_card/js/index.js';
import { Element, openPage, widgetModel } from './page.mjs';

beforeEach(() => {
  openPage();
  Element.prototype.namespaceURI = 'svg';
  vi.useFakeTimers();
});

const STATE = {
  status: 'running',
  step: 'refining',
  final: false,
  doubt: '',
  title: 'azu · IAM',
  name: 'refine_iam',
  application: 'refine',
  short_id: '3f2a',
  elapsed_s: 42,
  fraction: 0.25,
  lost_s: 0,
  queue: '',
  text: 'cycle 2 of 8',
  figures: [],
  history: [],
  warnings: [],
  not_applied: [],
  notes: [],
  error: '',
  details: '',
  log: []
};

function shown(more = {}) {
  const model = widgetModel({ state: { ...STATE, ...more }, twin: '' });
  const el = new Element('div');
  // The style of a real element sets variables too.
  const make = document.createElement;
  document.createElement = tag => {
    const made = make(tag);
    made.style.setProperty = (name, value) => (made.style[name] = value);
    Object.defineProperty(made, 'lastChild', { get: () => made.childNodes.at(-1) ?? null });
    return made;
  };
  const close = card.render({ model, el });
  const become = state => {
    Object.assign(model.state.state, state);
    model.say('change:state');
  };
  const of = name => el.querySelector(`.${name}`);
  return { model, el, close, become, of };
}

test.each([
  [{}, '▶ running · refining'],
  [{ step: 'running' }, '▶ running'],
  [{ status: 'successful', word: 'done', step: 'refining', final: true }, '✓ done'],
  [{ status: 'submitted', word: 'queued', step: 'queued', final: false }, '◷ queued'],
  [{ status: 'successful', final: true }, '✓ successful'],
  [{ status: 'successful', word: 'done', final: true, doubt: 'not converged' }, '⚠ done, not converged'],
  [{ status: 'of tomorrow', step: '' }, '? of tomorrow']
])('%j is said as "%s"', (state, words) => {
  expect(shown(state).of('qcc-state').textContent).toBe(words);
});

test.each([
  [0, '0.0 s'],
  [9.94, '9.9 s'],
  [42, '42 s'],
  [89, '89 s'],
  [90, '2 min'],
  [5399, '90 min'],
  [5400, '1.5 h'],
  [null, '']
])('%j s are shown as %j', (elapsed_s, text) => {
  expect(shown({ elapsed_s }).of('qcc-dim').textContent).toBe(text);
});

test('a fraction is a bar with its per cent; without one, and at the end, there is none', () => {
  const { of, become } = shown();
  expect([of('qcc-bar').hidden, of('qcc-bar').attributes['aria-valuenow']]).toEqual([false, '25']);
  expect(of('qcc-bar').childNodes[0].style.width).toBe('25%');
  become({ fraction: null });
  expect(of('qcc-bar').hidden).toBe(true);
  become({ fraction: 1, status: 'successful', final: true });
  expect(of('qcc-bar').hidden).toBe(true);
});

test('a lost connection comes before the queue, the queue before the text of the program', () => {
  const { el, become } = shown({ lost_s: 120, queue: '3 before you' });
  const words = () => el.textContent;
  expect(words()).toContain('Connection lost 2 min ago; the calculation is still running. Retrying…');
  become({ lost_s: 0 });
  expect(words()).toContain('3 before you');
  expect(words()).not.toContain('cycle 2');
  become({ queue: '' });
  expect(words()).toContain('cycle 2 of 8');
});

test('cancelling takes two clicks within four seconds', () => {
  const { el, model, of } = shown();
  el.button('Cancel').click();
  expect(model.sent).toEqual([]);
  vi.advanceTimersByTime(4001);
  const button = el.button('Cancel');
  expect(button).toBeDefined();
  button.click();
  el.button('Really cancel?').click();
  expect(model.sent).toEqual([{ do: 'cancel' }]);
  expect(button.disabled).toBe(true);
  vi.advanceTimersByTime(4001);
  expect(button.textContent).toBe('cancelling…');
  expect(of('qcc-head').tagged('button')).toContain(button);
});

test('what has ended cannot be cancelled', () => {
  const { el } = shown({ status: 'successful', final: true });
  expect(el.button('Cancel').hidden).toBe(true);
});

test('warnings have a sign, what was not applied is a list, notes are folded; texts are texts', () => {
  const { el } = shown({ warnings: ['<b>close</b>'], not_applied: ['TWIN'], notes: ['a', 'b'] });
  expect(el.textContent).toContain('⚠ <b>close</b>');
  expect(el.textContent).toContain('Not applied:TWIN');
  expect(el.textContent).toContain('Notes (2)');
  expect(el.tagged('b').map(each => each.textContent)).toEqual(['azu · IAM']);
});

test('a fold that is open stays open while nothing in it changes', () => {
  const { el, become } = shown({ notes: ['a'] });
  const fold = () => el.tagged('details').find(each => each.textContent.startsWith('Notes'));
  const before = fold();
  become({ text: 'cycle 3 of 8' });
  expect(fold()).toBe(before);
  become({ notes: ['a', 'b'] });
  expect(fold()).not.toBe(before);
});

test('figures have a curve of their cycles; shifts a logarithmic one, without what is not positive', () => {
  const figures = [
    { name: 'R1', label: 'R1', text: '0.05' },
    { name: 'max_shift_su', label: 'max shift/s.u.', text: '0.01' }
  ];
  const history = [
    { R1: 0.1, max_shift_su: 10 },
    { R1: 0.05, max_shift_su: 0 },
    { R1: 0.05, max_shift_su: 0.1 }
  ];
  const { el } = shown({ figures, history });
  const paths = el.tagged('path').map(each => each.attributes.d);
  expect(paths[0]).toBe('M2.0 3.0L42.0 17.0L82.0 17.0');
  expect(paths[1]).toBe('M2.0 3.0L82.0 17.0');
});

test('one cycle is no curve', () => {
  const { el } = shown({ figures: [{ name: 'R1', label: 'R1', text: '0.1' }], history: [{ R1: 0.1 }] });
  expect(el.tagged('path')).toEqual([]);
  expect(el.button('Plot').hidden).toBe(true);
});

test('an error is shown, with its details behind a fold', () => {
  const { of, el, become } = shown({ status: 'failed', final: true, error: 'No cell.', details: 'Traceback' });
  expect([of('qcc-error').hidden, of('qcc-error').textContent]).toEqual([false, 'No cell.']);
  const details = el.tagged('details').find(each => each.textContent.startsWith('Details'));
  expect([details.hidden, details.textContent]).toEqual([false, 'DetailsTraceback']);
  become({ error: '', details: '' });
  expect([of('qcc-error').hidden, details.hidden]).toEqual([true, true]);
});

test('an opened log without lines asks for them; the whole log is not replaced by the last lines', () => {
  const { el, model, become, of } = shown();
  el.button('Log').click();
  expect(model.sent).toEqual([{ do: 'log' }]);
  model.say('msg:custom', { log: 'a\nb\nc' });
  become({ log: ['c'] });
  expect(of('qcc-log').childNodes.map(each => each.textContent)).toEqual(['a', 'b', 'c']);
});

const lines = of => of('qcc-log').childNodes.map(each => each.textContent);

test('a log that is opened before the program has written anything follows it', () => {
  const { el, model, become, of } = shown();
  el.button('Log').click();
  model.say('msg:custom', { log: '' });
  become({ log: ['first'] });
  become({ log: ['first', 'second'] });
  expect(lines(of)).toEqual(['first', 'second']);
});

test('the whole log goes on with what comes, also where the end has moved on', () => {
  const { el, model, become, of } = shown();
  el.button('Log').click();
  model.say('msg:custom', { log: 'a\nb\nc\n' });
  become({ log: ['b', 'c', 'd'] });
  become({ log: ['c', 'd', '\u001b[31me\u001b[0m'] });
  expect(lines(of)).toEqual(['a', 'b', 'c', 'd', 'e']);
  become({ log: ['x', 'y', 'z'] });
  expect(lines(of)).toEqual(['a', 'b', 'c', 'd', 'e', '…', 'x', 'y', 'z']);
});

test('a state without a new line leaves the log as it is drawn: a selection of the reader stays', () => {
  const { el, model, become, of } = shown();
  el.button('Log').click();
  model.say('msg:custom', { log: 'a\nb' });
  const [first] = of('qcc-log').childNodes;
  become({ log: ['b'], elapsed_s: 43 });
  expect(of('qcc-log').childNodes[0]).toBe(first);
});

test('a cancelling that is refused says why while the calculation goes on, and can be tried again', () => {
  const { el, model, become } = shown();
  el.button('Cancel').click();
  el.button('Really cancel?').click();
  model.say('msg:custom', { error: 'You may only look.' });
  become({ text: 'cycle 3 of 8' });
  expect(el.textContent).toContain('You may only look.');
  const button = el.button('Cancel');
  expect(button.disabled).toBe(false);
  button.click();
  el.button('Really cancel?').click();
  expect(model.sent).toEqual([{ do: 'cancel' }, { do: 'cancel' }]);
  become({ text: 'cycle 4 of 8' });
  expect(el.textContent).not.toContain('You may only look.');
});

test('a closed card hears nothing more', () => {
  const { close, become, of } = shown();
  close();
  become({ status: 'successful', final: true });
  expect(of('qcc-state').textContent).toBe('▶ running · refining');
});

test('the clock of a title is a moment, which Lab writes for its reader and the card leaves alone while it stays', () => {
  const title_at = '2026-11-29T17:24:00Z';
  const { el, become } = shown({ title: 'azu · IAM · 18:24', title_words: 'azu · IAM · ', title_at });
  const [moment] = el.tagged('time');
  expect([moment.textContent, moment.attributes.datetime, moment.attributes.title]).toEqual([
    '18:24',
    title_at,
    title_at
  ]);
  moment.textContent = '12:24 PM';
  become({ elapsed_s: 43 });
  expect(el.tagged('b')[0].textContent).toBe('azu · IAM · 12:24 PM');
  become({ title: 'best', title_words: 'best', title_at: '' });
  expect(el.tagged('b')[0].textContent).toBe('best');
});
