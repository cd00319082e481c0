import { crc32 } from 'node:zlib';
import { beforeEach, expect, test, vi } from 'vitest';

import { png, save, withResolution } from '../../qcrbox_kernel_lib/qcrbox/widgets/structure_view/js/export.js';
import { openPage } from './page.mjs';

/** The smallest PNG: signature, header (8 + 25 bytes), and what follows. */
const PNG = Uint8Array.from(
  Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
    'base64'
  )
);

/** Name and data of every chunk, with whether its checksum is right. */
function chunks(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const found = [];
  for (let at = 8; at < bytes.length;) {
    const length = view.getUint32(at);
    const body = bytes.subarray(at + 4, at + 8 + length);
    const name = String.fromCharCode(...body.subarray(0, 4));
    found.push([name, body.subarray(4), crc32(body) === view.getUint32(at + 8 + length)]);
    at += 12 + length;
  }
  return found;
}

test('the resolution stands right behind the header, and the file is whole', () => {
  const found = chunks(withResolution(PNG));
  expect(found.map(([name]) => name)).toEqual(['IHDR', 'pHYs', 'IDAT', 'IEND']);
  expect(found.every(([, , isRight]) => isRight)).toBe(true);
});

test.each([
  [300, 11811],
  [72, 2835],
  [600, 23622]
])('%i dpi are %i pixels a metre', (dpi, perMetre) => {
  const [, data] = chunks(withResolution(PNG, dpi))[1];
  const view = new DataView(data.buffer, data.byteOffset);
  expect([view.getUint32(0), view.getUint32(4), data[8]]).toEqual([perMetre, perMetre, 1]);
});

test('the picture itself is not touched', () => {
  const made = withResolution(PNG);
  expect(made.subarray(0, 33)).toEqual(PNG.subarray(0, 33));
  expect(made.subarray(54)).toEqual(PNG.subarray(33));
});

beforeEach(() => {
  const page = openPage();
  const make = page.createElement;
  page.createElement = tag => Object.assign(make(tag), { toBlob: done => done(new Blob([PNG])) });
});

function stage() {
  const calls = [];
  const made = { width: 600, height: 400, canvas: {} };
  for (const name of ['resize', 'setPaper', 'drawNow']) made[name] = (...given) => calls.push([name, ...given]);
  return { stage: made, calls };
}

test('for print the picture is 17 cm wide on white paper; afterwards the page is as before', async () => {
  const { stage: made, calls } = stage();
  const texts = [];
  const overlay = { dark: true, draw: vi.fn(), text: (_c, text, x, y) => texts.push([text, x, y]) };
  const blob = await png(made, overlay, ['ρ: ±3 σ', 'd_norm']);
  const ratio = (17 / 2.54) * (300 / 600);
  expect(calls).toEqual([
    ['resize', 600, 400, ratio],
    ['setPaper', '#ffffff'],
    ['drawNow'],
    ['setPaper'],
    ['resize', 600, 400]
  ]);
  expect(overlay.draw).toHaveBeenCalledWith(made, ratio, expect.anything());
  expect(texts).toEqual([
    ['ρ: ±3 σ', 8, 400 - 10 - 16],
    ['d_norm', 8, 400 - 10]
  ]);
  expect(overlay.dark).toBe(false); // the page of this test is light
  expect(chunks(new Uint8Array(await blob.arrayBuffer())).map(([name]) => name)).toContain('pHYs');
});

test('a file is saved under its name, and its address is given back', () => {
  vi.useFakeTimers();
  const made = [];
  const revoked = vi.spyOn(URL, 'revokeObjectURL');
  const page = document.createElement;
  document.createElement = tag => {
    const element = page(tag);
    element.click = () => made.push([element.download, element.href]);
    return element;
  };
  save(new Blob(['x']), 'azulene.png');
  expect(made[0][0]).toBe('azulene.png');
  expect(made[0][1]).toMatch(/^blob:/);
  vi.advanceTimersByTime(10_000);
  expect(revoked).toHaveBeenCalledWith(made[0][1]);
  vi.useRealTimers();
});
