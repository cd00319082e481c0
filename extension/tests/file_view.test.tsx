// @vitest-environment jsdom
/** A file in its tab: structure, items, plots, alerts, tables; with the real client on a server that the test plays. */
import { nullTranslator } from '@jupyterlab/translation';
import * as React from 'react';
import { afterEach, expect, test, vi } from 'vitest';

import { base64Of } from '../src/viewer/bytes';
import { ViewClient } from '../src/viewer/client';
import { Edits } from '../src/viewer/edits';
import { FileView } from '../src/viewer/file_view';
import { Items } from '../src/viewer/items';
import { Live } from '../src/viewer/live';
import { LiveModel } from '../src/viewer/live_model';
import { keyOf, Plots, Structure, Tables } from '../src/viewer/parts';
import type { ISource } from '../src/viewer/source';
import { Tabs } from '../src/viewer/tabs';
import { HOSTILE, later, mount, savedFiles, unmountAll } from './lab_dom';

vi.mock('@jupyterlab/ui-components', () => import('./lab_dom'));

const trans = nullTranslator.load('qcrbox');
const SOURCE: ISource = { name: 'azu.cif', file: 'f1' };

afterEach(async () => {
  await unmountAll();
  vi.restoreAllMocks();
});

interface IAnswers {
  [path: string]: unknown;
}

const PARTS: IAnswers = {
  'view/parts': { parts: ['structure', 'density', 'items', 'plots', 'alerts', 'table', 'text'] },
  'view/facts': { facts: [['space group', 'P 21/c']], remarks: ['No s.u. of the cell.'] },
  live: { key: 'k1', state: { twin: '' } },
  'view/plots': {
    plots: [
      ['fo_fc', 'Fo against Fc'],
      ['normal_probability', 'Normal probability']
    ]
  },
  'view/alerts': {
    alerts: [
      { test: 'T1', level: 'B', text: 'Short contact', advice: 'Look.', atoms: ['C1', 'C2', 'C3', 'C4', 'C5'] },
      { test: 'T2', level: 'G', text: 'Note', advice: '', atoms: [] }
    ],
    not_run: [['ABSTY', 'no reflections']],
    notice: 'Not checkCIF.'
  },
  'view/table': {
    tables: [{ title: 'Table 1', caption: 'Of azu.', heads: ['item', 'value'], rows: [['a', '7.8(1)']] }]
  },
  'view/text': { text: 'data_azu', whole: true }
};

/** Answers by path without query; an Error is thrown, a function is called, anything else is the answer. */
function server(more: IAnswers = {}) {
  const asked: string[] = [];
  const drawn: string[] = [];
  const answers: IAnswers = { ...PARTS, ...more };
  const client = {
    local: async (path: string, init: RequestInit) => {
      asked.push(path);
      const plain = path.split('?')[0] ?? '';
      const known = answers[plain] ?? (plain.startsWith('view/plot-') ? { alt: `the plot ${plain}` } : undefined);
      const answer = typeof known === 'function' ? (known as (init: RequestInit) => unknown)(init) : known;
      if (answer instanceof Error || answer === undefined) {
        throw answer ?? new Error(`The file has no ${plain}.`);
      }
      return answer;
    }
  };
  const views = new ViewClient(client as never);
  // A module is code of the server, which a page imports by its address; here it writes down what it draws.
  const module = vi.fn(async (name: string) => ({
    default: {
      render: ({ el }: { el: HTMLElement }) => {
        drawn.push(name);
        el.append(`drawn: ${name}`);
        return () => void drawn.push(`closed ${name}`);
      }
    }
  }));
  views.module = module as never;
  return { views, asked, drawn, answers, module };
}

// ---------------------------------------------------------------- tabs

const TABS = ['one', 'two', 'three'].map(name => ({
  name,
  label: name.toUpperCase(),
  content: () => <p>of {name}</p>
}));

test.each([
  ['ArrowRight', 'two'],
  ['ArrowLeft', 'three'],
  ['End', 'three'],
  ['Home', 'one'],
  ['a', 'one']
])('from the first tab %s goes to %s, with the focus', async (key, name) => {
  const page = await mount(<Tabs tabs={TABS} label="Parts" />);
  page.button('ONE').focus();
  await page.key(page.button('ONE'), key);
  const chosen = page.button(name.toUpperCase());
  expect(chosen.getAttribute('aria-selected')).toBe('true');
  expect(document.activeElement).toBe(chosen);
  expect(page.all('[role="tabpanel"]').map(each => each.textContent)).toEqual([`of ${name}`]);
  expect(
    page
      .all('[role="tab"]')
      .map(each => each.tabIndex)
      .sort()
  ).toEqual([-1, -1, 0]);
});

test('a panel is named by its tab; a tab that goes leaves the first', async () => {
  const second = { name: 'two' };
  const page = await mount(<Tabs tabs={TABS} label="Parts" asked={second} />);
  const panel = page.all('[role="tabpanel"]')[0] as HTMLElement;
  expect(document.getElementById(panel.getAttribute('aria-labelledby') ?? '')?.textContent).toBe('TWO');
  await page.show(<Tabs tabs={TABS.slice(2)} label="Parts" asked={second} />);
  expect(page.words()).toBe('THREEof three');
});

// ---------------------------------------------------------------- a file

function fileView(answers: IAnswers = {}, actions: object = {}) {
  const played = server(answers);
  const view = new FileView(SOURCE, played.views, { buttons: [], ...actions }, trans);
  return { ...played, view };
}

test('a file has the tabs of its parts, in one order, and of the first the content', async () => {
  const { view, asked } = fileView();
  const page = await mount(view);
  expect(page.all('[role="tab"]').map(each => each.textContent)).toEqual([
    'Structure',
    'CIF',
    'Data',
    'Alerts',
    'Table 1',
    'Text'
  ]);
  expect(page.words()).toContain('⚠ No s.u. of the cell.');
  expect(asked.some(path => path.startsWith('view/alerts'))).toBe(false);
});

test('a file that cannot be read says why, without tabs; one that is repaired is shown', async () => {
  const { view, answers } = fileView({ 'view/parts': new Error('Line 3: a quote is not closed.') });
  const page = await mount(view);
  expect([page.words(), page.all('[role="tab"]')]).toEqual(['azu.cifLine 3: a quote is not closed.', []]);
  answers['view/parts'] = { parts: ['text'] };
  await page.settle(() => (view.source = { name: 'azu.cif', bytes: new Uint8Array([1]) }));
  expect(page.words()).toContain('data_azu');
});

test('of a file without data the reason stands above its text', async () => {
  const problem = 'azu.cif has no data block. A CIF begins with a line data_name.';
  const page = await mount(fileView({ 'view/parts': { parts: ['text'], problem } }).view);
  expect(page.all('[role="alert"]').map(each => each.textContent)).toEqual([problem]);
  expect(page.all('[role="tab"]').map(each => each.textContent)).toEqual(['Text']);
});

test('while a changed file is read the chosen tab stays', async () => {
  const { view, answers } = fileView();
  const page = await mount(view);
  await page.press('Table 1');
  const parts = later<unknown>();
  answers['view/parts'] = () => parts.promise;
  await page.settle(() => (view.source = { name: 'azu.cif', bytes: new Uint8Array([1]) }));
  expect(page.button('Table 1').getAttribute('aria-selected')).toBe('true');
  await page.settle(() => parts.answer({ parts: ['items', 'table'] }));
  expect(page.button('Table 1').getAttribute('aria-selected')).toBe('true');
});

test('without a source there is a word of waiting; buttons beside the name do what they say', async () => {
  const run = vi.fn();
  const view = new FileView(undefined, server().views, { buttons: [{ label: 'Refine …', run }] }, trans);
  const page = await mount(view);
  expect(page.words()).toBe('Reading the file …');
  await page.settle(() => (view.source = SOURCE));
  await page.press('Refine …');
  expect(run).toHaveBeenCalledTimes(1);
});

test('names, facts, alerts, tables, items and plots of a hostile file are text', async () => {
  const table = { title: HOSTILE, caption: HOSTILE, heads: [HOSTILE], rows: [[HOSTILE]] };
  const { view } = fileView({
    'view/facts': { facts: [[HOSTILE, HOSTILE]], remarks: [HOSTILE] },
    'view/alerts': {
      alerts: [{ test: '', level: 'A', text: HOSTILE, advice: HOSTILE, atoms: [HOSTILE] }],
      not_run: [[HOSTILE, HOSTILE]],
      notice: HOSTILE
    },
    'view/table': { tables: [table] },
    'view/outliers': table,
    'view/plots': { plots: [['normal_probability', HOSTILE]] },
    'view/plot-normal_probability': { alt: HOSTILE },
    'view/text': { text: HOSTILE, whole: false },
    'view/items': {
      blocks: [{ name: HOSTILE, sections: [{ heading: HOSTILE, entries: [{ tag: HOSTILE, value: HOSTILE }] }] }]
    }
  });
  view.source = { name: HOSTILE, file: 'f1' };
  const page = await mount(view);
  for (const tab of ['Structure', 'CIF', 'Data', 'Alerts', 'Table 1', 'Text']) {
    await page.press(tab);
    expect(page.all('[role="tabpanel"]')[0]?.textContent).toContain(HOSTILE);
    expect(page.all('img, script')).toEqual([]);
  }
});

// ---------------------------------------------------------------- structure and alerts

test('atoms of an alert are shown in the picture beside it; four of them are named on the button', async () => {
  const { view, answers } = fileView();
  const messages: unknown[] = [];
  answers['live/k1'] = (init: RequestInit) => (
    messages.push(JSON.parse(String(init.body))),
    { state: {}, messages: [] }
  );
  const page = await mount(view);
  await page.press('Alerts');
  expect(page.words()).toContain('A (serious): 0 · B (potentially serious): 1 · C (to check): 0 · G (to note): 1');
  await page.press('Show C1, C2, C3, C4 …');
  expect(messages).toEqual([{ do: 'highlight', labels: ['C1', 'C2', 'C3', 'C4', 'C5'] }]);
  expect(page.words()).toContain('Checks that could not run (1)ABSTY: no reflections');
});

/** A structure with a difference density, and what its widget and its server heard. */
async function structure(refine?: (edits: string, form: boolean) => Promise<void>) {
  const played = server();
  const messages: { do: string }[] = [];
  played.answers['live/k1'] = (init: RequestInit) => (
    messages.push(JSON.parse(String(init.body)) as { do: string }),
    { state: {}, messages: [] }
  );
  const page = await mount(
    <Structure views={played.views} source={SOURCE} density refine={refine} trans={trans} highlight={undefined} />
  );
  const widget = page.all('.qcrbox-Live')[0] as HTMLElement;
  const tell = (name: string, detail?: object) =>
    page.settle(() => widget.dispatchEvent(new CustomEvent(name, { bubbles: true, detail })));
  return { ...played, page, messages, tell };
}

test('the difference density is asked for by its box, and by the beginning of editing, once', async () => {
  const { page, messages, tell } = await structure();
  await tell('qcrbox-edit');
  await tell('qcrbox-edit');
  expect(messages).toEqual([{ do: 'difference density', shown: true }]);
  expect(page.all<HTMLInputElement>('input')[0]?.checked).toBe(true);
  await page.fill('Difference density', false);
  expect(messages.at(-1)).toEqual({ do: 'difference density', shown: false });
});

test('a refinement that is refused says why above the picture; the next attempt takes the words away', async () => {
  const refine = vi.fn(async (_edits: string, _form: boolean): Promise<void> => {
    throw new Error(`No .hkl file beside ${HOSTILE}.`);
  });
  const { page, tell } = await structure(refine);
  await tell('qcrbox-refine', { edits: 'iso C1', form: true });
  expect(refine).toHaveBeenCalledWith('iso C1', true);
  expect(page.all('[role="alert"]').map(each => each.textContent)).toEqual([`No .hkl file beside ${HOSTILE}.`]);
  refine.mockResolvedValueOnce(undefined);
  await tell('qcrbox-refine', { edits: 'iso C1', form: false });
  expect(page.all('[role="alert"]')).toEqual([]);
});

// ---------------------------------------------------------------- widgets in the tab

test('a module is drawn on its model and closed with it; one that comes too late is not drawn', async () => {
  const { views, drawn, module } = server();
  const [first, second] = [new LiveModel({}), new LiveModel({})];
  const page = await mount(<Live views={views} name="chart" model={first} trans={trans} />);
  expect([page.words(), drawn]).toEqual(['drawn: chart', ['chart']]);
  const late = later<never>();
  module.mockReturnValueOnce(late.promise);
  await page.show(<Live views={views} name="chart" model={second} trans={trans} />);
  expect(drawn).toEqual(['chart', 'closed chart']);
  await page.show(<p />);
  await page.settle(() => late.answer({ default: { render: () => drawn.push('too late') } } as never));
  expect(drawn).toEqual(['chart', 'closed chart']);
});

test('a module that cannot be loaded is said; with the next model the words go', async () => {
  const { views, module } = server();
  module.mockRejectedValueOnce(new Error('404'));
  const page = await mount(<Live views={views} name="chart" model={new LiveModel({})} trans={trans} />);
  expect(page.words()).toBe('This view cannot be loaded: 404. Reload the page.');
  await page.show(<Live views={views} name="chart" model={new LiveModel({})} trans={trans} />);
  expect(page.words()).toBe('drawn: chart');
});

test.each([
  ['azu.cif', 'normal_probability'],
  ['azu.fcf', 'fo_fc']
])('of %s the plot %s comes first; another is chosen from the list', async (name, first) => {
  const { views, asked } = server();
  const page = await mount(<Plots views={views} source={{ name, file: 'f1' }} trans={trans} />);
  expect(page.words()).toContain(`the plot view/plot-${first}`);
  const other = first === 'fo_fc' ? 'normal_probability' : 'fo_fc';
  await page.fill('Plot', other);
  expect(page.words()).toContain(`the plot view/plot-${other}`);
  expect(asked.filter(path => path.startsWith('view/plots'))).toHaveLength(1);
});

test('the key of a source follows its contents, not the object', () => {
  const bytes = (...values: number[]) => ({ name: 'a.cif', bytes: new Uint8Array(values) });
  expect(keyOf(bytes(1, 2))).toBe(keyOf(bytes(1, 2)));
  expect(keyOf(bytes(1, 2))).not.toBe(keyOf(bytes(2, 1)));
  expect(keyOf(SOURCE)).not.toBe(keyOf({ ...SOURCE, fcf: 'f2' }));
});

// ---------------------------------------------------------------- tables

test('tables are saved by the server’s name of the file; one that cannot be made says why', async () => {
  const { views, answers } = server();
  const saved = savedFiles();
  const report = vi.fn(async (kind: string, _source: ISource) => new File([''], `azu.${kind}`));
  views.report = report;
  const page = await mount(<Tables views={views} source={SOURCE} trans={trans} />);
  expect(page.words()).toContain('a7.8(1)');
  for (const label of ['Word', 'LaTeX', 'CSV', 'web page']) {
    await page.press(label);
  }
  expect(saved).toEqual(['azu.docx', 'azu.tex', 'azu.csv', 'azu.html']);
  report.mockRejectedValueOnce(new Error('The cell has no volume.'));
  await page.press('Word');
  expect(page.all('[role="alert"]')[0]?.textContent).toBe('The cell has no volume.');
  expect(answers['view/table']).toBeDefined();
});

// ---------------------------------------------------------------- items

const BLOCK = {
  name: 'azu',
  sections: [
    {
      heading: 'Cell',
      entries: [
        { tag: '_cell_length_a', value: '7.81(2)', unit: 'Å', words: 'Length of the edge a' },
        { tag: '_diffrn_ambient_temperature', value: '', words: 'Temperature' },
        { tag: '_exptl_absorpt_correction_type', value: 'multi-scan', choices: ['none', 'multi-scan'] },
        { tag: '_publ_section_comment', value: 'two\nlines' },
        { tag: '_refln_long', value: 'cut …', cut: true }
      ]
    },
    {
      heading: 'Atoms',
      entries: [{ tag: '', tags: ['_atom_site_label', '_atom_site_x'], rows: [['C1', '0.1']], total: 30 }]
    }
  ]
};

async function items(more: IAnswers = {}, keep = vi.fn(async (_bytes: Uint8Array) => undefined)) {
  const sent: { edits: object[] }[] = [];
  const edits = new Edits();
  const played = server({
    'view/items': { blocks: [BLOCK] },
    edit: (init: RequestInit) => {
      sent.push(JSON.parse(String(init.body)) as { edits: object[] });
      return { content: { $bytes: base64Of(new Uint8Array([100, sent.length])) }, remarks: [] };
    },
    ...more
  });
  const page = await mount(<Items views={played.views} source={SOURCE} edits={edits} keep={keep} trans={trans} />);
  const change = async (tag: string, from: string, to: string, how = 'Enter') => {
    await page.press(`Change ${tag}: ${from}`);
    await page.fill(tag, to);
    await page.key(page.field(tag), how);
  };
  return { ...played, page, edits, keep, sent, change };
}

test('an item is found by its name, its meaning or its value; sections without a hit go', async () => {
  const { page } = await items();
  const shown = () => page.all('.qcrbox-Item-tag').map(each => each.textContent);
  await page.fill('Find an item', 'EDGE A');
  expect([shown(), page.words().includes('Atoms')]).toEqual([['_cell_length_a'], false]);
  await page.fill('Find an item', 'multi');
  expect(shown()).toEqual(['_exptl_absorpt_correction_type']);
  await page.fill('Find an item', 'atom_site_x');
  expect([shown(), page.words().includes('loop_ _atom_site_label')]).toEqual([[], true]);
});

test('Enter keeps a change, Escape discards it; an unchanged value is no change', async () => {
  const { page, edits, change } = await items();
  await change('_cell_length_a', '7.81(2)', '7.9', 'Escape');
  await change('_cell_length_a', '7.81(2)', '7.81(2)');
  expect(edits.list).toEqual([]);
  await change('_cell_length_a', '7.81(2)', '7.82(2)');
  expect(edits.list).toEqual([{ block: 'azu', tag: '_cell_length_a', value: '7.82(2)' }]);
  expect(page.words()).toContain('1 item changed');
  expect(page.button('Change _cell_length_a: 7.82(2)').className).toContain('qcrbox-mod-changed');
});

test('a value that is left takes the change too; Enter in several lines begins a line', async () => {
  const { page, edits } = await items();
  await page.press('Change _publ_section_comment: two\nlines');
  const field = page.field('_publ_section_comment');
  expect(field.tagName).toBe('TEXTAREA');
  await page.fill('_publ_section_comment', 'three\nlines');
  await page.key(field, 'Enter');
  expect(edits.list).toEqual([]);
  await page.settle(() => field.dispatchEvent(new FocusEvent('focusout', { bubbles: true })));
  expect(edits.list.map(each => each.value)).toEqual(['three\nlines']);
});

test('an empty value can be opened, an allowed one is offered, a cut one is only read', async () => {
  const { page } = await items();
  expect(page.button('Change _diffrn_ambient_temperature: ').textContent).toBe('–');
  await page.press('Change _exptl_absorpt_correction_type: multi-scan');
  expect(page.all<HTMLOptionElement>('datalist option').map(each => each.value)).toEqual(['none', 'multi-scan']);
  expect(() => page.button('Change _refln_long: cut …')).toThrow();
});

test('a cell of a loop is changed in its row; of a long loop the beginning is there', async () => {
  const { page, edits, change } = await items();
  await change('_atom_site_x', '0.1', '0.2');
  expect(edits.list).toEqual([{ block: 'azu', tag: '_atom_site_x', row: 0, value: '0.2' }]);
  expect(page.words()).toContain('The first 1 of 30.');
});

test('changes are undone and done again; the dictionaries’ remarks follow', async () => {
  const { page, change, answers } = await items();
  answers['edit'] = () => ({
    content: { $bytes: '' },
    remarks: [{ line: 1, tag: '_a', text: `${HOSTILE} is no number.` }]
  });
  await change('_cell_length_a', '7.81(2)', 'x');
  expect(page.words()).toContain(`⚠ ${HOSTILE} is no number.`);
  expect(page.all('img')).toEqual([]);
  await page.press('Undo');
  expect([page.words().includes('no number'), page.button('Undo').disabled]).toEqual([false, true]);
  await page.press('Redo');
  expect(page.words()).toContain('is no number.');
});

test('what the server refuses cannot be kept, and says why; the next change is checked anew', async () => {
  const { page, change, answers, keep } = await items();
  answers['edit'] = new Error('A text field holds a line that begins with a semicolon.');
  await change('_cell_length_a', '7.81(2)', ';');
  expect(page.words()).toContain('begins with a semicolon');
  expect(page.button('Keep the changes').disabled).toBe(true);
  answers['edit'] = () => ({ content: { $bytes: '' }, remarks: [] });
  await change('_cell_length_a', ';', '7.8');
  expect(page.button('Keep the changes').disabled).toBe(false);
  expect(keep).not.toHaveBeenCalled();
});

test('changes are kept once, however often the button is pressed', async () => {
  const storing = later<undefined>();
  const keep = vi.fn(async (_bytes: Uint8Array) => storing.promise);
  const { page, change, edits } = await items({}, keep);
  await change('_cell_length_a', '7.81(2)', '7.8');
  await page.press('Keep the changes');
  await page.press('Keep the changes');
  expect(keep).toHaveBeenCalledTimes(1);
  expect(page.button('Keep the changes').disabled).toBe(true);
  await page.settle(() => storing.answer(undefined));
  expect(edits.list).toEqual([]);
});

test('a change that is made while the others are stored is not lost', async () => {
  const storing = later<undefined>();
  const { page, change, edits } = await items(
    {},
    vi.fn(async () => storing.promise)
  );
  await change('_cell_length_a', '7.81(2)', '7.8');
  await page.press('Keep the changes');
  await change('_diffrn_ambient_temperature', '', '120(2)');
  await page.settle(() => storing.answer(undefined));
  expect(edits.list.map(each => each.value)).toEqual(['120(2)']);
});

test.each(['The registry is not reachable.', 'You may not change this dataset.'])(
  'changes that could not be stored stay, with the reason: %s',
  async reason => {
    const keep = vi.fn(async (_bytes: Uint8Array): Promise<undefined> => {
      throw new Error(reason);
    });
    const { page, change, edits } = await items({}, keep);
    await change('_cell_length_a', '7.81(2)', '7.8');
    await page.press('Keep the changes');
    expect(page.all('[role="alert"]').map(each => each.textContent)).toEqual([reason]);
    expect(edits.list).toHaveLength(1);
    keep.mockResolvedValueOnce(undefined);
    await page.press('Keep the changes');
    expect(edits.list).toEqual([]);
  }
);

test('without the right to change, items are only read', async () => {
  const { views } = server({ 'view/items': { blocks: [BLOCK] } });
  const page = await mount(<Items views={views} source={SOURCE} trans={trans} />);
  expect(page.all('button')).toEqual([]);
  expect(page.words()).toContain('7.81(2)');
});

test('letter codes are read as letters; a change is made in the text of the file', async () => {
  const entries = [
    { tag: '_diffrn_radiation_type', value: 'Mo K\\a', read: 'Mo Kα', choices: [] },
    {
      tag: '_publ_author_name',
      tags: ['_publ_author_name'],
      rows: [['M\\"uller']],
      texts: [[`Müller ${HOSTILE}`]],
      total: 1
    }
  ];
  const block = { name: 'azu', sections: [{ heading: 'Data collection', entries }] };
  const { page } = await items({ 'view/items': { blocks: [block] } });
  expect(page.words()).toContain('Mo Kα');
  expect(page.words()).toContain(`Müller ${HOSTILE}`);
  expect(page.all('img')).toEqual([]);
  expect(page.button('Change _diffrn_radiation_type: Mo Kα').title).toBe('Mo K\\a');
  await page.press('Change _diffrn_radiation_type: Mo Kα');
  expect(page.field('_diffrn_radiation_type').value).toBe('Mo K\\a');
});
