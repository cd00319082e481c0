import { nullTranslator } from '@jupyterlab/translation';
import { expect, test, vi } from 'vitest';

import type { IDataset } from '../src/registry/types';
import type { SessionModel } from '../src/session/model';
import { Notices } from '../src/session/notices';
import type { Phase } from '../src/session/phase';
import { SessionToolbar } from '../src/session/toolbar';
import type { SessionView } from '../src/session/view';
import { button, fill, found, html, words } from './lab_parts';

vi.mock('@jupyterlab/ui-components', () => import('./lab_parts'));

const trans = nullTranslator.load('qcrbox');

function tab(phase: Phase, more: object = {}, session: object = {}) {
  const link = {
    scale: true,
    viewOnly: false,
    reason: '',
    again: vi.fn(),
    sendCombination: vi.fn(),
    focus: vi.fn()
  };
  const model = {
    phase,
    link,
    session: { session_id: 's', ...session },
    isMine: true,
    left: undefined as number | undefined,
    late: false,
    problem: '',
    warnings: [] as string[],
    store: { datasets: [] as IDataset[] },
    finish: vi.fn(async () => undefined),
    stay: vi.fn(async () => undefined),
    allowView: vi.fn(async () => undefined),
    ...more
  };
  const view = {
    clipboardShown: false,
    captured: false,
    onlyViews: false,
    discard: vi.fn(async () => undefined),
    fullScreen: vi.fn(),
    screenshot: vi.fn(),
    copyLink: vi.fn(),
    showClipboard: vi.fn(),
    insertResult: vi.fn()
  };
  const both = [view as unknown as SessionView, model as unknown as SessionModel] as const;
  return { model, view, link, bar: new SessionToolbar(...both, trans), notices: new Notices(...both, trans) };
}

/** Name of an action → whether it can be used. */
function usable(bar: SessionToolbar): Record<string, boolean> {
  const acts = found(bar, each => typeof each.props['data-act'] === 'string');
  return Object.fromEntries(acts.map(each => [each.props['data-act'], !each.props['disabled']]));
}

test.each([
  ['connected', { finish: true, discard: true, screenshot: true, keys: true, 'allow-view': true }],
  ['program-ended', { finish: true, discard: true, screenshot: true }],
  ['starting', { finish: false, discard: true, screenshot: false, keys: false }],
  ['reconnecting', { finish: true, discard: true, screenshot: false, keys: false }],
  ['refused', { finish: true, discard: true, screenshot: false }],
  ['finishing', { finish: false, discard: false, screenshot: false, 'allow-view': false }],
  ['finished', { finish: false, discard: false, 'view-only': false }],
  ['missing', { finish: false, discard: false }]
] as [Phase, Record<string, boolean>][])('%s: what can be done is %j', (phase, can) => {
  expect(usable(tab(phase).bar)).toMatchObject(can);
});

test('another person’s session can be ended by a manager, but not discarded or shared', () => {
  expect(usable(tab('connected', { isMine: false }).bar)).toMatchObject({
    finish: true,
    discard: false,
    'view-only': false,
    'allow-view': false
  });
});

test('finishing keeps, and a click on fitted shows the picture as large as it is', () => {
  const { bar, model, link } = tab('connected');
  button(bar, 'Finish and keep').press();
  expect(model.finish).toHaveBeenCalledWith(true);
  button(bar, 'Fitted').press();
  expect(link.scale).toBe(false);
  expect(button(bar, '1:1').disabled).toBe(false);
});

test('a combination of keys goes to the program, and the keyboard with it', () => {
  const { bar, link } = tab('connected');
  fill(bar, 'Send a key combination to the program', 'Alt+F4');
  expect(link.sendCombination).toHaveBeenCalledWith('Alt+F4');
  expect(link.focus).toHaveBeenCalled();
});

test('the link for the group is there while the group may view, for the owner alone', () => {
  expect(words(tab('connected').bar)).not.toContain('Copy link');
  const allowed = { view_only_allowed: true };
  const { bar, model } = tab('connected', {}, allowed);
  expect(words(bar)).toContain('Copy link');
  button(bar, 'Let the group view').press();
  expect(model.allowView).toHaveBeenCalledWith(false);
  expect(words(tab('connected', { isMine: false }, allowed).bar)).not.toContain('Copy link');
});

test('where the keyboard is, is said; else how long the session stays untouched', () => {
  const { bar, view } = tab('connected', { left: 600 });
  expect(words(bar)).toContain('Ends if untouched for 10 minutes');
  view.captured = true;
  expect(words(bar)).toContain('Keyboard: program. Ctrl+Alt+Shift returns it to Lab');
});

test('a refused picture says why and can be asked for again', () => {
  const { notices, link } = tab('refused');
  link.reason = 'Too many viewers.';
  expect(words(notices)).toContain('Too many viewers.');
  button(notices, 'Try again').press();
  expect(link.again).toHaveBeenCalled();
});

test('a session that is about to end says so, and can be kept', () => {
  const { notices, model } = tab('connected', { late: true, left: 200 });
  expect(words(notices)).toContain('It ends in 3 minutes; what was saved is kept.');
  button(notices, 'Keep open').press();
  expect(model.stay).toHaveBeenCalled();
});

test('a connected session has nothing to say', () => {
  expect(words(tab('connected').notices)).toBe('');
});

test('a problem is an alert, warnings follow', () => {
  const { notices } = tab('connected', { problem: 'The store is full.', warnings: ['a', 'b'] });
  expect(html(notices)).toContain('role="alert">The store is full.');
  expect(words(notices)).toContain('⚠ a ⚠ b');
});

test('what came out is named with its files, by its id where the list does not have it', () => {
  const kept = { output_dataset_id: 'd1' };
  const datasets = [{ qcrbox_dataset_id: 'd1', name: 'azu', data_files: { 'a.cif': {}, 'a.res': {} } }];
  const { notices, view } = tab('finished', { store: { datasets } }, kept);
  expect(words(notices)).toContain('Kept as dataset azu: a.cif, a.res');
  button(notices, 'Insert code').press();
  expect(view.insertResult).toHaveBeenCalled();
  expect(words(tab('finished', {}, kept).notices)).toContain('Kept as dataset d1');
});

test('nothing kept: said, unless a warning says it already', () => {
  expect(words(tab('finished').notices)).toContain('Nothing new was stored.');
  expect(words(tab('finished', { warnings: ['Nothing was changed.'] }).notices)).toBe('⚠ Nothing was changed.');
});
