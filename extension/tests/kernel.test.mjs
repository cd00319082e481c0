// @vitest-environment jsdom
/** What widgets share: questions to a kernel, the clipboard, a button that copies. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import copyButton from '../../qcrbox_kernel_lib/qcrbox/widgets/copy_button/js/index.js';
import { copyText } from '../../qcrbox_kernel_lib/qcrbox/widgets/shared_js/copy.js';
import { coverTwin, element } from '../../qcrbox_kernel_lib/qcrbox/widgets/shared_js/twin.js';
import { Kernel } from '../../qcrbox_kernel_lib/qcrbox/widgets/structure_view/js/kernel.js';
import { widgetModel } from './page.mjs';

beforeEach(() => {
  vi.useFakeTimers();
  document.body.replaceChildren();
});
afterEach(() => {
  delete document.execCommand;
});

// ---------------------------------------------------------------- questions to the kernel

const asked = () => {
  const model = widgetModel({});
  const kernel = new Kernel(model);
  return { model, kernel, answer: (re, more = {}) => model.say('msg:custom', { re, ...more }) };
};

test('each question gets its own answer, in whatever order they come', async () => {
  const { model, kernel, answer } = asked();
  const both = Promise.all([kernel.ask({ do: 'a' }), kernel.ask({ do: 'b' })]);
  const [first, second] = model.sent.map(each => each.id);
  answer(second, { of: 'b' });
  answer(first, { of: 'a' });
  expect((await both).map(each => each.of)).toEqual(['a', 'b']);
});

test('an answer with an error fails with its words; an answer to nobody is ignored', async () => {
  const { model, kernel, answer } = asked();
  const question = kernel.ask({ do: 'a' });
  answer(99, { error: 'not for us' });
  answer(undefined);
  answer(model.sent[0].id, { error: 'There is no cell.' });
  await expect(question).rejects.toThrow('There is no cell.');
});

test('a kernel that says nothing for eight seconds is said to be busy or gone; what it says later counts no more', async () => {
  const { model, kernel, answer } = asked();
  const question = kernel.ask({ do: 'a' });
  const told = expect(question).rejects.toThrow('does not answer');
  await vi.advanceTimersByTimeAsync(8000);
  await told;
  expect(() => answer(model.sent[0].id, { of: 'a' })).not.toThrow();
});

test('an answered question leaves no clock behind', async () => {
  const { model, kernel, answer } = asked();
  const question = kernel.ask({ do: 'a' });
  answer(model.sent[0].id);
  await question;
  expect(vi.getTimerCount()).toBe(0);
});

test('a closed view hears nothing and complains of no kernel', async () => {
  const { model, kernel, answer } = asked();
  const settled = vi.fn();
  kernel.ask({ do: 'a' }).then(settled, settled);
  kernel.close();
  await vi.advanceTimersByTimeAsync(60_000);
  answer(model.sent[0].id);
  await Promise.resolve();
  expect([settled.mock.calls.length, vi.getTimerCount()]).toEqual([0, 0]);
});

// ---------------------------------------------------------------- the clipboard

const browser = clipboard => vi.stubGlobal('navigator', { clipboard });
const refusing = { writeText: async () => Promise.reject(new Error('NotAllowedError')) };

test.each([
  ['refuses', refusing],
  ['has none, as on plain HTTP', undefined]
])(
  'where the clipboard %s a field is copied from, and whoever works with keys stays where they are',
  async (_, clipboard) => {
    browser(clipboard);
    const button = element('button', {}, 'Copy');
    document.body.append(button);
    button.focus();
    const seen = [];
    document.execCommand = command => {
      const field = document.querySelector('textarea');
      field.focus(); // as browsers do where a field is selected
      return seen.push([command, field.value]) > 0;
    };
    expect(await copyText('qc["azu"]\nsecond line')).toBe(true);
    expect(seen).toEqual([['copy', 'qc["azu"]\nsecond line']]);
    expect([document.activeElement, document.querySelectorAll('textarea').length]).toEqual([button, 0]);
  }
);

test('a copy that no way allows is said to have failed, and leaves no field', async () => {
  browser(undefined);
  document.execCommand = () => false;
  expect(await copyText('x')).toBe(false);
  expect(document.querySelectorAll('textarea')).toHaveLength(0);
});

// ---------------------------------------------------------------- the button

function drawn(state) {
  const model = widgetModel({ label: 'Copy the line', text: 'x = 1', ...state });
  const el = element('div');
  document.body.append(el);
  const close = copyButton.render({ model, el });
  const [button, says] = el.children;
  const press = async () => {
    button.click();
    await vi.advanceTimersByTimeAsync(0);
  };
  return { model, button, says, press, close };
}

test('the button copies the text of the moment, says so, and is silent again', async () => {
  const writeText = vi.fn(async () => undefined);
  browser({ writeText });
  const { model, says, press } = drawn({});
  model.state.text = 'x = 2';
  await press();
  expect([writeText.mock.calls, says.textContent]).toEqual([[['x = 2']], 'copied']);
  await vi.advanceTimersByTimeAsync(4000);
  expect(says.textContent).toBe('');
});

test('where nothing can be copied it says what to do', async () => {
  browser(refusing);
  document.execCommand = () => false;
  const { says, press } = drawn({});
  await press();
  expect(says.textContent).toBe('Select the line and copy it.');
});

test('without a text there is nothing to copy, until one comes; a closed one follows no more', () => {
  const { model, button, close } = drawn({ text: '' });
  expect(button.disabled).toBe(true);
  model.state.text = 'x';
  model.say('change:text');
  expect(button.disabled).toBe(false);
  close();
  model.state.text = '';
  model.say('change:text');
  expect(button.disabled).toBe(false);
});

test('a hostile label is text', () => {
  const hostile = '<img src=x onerror="alert(1)">';
  const { button } = drawn({ label: hostile });
  expect([button.textContent, button.querySelector('img')]).toEqual([hostile, null]);
});

// ---------------------------------------------------------------- elements and still pictures

test.each([
  [{ hidden: true }, '<p hidden=""></p>'],
  [{ hidden: false }, '<p></p>'],
  [{ title: null, id: undefined }, '<p></p>'],
  [{ title: 0 }, '<p title="0"></p>'],
  [{ title: '"><script>' }, '<p title="&quot;><script>"></p>']
])('an element with %j is %s', (attributes, html) => {
  expect(element('p', attributes).outerHTML.replaceAll('&gt;', '>').replaceAll('&lt;', '<')).toBe(html);
});

test('two views with one still picture cover it until both are gone', () => {
  const ends = [coverTwin('twin-1'), coverTwin('twin-1')];
  ends[0]();
  expect(document.head.querySelectorAll('style')).toHaveLength(1);
  ends[1]();
  expect(document.head.querySelectorAll('style')).toHaveLength(0);
});
