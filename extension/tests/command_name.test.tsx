import { readFileSync } from 'node:fs';
import * as React from 'react';
import { expect, test, vi } from 'vitest';

import { commandCall, CommandName, commandPhrase } from '../src/command_name';
import { html, words } from './lab_parts';

vi.mock('@jupyterlab/ui-components', () => import('./lab_parts'));

interface ICase {
  name: string;
  title: string;
  description: string;
  phrase: string;
}
const CASES = JSON.parse(
  readFileSync(new URL('../../qcrbox_kernel_lib/tests/spec/command_phrases.json', import.meta.url), 'utf8')
) as ICase[];

test.each(CASES)('$name is read as "$phrase"', ({ phrase, ...named }) => {
  expect(commandPhrase(named)).toBe(phrase);
});

test('what it is called in Python stands behind it, also where the slug is no Python name', () => {
  expect(commandCall('crysalis-pro', 'import')).toBe('crysalis_pro.import_');
  const shown = <CommandName slug="refine" command={{ name: 'refine_iam', title: 'IAM refinement' }} />;
  expect(words(shown)).toBe('Refine IAM refine.refine_iam');
});

test('names from a file are text', () => {
  expect(html(<CommandName slug="a" command={{ name: '<b>bold</b>' }} />)).not.toContain('<b>');
});
