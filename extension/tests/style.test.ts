import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const STYLE = join(__dirname, '../style');
const sheets = readdirSync(STYLE).filter(name => name.endsWith('.css'));

test.each(sheets)('what moves without end in %s is painted in few steps, and not where motion is unwanted', name => {
  // A smooth animation is painted with every frame, by the processor where there is no graphics card.
  const sheet = readFileSync(join(STYLE, name), 'utf8');
  const wanted = [...sheet.matchAll(/@media \(prefers-reduced-motion: no-preference\) \{\n(?: .*\n|\n)*\}/g)].join('');
  for (const [, rule = ''] of sheet.matchAll(/animation:([^;]*infinite[^;]*);/g)) {
    expect(rule).toMatch(/steps\([1-4]\)/);
    expect(wanted).toContain(rule);
  }
});
