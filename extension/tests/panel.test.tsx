import { nullTranslator } from '@jupyterlab/translation';
import * as React from 'react';
import { expect, test, vi } from 'vitest';

import { Applications } from '../src/panel/applications';
import { Calculations, StateMark, StateOrPlace } from '../src/panel/calculations';
import { ConnectionBar } from '../src/panel/connection';
import type { IPanelContext } from '../src/panel/context';
import { Datasets } from '../src/panel/datasets';
import { Log } from '../src/panel/log';
import { Sessions } from '../src/panel/sessions';
import type { Connection } from '../src/registry/store';
import type { IApplication, ICalculation, IDataset, ISession } from '../src/registry/types';
import { CrystalFacts } from '../src/crystal_facts';
import { html, words } from './lab_parts';

vi.mock('@jupyterlab/ui-components', () => import('./lab_parts'));

const trans = nullTranslator.load('qcrbox');
const calculation = (more: object = {}) =>
  ({
    calculation_id: 'c1',
    owner: 'ada',
    title: 'azu · IAM refinement',
    status: 'running',
    status_events: [],
    ...more
  }) as unknown as ICalculation;
const dataset = (name: string, more: object = {}) =>
  ({ qcrbox_dataset_id: name, name, owner: 'ada', data_files: {}, ...more }) as unknown as IDataset;

function context(store: object): IPanelContext {
  const empty = {
    applications: [],
    datasets: [],
    calculations: [],
    sessions: [],
    everybody: false,
    connection: 'live'
  };
  return { trans, store: { ...empty, problem: '', ...store } } as unknown as IPanelContext;
}

test.each([
  [{ status: 'running', step: 'uploading' }, '◌ storing results'],
  [{ status: 'successful' }, '✓ done'],
  [{ status: 'successful', warnings: ['The refinement has not converged.'] }, '⚠ done, not converged'],
  [{ status: 'successful', warnings: ['Two atoms are close.'] }, '⚠ done, with warnings'],
  [{ status: 'failed', warnings: ['x'] }, '✗ failed'],
  [{ status: 'of tomorrow' }, '? of tomorrow']
])('%j is marked %s', (more, text) => {
  expect(words(<StateMark calculation={calculation(more)} trans={trans} />)).toBe(text);
});

test.each([
  [{ status: 'submitted', queue: { place: 1 } }, '◷ Queued: next.'],
  [{ status: 'submitted', queue: { place: 4, reason: 'Held.' } }, '◷ Queued: 3 before you. Held.'],
  [{ status: 'submitted' }, '◷ queued'],
  [{ status: 'running', queue: { place: 1 } }, '◌ running']
])('%j says once that it waits: %s', (more, text) => {
  expect(words(<StateOrPlace calculation={calculation(more)} trans={trans} />)).toBe(text);
});

test('a list without calculations says how to begin', () => {
  expect(words(<Calculations context={context({})} />)).toContain('None yet. Run a command');
});

test('of very many calculations the newest hundred are in the page, and all are counted', () => {
  const calculations = Array.from({ length: 250 }, (_, n) => calculation({ calculation_id: `c${n}` }));
  const shown = html(<Calculations context={context({ calculations })} />);
  expect(shown.match(/data-calculation/g)).toHaveLength(100);
  expect(shown).toContain('>250<');
});

test('estimates that forms have asked for are not in the list', () => {
  const calculations = [calculation({ calculation_id: 'e', tags: ['estimate of a form'] }), calculation()];
  const shown = html(<Calculations context={context({ calculations })} />);
  expect(shown.match(/data-calculation="[^"]*"/g)).toEqual(['data-calculation="c1"']);
  expect(shown).toContain('>1<');
  const datasets = [dataset('plan', { calculation_id: 'e' }), dataset('refined', { calculation_id: 'c9' })];
  const stored = words(<Datasets context={context({ calculations, datasets })} />);
  expect([stored.includes('refined'), stored.includes('plan')]).toEqual([true, false]);
});

test('owners are named only where everybody’s work is listed', () => {
  const given = { calculations: [calculation()], datasets: [dataset('azu')] };
  expect(words(<Calculations context={context(given)} />)).not.toContain('ada');
  expect(words(<Calculations context={context({ ...given, everybody: true })} />)).toContain('ada');
  expect(words(<Datasets context={context({ ...given, everybody: true })} />)).toContain('ada');
});

test('examples are marked, and show no owner in the list', () => {
  const given = { datasets: [dataset('thpp', { read_only: true })], everybody: true };
  const text = words(<Datasets context={context(given)} />);
  expect(text).toContain('example');
  expect(text).not.toContain('ada');
});

test('a search appears with the ninth dataset; more than two hundred are searched for', () => {
  const many = (count: number) => Array.from({ length: count }, (_, n) => dataset(`d${n}`));
  expect(html(<Datasets context={context({ datasets: many(8) })} />)).not.toContain('type="search"');
  expect(html(<Datasets context={context({ datasets: many(9) })} />)).toContain('type="search"');
  expect(words(<Datasets context={context({ datasets: many(203) })} />)).toContain('3 more: search for them.');
});

test('a title from a file is text', () => {
  const evil = '<img src=x onerror=alert(1)>';
  const shown = html(<Datasets context={context({ datasets: [dataset(evil)] })} />);
  expect(shown).not.toContain('<img');
  expect(shown).toContain('&lt;img');
});

test('the main facts of a structure, as far as they are known', () => {
  const index = {
    formula_moiety: 'C10 H8',
    formula_sum: 'C10 H8 N0',
    space_group_hm: 'P 1 21/c 1',
    temperature_k: 100,
    r1: 0.0412,
    has_hkl: true,
    has_res: true,
    warnings: ['No s.u.']
  };
  const text = words(<CrystalFacts index={index} trans={trans} filename="azu.cif" />);
  expect(text).toBe(
    'File azu.cif Formula C10 H8 Space group P 2 1 / c Temperature 100 K R 1 0.0412 In the CIF hkl, res ⚠ No s.u.'
  );
  expect(words(<CrystalFacts index={{ formula_sum: 'C' }} trans={trans} />)).toBe('Formula C');
  expect(words(<CrystalFacts index={{ r1: 0 }} trans={trans} />)).toBe('R 1 0.0000');
});

test('without an open session there is no part for them', () => {
  expect(html(<Sessions context={context({})} />)).toBe('');
});

test('a session of another person says whose it is', () => {
  const session = { session_id: 's', application_slug: 'olex2', owner: 'bea', status: 'running', state: 'open' };
  const sessions = [session as unknown as ISession];
  expect(words(<Sessions context={context({ sessions, me: { name: 'ada' } })} />)).toContain('olex2 · bea ● open');
  expect(words(<Sessions context={context({ sessions, me: { name: 'bea' } })} />)).not.toContain('· bea');
});

test.each([
  ['connecting', 'Connecting …', true],
  ['live', 'Live', true],
  ['polling', 'No live connection; checking every few seconds', true],
  ['lost', 'Connection lost. Running calculations continue; retrying …', true],
  ['unconfigured', 'This server is not part of a QCrBox platform.', false]
] as [Connection, string, boolean][])('%s: "%s"', (connection, text, canRefresh) => {
  const shown = <ConnectionBar context={context({ connection })} />;
  expect(words(shown)).toContain(text);
  expect(words(shown).includes('Refresh')).toBe(canRefresh);
});

test('a problem is shown beside the connection', () => {
  expect(words(<ConnectionBar context={context({ problem: 'The registry restarts.' })} />)).toContain('restarts');
});

test('an application that is not installed is listed with that word; a search comes with the fourth', () => {
  const application = (slug: string, missing = '') =>
    ({ slug, name: slug, version: '1', missing, commands: [] }) as unknown as IApplication;
  const few = context({ applications: [application('a', 'Install it.'), application('b'), application('c')] });
  expect(words(<Applications context={few} />)).toContain('a not installed');
  expect(html(<Applications context={few} />)).not.toContain('type="search"');
  const more = context({ applications: ['a', 'b', 'c', 'd'].map(slug => application(slug)) });
  expect(html(<Applications context={more} />)).toContain('type="search"');
  expect(words(<Applications context={context({})} />)).toContain('No application is registered yet.');
});

test('a log shows its lines as text; where none is an error there is none to go to', () => {
  const fine = html(<Log text={'cycle 1\n<b>R1</b>'} trans={trans} />);
  expect(fine).toContain('&lt;b&gt;R1&lt;/b&gt;');
  expect(fine).toMatch(/disabled=""[^>]*>First error/);
  const wrong = html(<Log text={'cycle 1\nValueError: no cell'} trans={trans} />);
  expect(wrong).toMatch(/data-error="true">ValueError/);
  expect(wrong).not.toMatch(/disabled=""[^>]*>First error/);
});

test('of a very long log the end is in the page', () => {
  const text = Array.from({ length: 6000 }, (_, n) => `line ${n}`).join('\n');
  const shown = html(<Log text={text} trans={trans} />);
  expect(shown.match(/<div>line/g)).toHaveLength(5000);
  expect(shown).toContain('line 5999');
});
