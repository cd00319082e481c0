import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const SOURCES = join(__dirname, '..', 'src');
const unsettling = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
  .filter(name => /\.tsx?$/.test(name))
  .flatMap(name =>
    readFileSync(join(SOURCES, name), 'utf8')
      .split('showDialog')
      .slice(1)
      .filter(text => text.slice(0, 900).includes('Dialog.warnButton'))
      .map((text): [string, string] => [name, text.slice(0, 900)])
  );

test('there are dialogs before something is lost', () => {
  expect(unsettling.length).toBeGreaterThanOrEqual(3);
});

test.each(unsettling)('in %s Enter takes the safe button, which comes first', (_, text) => {
  expect(text).toMatch(/buttons: \[\s*Dialog\.cancelButton/);
  expect(text).toContain('defaultButton: 0');
});
