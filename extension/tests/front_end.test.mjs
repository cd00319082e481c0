import assert from 'node:assert/strict';
import { test } from 'vitest';

import { calculationCode, commandCode, datasetCode, pythonName, withoutSecondImport } from '../src/notebook/code';
import { NO_FACETS, pathOf, rowOf, visible } from '../src/browser/query';
import { isLongAwaitedEnd } from '../src/panel/ending';
import { queueWords } from '../src/panel/queue';
import { EventParser } from '../src/registry/parser';
import { progressAfter } from '../src/registry/progress';
import { together, upload } from '../src/registry/upload';

const refine = { slug: 'refine', name: 'Refine' };
const command = parameters => ({ name: 'refine_iam', parameters });
const file = name => ({ name });
const names = groups => groups.map(group => group.map(each => each.name));

test('an event that comes in pieces is one event', () => {
  const parser = new EventParser();
  assert.deepEqual(parser.feed('id: 7\nevent: calculation\nda'), []);
  assert.deepEqual(parser.feed('ta: {"a":'), []);
  assert.deepEqual(parser.feed(' 1}\n\n: still here\n\n'), [{ id: '7', data: '{"a": 1}' }]);
});

test('lines may end with CR LF and data may have several lines', () => {
  assert.deepEqual(new EventParser().feed('data: a\r\ndata: b\r\n\r\n'), [{ id: '', data: 'a\nb' }]);
});

test.each([1, 2, 3, 7, 8, 9, 16])(
  'an event cut into pieces of %i characters is the same, also between CR and LF',
  size => {
    const stream = 'id: 1\r\ndata: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n';
    const parser = new EventParser();
    const pieces = stream.match(new RegExp(`[^]{1,${size}}`, 'g'));
    assert.deepEqual(
      pieces.flatMap(piece => parser.feed(piece)),
      [
        { id: '1', data: 'a\nb' },
        { id: '1', data: 'c' }
      ]
    );
  }
);

test('an event without an id keeps the last one', () => {
  const events = new EventParser().feed('id: 3\ndata: a\n\ndata: b\n\n');
  assert.deepEqual(
    events.map(each => each.id),
    ['3', '3']
  );
});

test('a slug becomes a Python name', () => {
  assert.equal(pythonName('olex2-linux'), 'olex2_linux');
  assert.equal(pythonName('3dmol'), '_3dmol');
});

test('a call names what must be given and leaves defaults alone', () => {
  const code = commandCode(
    refine,
    command({
      structure: { dtype: 'QCrBox.cif_data_file', required: true, default_value: null },
      reflections: { dtype: 'QCrBox.data_file', required: false, default_value: null },
      cycles: { dtype: 'int', required: false, default_value: 10 },
      d_min: { dtype: 'float', required: true, default_value: null },
      refined: { dtype: 'QCrBox.output_cif' }
    })
  );
  assert.match(code, /qc\.refine\.refine_iam\(qc\["…"\], d_min=…\)/);
});

test('an example is taken from the examples, a dataset by its name', () => {
  assert.match(datasetCode({ name: 'thpp', read_only: true }), /qc\.examples\["thpp"\]/);
  assert.match(datasetCode({ name: 'my "azu"', read_only: false }), /qc\["my \\"azu\\""\]/);
});

test('a name cannot break out of the code it is put into', () => {
  const evil = '"]; import os; os.system("x"); qc["';
  assert.ok(datasetCode({ name: evil }).includes(JSON.stringify(evil)));
  assert.ok(calculationCode(evil).includes(JSON.stringify(evil)));
});

test('a notebook imports once', () => {
  assert.equal(withoutSecondImport('import qcrbox as qc\n\ns', ['import qcrbox as qc\nx']), 's');
  assert.equal(withoutSecondImport('import qcrbox as qc\n\ns', ['x']), 'import qcrbox as qc\n\ns');
});

test('model and reflections of one name are one dataset, the model first', () => {
  const groups = together(['b.hkl', 'a.hkl', 'a.cif', 'B.CIF'].map(file));
  assert.deepEqual(names(groups), [
    ['B.CIF', 'b.hkl'],
    ['a.cif', 'a.hkl']
  ]);
});

test('a refused file stops its own dataset only and is named', async () => {
  const calls = [];
  const client = {
    newDataset: async each => {
      calls.push(`new ${each.name}`);
      if (each.name === 'bad.cif') throw new Error('line 3');
      return 'id';
    },
    append: async (id, each) => calls.push(`append ${each.name}`)
  };
  const results = await upload(client, ['bad.cif', 'bad.hkl', 'a.cif', 'a.hkl'].map(file), () => {});
  assert.deepEqual(calls, ['new bad.cif', 'new a.cif', 'append a.hkl']);
  assert.deepEqual(
    results.filter(each => !each.dataset && each.name !== 'a.hkl'),
    [
      { name: 'bad.cif', problem: 'line 3', without: '', dataset: '' },
      { name: 'bad.hkl', problem: '', without: 'bad.cif', dataset: '' }
    ]
  );
});

test('a line of the log does not take the progress away', () => {
  const running = { progress: { fraction: 0.4, text: 'cycle 2 of 5', metrics: { R1: 0.07 } } };
  const after = progressAfter(running, { kind: 'log', seq: 0, text: 'what the program wrote' });
  assert.deepEqual(after, running.progress);
});

test('progress that speaks of one thing leaves the others as they were', () => {
  const running = { progress: { fraction: 0.4, text: 'cycle 2 of 5', metrics: { R1: 0.07 } } };
  const after = progressAfter(running, { kind: 'progress', seq: 0, fraction: 0.6 });
  assert.deepEqual(after, { fraction: 0.6, text: 'cycle 2 of 5', metrics: { R1: 0.07 }, history: undefined });
});

const plain = {
  __: (text, ...values) => values.reduce((said, value, i) => said.replace(`%${i + 1}`, value), text),
  _n: (one, many, n) => (n === 1 ? one : many).replace('%1', n)
};

test('the place in the queue is said with time and reason', () => {
  const now = Date.parse('2026-11-24T06:00:00Z');
  const queue = { place: 15, reason: 'Your group may run 8 at once.', estimated_start: now / 1000 + 360 };
  assert.equal(
    queueWords({ status: 'submitted', queue }, plain, now),
    'Queued: 14 before you, about 6 min. Your group may run 8 at once.'
  );
  assert.equal(queueWords({ status: 'submitted', queue: { place: 1 } }, plain, now), 'Queued: next.');
  assert.equal(queueWords({ status: 'running', queue }, plain, now), '');
});

test('what was filled in becomes a search, the rest is left out', () => {
  const facets = {
    ...NO_FACETS,
    elements: 'C, Cu',
    cell: '6.92(1) 14.575, 9.725 90 90.637 90',
    tolerance: '3',
    r1Below: '0.05'
  };
  const query = new URL(pathOf(facets, false, 'x', 50), 'http://a/').searchParams;
  assert.deepEqual(Object.fromEntries(query), {
    limit: '50',
    mine: 'true',
    after: 'x',
    elements: 'C, Cu',
    cell: '6.92,14.575,9.725,90,90.637,90',
    tolerance: '0.03',
    r1_below: '0.05'
  });
  assert.equal(pathOf({ ...NO_FACETS, tolerance: '3' }, false, '', 10), 'search?limit=10&mine=true');
  assert.equal(pathOf(facets, true, '', 10), 'datasets?limit=10&mine=true&deleted=true');
  assert.match(pathOf(NO_FACETS, false, '', 10, false), /mine=false/);
});

test('only the rows in sight are drawn, and a few beside', () => {
  assert.deepEqual(visible(0, 280, 28, 100000), [0, 15]);
  assert.deepEqual(visible(28000, 280, 28, 100000), [995, 1015]);
  assert.deepEqual(visible(0, 280, 28, 3), [0, 3]);
});

test('a row says what the index knows', () => {
  const index = { kind: 'structure', formula_sum: 'C H4', space_group_hm: 'P 1', r1: 0.0417 };
  const row = rowOf({ qcrbox_dataset_id: '1', name: null, tags: ['a', 'b'], data_files: { 'x.cif': { index } } });
  assert.deepEqual(
    [row.name, row.formula, row.spaceGroup, row.r1, row.tags],
    ['x.cif', 'C H4', 'P 1', '0.0417', 'a, b']
  );
});

test('only the end of a long calculation is told', () => {
  const began = Date.parse('2026-11-24T06:00:00Z');
  const running = { status: 'running', started_at: '2026-11-24T06:00:00Z' };
  const ended = { kind: 'calculation', status: 'failed' };
  assert.equal(isLongAwaitedEnd(running, ended, began + 90_000), true);
  assert.equal(isLongAwaitedEnd(running, ended, began + 5_000), false);
  assert.equal(isLongAwaitedEnd(running, { kind: 'calculation', status: 'running' }, began + 90_000), false);
  assert.equal(isLongAwaitedEnd({ ...running, status: 'failed' }, ended, began + 90_000), false);
  assert.equal(isLongAwaitedEnd(undefined, ended, began + 90_000), false);
});
