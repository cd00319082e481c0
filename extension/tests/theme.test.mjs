import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { DARK_PAPER, ink, isDark, paper, tint } from '../../qcrbox_kernel_lib/qcrbox/widgets/shared_js/theme.js';

// Relative luminance and contrast as WCAG 2.2 defines them.
const luminance = colour => {
  const parts = [1, 3, 5].map(at => parseInt(colour.slice(at, at + 2), 16) / 255);
  const [r, g, b] = parts.map(c => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = (one, other) => {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
};
const COLOURS = [
  '#000',
  '#111111',
  '#333',
  '#555',
  '#777',
  '#0b62c4',
  '#b3261e',
  '#1b7f3b',
  '#1f4fb5',
  '#6a3d00',
  '#0072B2',
  '#D55E00',
  '#009E73',
  '#CC79A7'
];

test.each(COLOURS)('%s can be read on dark paper', colour => {
  expect(contrast(ink(colour, true), DARK_PAPER)).toBeGreaterThanOrEqual(4.5);
  expect(ink(colour, false)).toBe(colour);
});

test.each(['#e8f0fb', '#f2f2f2', '#fffdf5'])('text can be read in a box of %s', colour => {
  expect(contrast(ink('#222222', true), tint(colour, true))).toBeGreaterThanOrEqual(4.5);
});

test('a hue stays what it is', () => {
  const red = ink('#b3261e', true);
  const [r, g, b] = [1, 3, 5].map(at => parseInt(red.slice(at, at + 2), 16));
  expect(r).toBeGreaterThan(g + 40);
  expect(r).toBeGreaterThan(b + 40);
  expect(ink('rgb(1, 2, 3)', true)).toBe('rgb(1, 2, 3)');
});

test('without a page, and on a light one, paper is white', () => {
  expect(isDark()).toBe(false);
  expect(paper()).toBe('#ffffff');
});

const text = path => readFileSync(new URL(path, import.meta.url), 'utf8');
const variables = (css, selector) =>
  Object.fromEntries(
    [
      ...css
        .slice(css.indexOf(`${selector} {`))
        .split('}')[0]
        .matchAll(/(--qcrbox-\S+-color): (\S+);/g)
    ].map(found => found.slice(1))
  );

test('colours of words in notebooks can be read in both themes, and without Lab', () => {
  const css = text('../style/base.css');
  const [dark, light] = [variables(css, 'body'), variables(css, "body[data-jp-theme-light='true']")];
  const used = [
    ...text('../../qcrbox_kernel_lib/qcrbox/markup/colours.py').matchAll(/var\((--qcrbox-\S+-color),(#\w{6})\)/g)
  ];
  expect(used).toHaveLength(5);
  for (const [, name, alone] of used) {
    expect(contrast(light[name], '#ffffff'), name).toBeGreaterThanOrEqual(4.5);
    expect(contrast(alone, '#ffffff'), name).toBeGreaterThanOrEqual(4.5);
    // Lab's own orange, #f57c00 in its dark theme, stands for warnings.
    expect(contrast(dark[name].replace('var(--jp-warn-color0)', '#f57c00'), '#212121'), name).toBeGreaterThanOrEqual(
      4.5
    );
  }
});
