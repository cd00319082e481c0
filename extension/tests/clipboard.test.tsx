// @vitest-environment jsdom
/** Text between a program's window and the person: each way by a click, and never without one. */
import { Signal } from '@lumino/signaling';
import { nullTranslator } from '@jupyterlab/translation';
import { afterEach, expect, test, vi } from 'vitest';

import { ClipboardPane } from '../src/session/clipboard';
import type { PictureLink } from '../src/session/link';
import { HOSTILE, later, mount, unmountAll } from './lab_dom';

vi.mock('@jupyterlab/ui-components', () => import('./lab_dom'));

const trans = nullTranslator.load('qcrbox');
afterEach(unmountAll);

async function pane(given: { clipboard?: string; viewOnly?: boolean } = {}, browser: object | undefined = {}) {
  const link = { clipboard: '', viewOnly: false, paste: vi.fn(), ...given } as unknown as PictureLink & {
    clipboard: string;
    viewOnly: boolean;
    changed: Signal<unknown, void>;
  };
  Object.assign(link, { changed: new Signal<unknown, void>(link) });
  vi.stubGlobal('navigator', { clipboard: browser });
  const page = await mount(new ClipboardPane(link, trans));
  const [from, to] = page.all<HTMLTextAreaElement>('textarea') as [HTMLTextAreaElement, HTMLTextAreaElement];
  const change = (more: object) =>
    page.settle(() => {
      Object.assign(link, more);
      (link.changed as Signal<unknown, void>).emit();
    });
  return { page, link, from, to, change, said: () => page.all('[role="status"]')[0]?.textContent };
}

test('what a program copies is shown and stays in the pane until the person takes it', async () => {
  const writeText = vi.fn(async () => undefined);
  const { page, from, change, said } = await pane({}, { writeText });
  expect(page.button('Copy to my clipboard').disabled).toBe(true);
  await change({ clipboard: 'C10 H8' });
  expect([from.value, from.readOnly, writeText.mock.calls.length]).toEqual(['C10 H8', true, 0]);
  await page.press('Copy to my clipboard');
  expect([writeText.mock.calls, said()]).toEqual([[['C10 H8']], 'Copied.']);
});

test('the person’s clipboard is read by a click, may be changed, and reaches the program by another click', async () => {
  const readText = vi.fn(async () => 'from me');
  const { page, link, to, said } = await pane({}, { readText });
  expect(page.button('Send').disabled).toBe(true);
  await page.press('Take my clipboard');
  expect([to.value, (link.paste as ReturnType<typeof vi.fn>).mock.calls]).toEqual(['from me', []]);
  await page.fill('To the program', 'from me, changed');
  await page.press('Send');
  expect(link.paste).toHaveBeenCalledWith('from me, changed');
  expect(said()).toBe('Sent; paste it in the program.');
});

test.each([
  [
    'refuses',
    {
      writeText: async () => Promise.reject(new Error('NotAllowedError')),
      readText: async () => Promise.reject(new Error())
    }
  ],
  ['has no clipboard, as on plain HTTP', undefined]
])('where the browser %s it is said what to do instead', async (_, browser) => {
  const { page, said } = await pane({ clipboard: 'x' }, browser);
  vi.stubGlobal('navigator', { clipboard: browser });
  await page.press('Copy to my clipboard');
  expect(said()).toContain('select the text and copy it');
  await page.press('Take my clipboard');
  expect(said()).toContain('paste the text into the field');
});

test('who only views takes from the program and gives nothing to it', async () => {
  const { page, to, link } = await pane({ clipboard: 'x', viewOnly: true }, { writeText: async () => undefined });
  expect([to.disabled, page.button('Take my clipboard').disabled, page.button('Send').disabled]).toEqual([
    true,
    true,
    true
  ]);
  expect(page.button('Copy to my clipboard').disabled).toBe(false);
  await page.press('Send');
  expect(link.paste).not.toHaveBeenCalled();
});

test('viewing that begins while something is typed stops the sending of it', async () => {
  const { page, change } = await pane();
  await page.fill('To the program', 'half a');
  expect(page.button('Send').disabled).toBe(false);
  await change({ viewOnly: true });
  expect(page.button('Send').disabled).toBe(true);
});

test('text of a program is text', async () => {
  const { page, from } = await pane({ clipboard: HOSTILE });
  expect([page.node.querySelector('img'), from.value]).toEqual([null, HOSTILE]);
});

test('both fields and the outcome have names for a screen reader', async () => {
  const { page } = await pane();
  expect(page.all('label').map(each => each.textContent)).toEqual(['From the program', 'To the program']);
  expect(page.all('[role="status"]')).toHaveLength(1);
});

test('an answer of the browser that comes after the pane was closed changes nothing', async () => {
  const answer = later<string>();
  const { page } = await pane({}, { readText: () => answer.promise });
  await page.press('Take my clipboard');
  await unmountAll();
  answer.answer('late');
  await expect(answer.promise).resolves.toBe('late');
});
