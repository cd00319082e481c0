// @vitest-environment jsdom
/** Small plug-ins that hold for the whole page: times on the reader's clock, the focus after a context menu. */
import { Signal } from '@lumino/signaling';
import { beforeEach, expect, test, vi } from 'vitest';

import { localise, localMomentsPlugin } from '../src/local_moments';
import { menuFocusPlugin } from '../src/menu_focus';
import { timeOf } from '../src/titles';
import { HOSTILE } from './lab_dom';

beforeEach(() => document.body.replaceChildren());

// ---------------------------------------------------------------- the focus after a context menu

function menu() {
  const holder = {};
  const aboutToClose = new Signal<unknown, void>(holder);
  menuFocusPlugin.activate({ contextMenu: { menu: { aboutToClose } } } as never);
  vi.stubGlobal('requestAnimationFrame', (act: () => void) => act());
  const button = (text: string) => {
    const made = document.createElement('button');
    made.textContent = text;
    document.body.append(made);
    return made;
  };
  const openAt = (target: HTMLElement) => {
    target.focus();
    target.dispatchEvent(new MouseEvent('contextmenu', { bubbles: true }));
    target.blur();
  };
  return { button, openAt, close: () => aboutToClose.emit() };
}

test('a context menu that is left gives the focus back to where it was opened', () => {
  const { button, openAt, close } = menu();
  const row = button('row');
  openAt(row);
  expect(document.activeElement).toBe(document.body);
  close();
  expect(document.activeElement).toBe(row);
});

test('a command of the menu that took the focus keeps it', () => {
  const { button, openAt, close } = menu();
  openAt(button('row'));
  const field = button('field of a dialog');
  field.focus();
  close();
  expect(document.activeElement).toBe(field);
});

test('a row that the command removed gets no focus', () => {
  const { button, openAt, close } = menu();
  const row = button('row');
  openAt(row);
  row.remove();
  close();
  expect(document.activeElement).toBe(document.body);
});

// ---------------------------------------------------------------- moments of outputs

const ISO = '2026-03-01T12:00:00Z';
const moment = (datetime: string | null, text = 'as the kernel wrote it', marked = true) => {
  const made = document.createElement('time');
  made.className = marked ? 'qcrbox-Moment' : '';
  if (datetime !== null) {
    made.setAttribute('datetime', datetime);
  }
  made.textContent = text;
  return made;
};

test.each([
  ['a moment', moment(ISO), timeOf(ISO)],
  ['a moment that is none', moment('yesterday'), 'as the kernel wrote it'],
  ['a moment without a date', moment(null), 'as the kernel wrote it'],
  ['a time of somebody else', moment(ISO, 'theirs', false), 'theirs'],
  ['a hostile moment', moment(HOSTILE, HOSTILE), HOSTILE]
])('%s reads %s', (_, element, words) => {
  const output = document.createElement('div');
  output.append(element);
  localise(output);
  expect(element.textContent).toBe(words);
  expect(output.querySelector('img')).toBe(null);
});

test('moments of outputs that come later are written on the reader’s clock too, deep inside and alone', async () => {
  localMomentsPlugin.activate({} as never);
  const card = document.createElement('div');
  const inner = moment(ISO);
  card.append(inner);
  const alone = moment(ISO);
  document.body.append(card, document.createTextNode('a text'), alone);
  await vi.waitFor(() => expect([inner.textContent, alone.textContent]).toEqual([timeOf(ISO), timeOf(ISO)]));
});

test('the same day shows the time alone, another one the day too, both in 24 hours', () => {
  const noon = new Date(2026, 2, 1, 15, 5);
  expect(timeOf(noon.toISOString(), noon)).toBe('15:05');
  expect(timeOf(noon.toISOString(), new Date(2026, 2, 2))).toMatch(/2026.* 15:05$/);
  const midnight = new Date(2026, 2, 1, 0, 7);
  expect(timeOf(midnight.toISOString(), midnight)).toBe('00:07');
});
