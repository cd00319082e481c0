import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';

import { cifIcon, qcrboxIcon, windowIcon } from '../src/icons';

vi.mock('@jupyterlab/ui-components', () => ({
  LabIcon: class {
    constructor(given: object) {
      Object.assign(this, given);
    }
  }
}));

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

/** Contrast of two colours `#rrggbb` (WCAG 2.2, relative luminance). */
function contrast(first: string, second: string): number {
  const luminance = (colour: string) => {
    const [r = 0, g = 0, b = 0] = [1, 3, 5].map(at => {
      const part = parseInt(colour.slice(at, at + 2), 16) / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [light = 0, dark = 0] = [luminance(first), luminance(second)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

test('the contrast is that of the standard', () => {
  expect(contrast('#ffffff', '#000000')).toBeCloseTo(21);
  expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2);
});

test('words of doubt can be read on the light backgrounds of Lab', () => {
  const token = /body\[data-jp-theme-light='true'\] \{\s*--qcrbox-warn-color: (#[0-9a-f]{6});/;
  const colour = token.exec(readFileSync(join(STYLE, 'base.css'), 'utf8'))?.[1] ?? '';
  for (const background of ['#ffffff', '#eeeeee']) {
    expect(contrast(colour, background)).toBeGreaterThanOrEqual(4.5);
  }
});

test.each(sheets)('%s writes no text in the orange of Lab, which is 3.8 : 1 on white', name => {
  expect(readFileSync(join(STYLE, name), 'utf8')).not.toMatch(/^ {2}color: var\(--jp-warn-color/m);
});

test('icons of our files are white on a selected row, lines and shapes', () => {
  for (const { name, svgstr } of [cifIcon, qcrboxIcon, windowIcon]) {
    expect(svgstr.match(/<(path|ellipse)/g), name).toHaveLength(
      svgstr.match(/qcrbox-icon-line|jp-icon-selectable/g)?.length ?? 0
    );
  }
  const sheet = readFileSync(join(STYLE, 'base.css'), 'utf8');
  expect(sheet).toMatch(/\.jp-mod-selected \.qcrbox-icon-line\[stroke\] \{\s*stroke: #fff;/);
});

test('a long line of a log goes on with an indent', () => {
  const [, rule = ''] = /\.qcrbox-Log > div \{([^}]*)\}/.exec(readFileSync(join(STYLE, 'base.css'), 'utf8')) ?? [];
  expect(rule).toContain('padding-left: 2ch');
  expect(rule).toContain('text-indent: -2ch');
});

test('amber wins over the colour of every state', () => {
  const sheet = readFileSync(join(STYLE, 'base.css'), 'utf8');
  const states = [...sheet.matchAll(/\.qcrbox-State\[data-state='[a-z]+'\]/g)].map(({ index }) => index);
  expect(states.length).toBeGreaterThan(4);
  // Rules of one weight: the last one counts.
  expect(sheet.search(/\.qcrbox-State\[data-doubtful\] \{\s*color: var\(--qcrbox-warn-color\)/)).toBeGreaterThan(
    Math.max(...states)
  );
});

test('what a field of a form means stands under its text', () => {
  const sheet = readFileSync(join(STYLE, 'base.css'), 'utf8');
  const rule = (selector: string) => sheet.slice(sheet.indexOf(`\n${selector} {`)).split('}')[0] ?? '';
  const field = rule('.qcrbox-CommandForm-field :is(input, select),\n.qcrbox-CommandForm-presets select');
  const inset = Number(/padding: \d+px (\d+)px/.exec(field)?.[1]) + Number(/border: (\d+)px/.exec(field)?.[1]);
  expect(rule('.qcrbox-CommandForm-field small')).toContain(`padding-left: ${inset}px`);
});
