import { beforeEach, expect, test, vi } from 'vitest';

import { LogPanel } from '../../qcrbox_kernel_lib/qcrbox/widgets/calculation_card/js/log.js';
import { LivePlot } from '../../qcrbox_kernel_lib/qcrbox/widgets/calculation_card/js/plot.js';
import { coverTwin, element, installStyle } from '../../qcrbox_kernel_lib/qcrbox/widgets/shared_js/twin.js';
import { copyText } from '../../qcrbox_kernel_lib/qcrbox/widgets/shared_js/copy.js';
import { isErrorLine } from '../src/panel/error_line';
import { openPage } from './page.mjs';

let page;
beforeEach(() => (page = openPage()));

const lines = log => log.view.childNodes.map(each => each.textContent ?? each);

function opened(text) {
  const all = vi.fn();
  const log = new LogPanel(all);
  log.toggle();
  log.set(text);
  return { log, all };
}

test('a closed log draws nothing; opened, it has what came meanwhile', () => {
  const log = new LogPanel(() => {});
  log.set(['cycle 1']);
  expect(log.view.childNodes).toEqual([]);
  expect(log.toggle()).toBe(true);
  expect([lines(log), log.node.hidden]).toEqual([['cycle 1'], false]);
  expect(log.toggle()).toBe(false);
});

test('an empty log says so, and a search without a line too', () => {
  const { log } = opened([]);
  expect(log.view.textContent).toBe('Nothing was written yet.');
  log.set(['cycle 1']);
  log.search.value = 'shift';
  log.search.fire('input');
  expect(log.view.textContent).toBe('No line holds this.');
});

test('a search shows the lines that hold it, whatever the case, with the place marked', () => {
  const { log } = opened(['Max Shift 0.1', 'R1 0.05', 'mean shift 0.01']);
  log.search.value = 'SHIFT';
  log.search.fire('input');
  expect(lines(log)).toEqual(['Max Shift 0.1', 'mean shift 0.01']);
  expect(log.view.tagged('mark').map(each => each.textContent)).toEqual(['Shift', 'shift']);
});

test('text of a program is text, its colours are taken out', () => {
  const { log } = opened(['\u001b[31m<b>R1</b>\u001b[0m', '']);
  expect(lines(log)).toEqual(['<b>R1</b>', ' ']);
  expect(log.view.tagged('b')).toEqual([]);
});

test('of a very long log the end is kept', () => {
  const { log } = opened(Array.from({ length: 6000 }, (_, number) => `line ${number}`));
  expect([log.lines.length, log.lines[0], log.lines.at(-1)]).toEqual([5000, 'line 1000', 'line 5999']);
});

test.each([
  ['Traceback (most recent call last):', true],
  ['ValueError: no cell', true],
  ['qcrbox.contract.errors.UserInputError: no cell', true],
  ['** Error: no cell **', true],
  ['2 errors were found', true],
  ['FAILED to converge', true],
  ['Aborted (core dumped)', true],
  ['0 errors, 3 warnings', false],
  ['There was no error.', false],
  ['written to stderr', false],
  ['R1 0.05', false]
])('%s is an error: %s, on the card and in Lab', (line, isError) => {
  const { log } = opened([line]);
  expect(log.view.childNodes[0].classList.contains('qcc-first')).toBe(isError);
  expect(isErrorLine(line)).toBe(isError);
});

test('the first error is scrolled to, without the search and without following', () => {
  const { log } = opened(['fine', 'error: a', 'error: b']);
  log.search.value = 'fine';
  log.node.button('first error').click();
  expect([log.search.value, log.follow, log.followBox.checked]).toEqual(['', false, false]);
  expect(lines(log)).toHaveLength(3);
});

test('a log follows its end until the reader scrolls away', () => {
  const { log } = opened(['a']);
  log.view.scrollHeight = 500;
  log.draw();
  expect(log.view.scrollTop).toBe(500);
  log.view.clientHeight = 100;
  log.view.scrollTop = 200;
  log.view.fire('scroll');
  expect([log.follow, log.followBox.checked]).toEqual([false, false]);
  log.set(['a', 'b']);
  expect(log.view.scrollTop).toBe(200);
});

test('the whole log is asked for by its button', () => {
  const { log, all } = opened(['a']);
  log.node.button('whole log').click();
  expect(all).toHaveBeenCalledTimes(1);
});

test.each([
  [[], false],
  [[{ R1: 0.1 }], false],
  [[{ R1: 0.1 }, { R1: 0.05 }], true],
  [[{ R1: 0.1 }, { R1: NaN }], false],
  [[{ max_shift_su: 1 }, {}, { max_shift_su: 0.1 }], true],
  [[{ other: 1 }, { other: 2 }], false]
])('there is something to draw in %j: %s', (history, knows) => {
  expect(LivePlot.knows(history)).toBe(knows);
});

test('a plot has the cycles in order of their rows, without those that lack the value', () => {
  const plot = new LivePlot();
  plot.toggle([{ cycle: 1, R1: 0.1, wR2: 0.3 }, { cycle: 2 }, { cycle: 1, R1: 0.04 }]);
  const [agreement, convergence] = plot.panels;
  expect(agreement.said.series.map(each => [each.name, each.x, each.y])).toEqual([
    ['R1', [1, 3], [0.1, 0.04]],
    ['wR2', [1], [0.3]]
  ]);
  expect([convergence.said.series, convergence.said.levels]).toEqual([[], []]);
});

test('a plot is drawn anew only when a cycle came', () => {
  const plot = new LivePlot();
  const history = [{ R1: 0.1 }, { R1: 0.05 }];
  plot.toggle(history);
  const [before] = plot.panels;
  plot.draw(history);
  expect(plot.panels[0]).toBe(before);
  plot.draw([...history, { R1: 0.04 }]);
  expect(plot.panels[0]).not.toBe(before);
});

// ---------------------------------------------------------------- what the widgets share

test('an element takes attributes, events and children; text is text', () => {
  const act = vi.fn();
  const made = element(
    'button',
    { type: 'button', disabled: false, hidden: true, title: null, onclick: act },
    '<i>',
    null,
    'x'
  );
  expect(made.attributes).toEqual({ type: 'button', hidden: '' });
  expect(made.textContent).toBe('<i>x');
  made.click();
  expect(act).toHaveBeenCalledTimes(1);
});

test('a still picture is covered while the live one is there', () => {
  const uncover = coverTwin('qc-12_a');
  expect(page.head.childNodes[0].textContent).toContain('.qc-12_a{display:none!important}');
  uncover();
  expect(page.head.childNodes).toEqual([]);
});

test.each(['', undefined, 'a b', 'a{}', '.x', 'a,b'])('the mark %j is no name of a class and covers nothing', mark => {
  coverTwin(mark)();
  expect(page.head.childNodes).toEqual([]);
});

test('a style sheet is installed once', () => {
  installStyle('qc', 'a{}');
  installStyle('qc', 'b{}');
  expect(page.head.childNodes.map(each => each.textContent)).toEqual(['a{}']);
});

test('text is copied by the browser’s clipboard, else through a field', async () => {
  const written = [];
  vi.stubGlobal('navigator', { clipboard: { writeText: async text => void written.push(text) } });
  expect(await copyText('R1')).toBe(true);
  expect(written).toEqual(['R1']);
  vi.stubGlobal('navigator', {});
  const make = page.createElement;
  const fields = [];
  page.createElement = tag => Object.assign(make(tag), { select: () => fields.push(tag) });
  page.execCommand = () => true;
  expect(await copyText('R1')).toBe(true);
  expect([fields, page.body.childNodes]).toEqual([['textarea'], []]);
  page.execCommand = () => false;
  expect(await copyText('R1')).toBe(false);
});
