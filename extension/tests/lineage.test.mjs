import { beforeEach, expect, test } from 'vitest';

import lineage from '../../qcrbox_kernel_lib/qcrbox/widgets/lineage/js/index.js';
import { Element, openPage, widgetModel } from './page.mjs';

let page;
beforeEach(() => (page = openPage()));

const node = (id, column, row, more = {}) => ({
  id,
  column,
  row,
  kind: 'data_file',
  label: id,
  words: `file ${id}`,
  code: `qc["${id}"]`,
  ...more
});
const GRAPH = {
  focus: 'iam',
  truncated: false,
  nodes: [
    node('azu', 0, 0),
    node('run', 1, 0, { kind: 'calculation', status: 'successful', words: 'refine_iam', code: '' }),
    node('iam', 2, 0),
    node('log', 2, 1),
    node('secret', 0, 1, { kind: 'hidden', code: '', words: 'not yours' })
  ],
  edges: [
    { source: 'azu', target: 'run', role: 'structure' },
    { source: 'run', target: 'iam' },
    { source: 'run', target: 'log' },
    { source: 'secret', target: 'run' },
    { source: 'gone', target: 'run' }
  ]
};

function drawn(graph = GRAPH) {
  const el = new Element('div');
  const close = lineage.render({ model: widgetModel({ graph, twin: 'qc-1', svg: '<svg/>' }), el });
  const items = el.tagged('g');
  const at = id => items[graph.nodes.findIndex(each => each.id === id)];
  return {
    el,
    close,
    items,
    at,
    says: () => el.tagged('div').find(each => each.classList.contains('qcl-says')).textContent
  };
}

test('every file and calculation is an item of a tree, one of them in the order of Tab', () => {
  const { items } = drawn();
  expect(items.map(each => each.attributes.role)).toEqual(Array(5).fill('treeitem'));
  expect(items.map(each => each.attributes.tabindex)).toEqual(['0', '-1', '-1', '-1', '-1']);
  expect(items.map(each => each.attributes['aria-level'])).toEqual(['1', '2', '3', '3', '1']);
});

test('a calculation shows how it ended on a second line, and its whole title to the pointer', () => {
  const words = 'calculation azu · HAR B3LYP/def2-TZVP with dispersion · R1 0.0412, successful';
  const more = {
    kind: 'calculation',
    status: 'successful',
    label: 'azu · HAR B3LYP/def2-TZVP with dispersion',
    verdict: 'R1 0.0412',
    words
  };
  const { at } = drawn({ ...GRAPH, nodes: [node('run', 0, 0, more), node('cif', 1, 0)], edges: [] });
  const lines = at('run').tagged('text');
  expect(lines.map(each => each.textContent)).toEqual(['✓ azu · HAR B3LYP/de…', 'R1 0.0412']);
  expect(Number(lines[1].attributes.y) - Number(lines[0].attributes.y)).toBe(15);
  expect(at('run').tagged('title')[0].textContent).toBe(words);
  expect(
    at('cif')
      .tagged('text')
      .map(each => each.textContent)
  ).toEqual(['cif']);
});

test('a calculation that should be looked at first has the amber sign and frame', () => {
  const graph = {
    ...GRAPH,
    nodes: GRAPH.nodes.map(each => (each.id === 'run' ? { ...each, doubtful: true } : each))
  };
  const frame = which => drawn(which).at('run').tagged('rect')[0].attributes.stroke;
  expect(drawn(graph).at('run').tagged('text')[0].textContent).toBe('⚠ run');
  expect(frame(graph)).not.toBe(frame(GRAPH));
});

test('arrows run between what is drawn; an end that is not shown has none', () => {
  const { el } = drawn();
  const lines = el.tagged('path').filter(each => each.attributes['marker-end']);
  expect(lines).toHaveLength(4);
  expect(lines[0].textContent).toBe('structure');
});

test('what the graph is about has a thick frame, calculations are round, failed ones dashed', () => {
  const graph = {
    ...GRAPH,
    nodes: GRAPH.nodes.map(each => (each.id === 'run' ? { ...each, status: 'failed' } : each))
  };
  const { at } = drawn(graph);
  const frame = id => at(id).tagged('rect')[0].attributes;
  expect(frame('iam')['stroke-width']).toBe('2.6');
  expect(frame('azu')['stroke-width']).toBe('1.2');
  expect([frame('run').rx, frame('azu').rx]).toEqual(['17', '3']);
  expect([frame('run')['stroke-dasharray'], frame('azu')['stroke-dasharray']]).toEqual(['5 3', undefined]);
  expect(at('run').tagged('text')[0].textContent).toBe('✗ run');
});

test('a long name is cut, the whole is said', () => {
  const name = 'a_very_long_name_of_a_structure.cif';
  const { at, says } = drawn({ ...GRAPH, nodes: [node(name, 0, 0)], edges: [] });
  expect(at(name).tagged('text')[0].textContent).toBe('a_very_long_name_of_…');
  at(name).focus();
  expect(says()).toBe(`file ${name}`);
});

test.each([
  ['azu', 'ArrowRight', 'run'],
  ['run', 'ArrowRight', 'iam'],
  ['iam', 'ArrowLeft', 'run'],
  ['iam', 'ArrowDown', 'log'],
  ['log', 'ArrowUp', 'iam'],
  ['log', 'ArrowDown', 'log'],
  ['azu', 'ArrowLeft', 'azu']
])('from %s the key %s goes to %s', (from, key, to) => {
  const { at, items } = drawn();
  at(from).focus();
  expect(at(from).fire('keydown', { key })).toEqual(['default', 'bubbling']);
  expect(page.activeElement).toBe(at(to));
  if (from !== to) expect(items.filter(each => each.attributes.tabindex === '0')).toEqual([at(to)]);
});

test('a key that is none of its own is left to the page', () => {
  const { at } = drawn();
  expect(at('azu').fire('keydown', { key: 'a' })).toEqual([]);
});

test('a chosen file gives its line of code, two chosen ones are compared', () => {
  const { el, at } = drawn();
  const code = el.tagged('code')[0];
  at('azu').click();
  expect(code.textContent).toBe('qc["azu"]');
  at('iam').fire('keydown', { key: 'Enter' });
  expect(code.textContent).toBe('qc.diff(qc["azu"], qc["iam"])');
  at('log').click();
  expect(code.textContent).toBe('qc.diff(qc["iam"], qc["log"])');
  at('iam').click();
  at('log').click();
  expect([code.textContent, el.tagged('span')[0].hidden]).toEqual(['', true]);
});

test.each(['run', 'secret'])('what has no code (%s) cannot be chosen', id => {
  const { at } = drawn();
  at(id).click();
  expect([at(id).classList.contains('chosen'), at(id).attributes['aria-selected']]).toEqual([false, 'false']);
});

test('a graph that is cut says so', () => {
  expect(drawn({ ...GRAPH, truncated: true }).says()).toMatch(/^5 files and calculations, more are not shown\./);
});

test('an empty graph is drawn too', () => {
  expect(drawn({ focus: '', truncated: false, nodes: [], edges: [] }).says()).toMatch(/^0 files/);
});

test('the still picture is covered until the widget is closed', () => {
  const { close } = drawn();
  const covers = () => page.head.childNodes.filter(each => each.textContent.includes('.qc-1'));
  expect(covers()).toHaveLength(1);
  close();
  expect(covers()).toHaveLength(0);
});

test('two pictures on one page have arrows of their own: one out of sight takes none from the other', () => {
  const arrows = [drawn(), drawn()].map(({ el }) => {
    const [marker] = el.tagged('marker');
    const ends = el
      .tagged('path')
      .map(each => each.attributes['marker-end'])
      .filter(Boolean);
    expect(new Set(ends)).toEqual(new Set([`url(#${marker.attributes.id})`]));
    return marker.attributes.id;
  });
  expect(new Set(arrows).size).toBe(2);
});
