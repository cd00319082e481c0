import { beforeEach, expect, test, vi } from 'vitest';

import { Fingerprint } from '../../qcrbox_kernel_lib/qcrbox/widgets/structure_view/js/fingerprint.js';
import { PropertySurface } from '../../qcrbox_kernel_lib/qcrbox/widgets/structure_view/js/surface.js';
import { Element, openPage } from './page.mjs';

beforeEach(() => openPage());

const view = array => new DataView(array.buffer);
const DI = Float32Array.from([1, 1.2, 1.5, 2]);
const DE = Float32Array.from([1, 1.1, 1.6, 2.2]);

function panel(kept = null) {
  const said = {
    name: 'd_norm',
    low: -0.5,
    high: 1,
    unit: '',
    area: 40,
    values: view(Float32Array.from([-0.5, 0, 0.5, 1])),
    vertices: view(Float32Array.from([0, 0, 0, 4, 0, 0, 0, 4, 0, 4, 4, 0])),
    faces: view(Uint32Array.from([0, 1, 2, 1, 3, 2])),
    fingerprint: {
      di: view(DI),
      de: view(DE),
      areas: view(Float32Array.from([10, 10, 10, 10])),
      pair: view(Uint16Array.from([0, 0, 1, 1])),
      touch: view(Uint16Array.from([0, 1, 0, 1])),
      touches: ['H1 … O2', 'C1 … H3'],
      pairs: [
        ['H…O', 12.5],
        ['C…H', 30]
      ],
      neighbours: ['x, y, z+1', '−x, −y, −z'],
      neighbour: 'none',
      note: 'Distances in Å.',
      properties: {
        d_norm: { values: view(Float32Array.from([-0.5, 0, 0.5, 1])), low: -0.5, high: 1, unit: '' },
        di: { values: view(DI), low: 1, high: 2, unit: 'Å' }
      }
    }
  };
  const owner = {
    stage: { draw: vi.fn() },
    surfaceText: new Element('div'),
    holder: new Element('div'),
    showNeighbours: vi.fn()
  };
  const surface = new PropertySurface(said);
  const made = new Fingerprint(owner, surface, kept);
  const grey = () => [0, 1, 2, 3].filter(i => surface.mesh.geometry.attributes.own.array[4 * i + 3] === 1);
  return { panel: made, owner, surface, grey };
}

const chosen = made => made.chosen.textContent;

test('at first all of the surface is chosen, and the closest contact is named', () => {
  const { panel: made, grey } = panel();
  expect(chosen(made)).toBe('Chosen: 40.0 Å², 100.0 %; closest di + de = 2.00 Å');
  expect(grey()).toEqual([]);
});

test('a choice of distances keeps its colour on the surface, the rest is grey', () => {
  const { panel: made, grey } = panel();
  made.choose([1.1, 1.6, 1, 1.7]);
  expect(grey()).toEqual([0, 3]);
  expect(chosen(made)).toBe('Chosen with di 1.10–1.60, de 1.00–1.70 Å: 20.0 Å², 50.0 %; closest di + de = 2.30 Å');
  made.choose(null);
  expect(grey()).toEqual([]);
});

test('a choice of nothing has no closest contact', () => {
  const { panel: made } = panel();
  made.choose([2.5, 2.6, 2.5, 2.6]);
  expect(chosen(made)).toContain(': 0.0 Å², 0.0 %');
  expect(chosen(made)).not.toContain('closest');
});

test('a pair of elements and a choice hold together', () => {
  const { panel: made, grey } = panel();
  made.setPair(0);
  expect(grey()).toEqual([2, 3]);
  made.choose([1.1, 3, 1, 3]);
  expect(grey()).toEqual([0, 2, 3]);
});

test('another property paints the surface by its own values and range', () => {
  const { panel: made, surface, owner } = panel();
  made.setProperty('di');
  expect([...surface.mesh.geometry.attributes.value.array]).toEqual([...DI]);
  expect(owner.surfaceText.textContent).toContain('di: red 1.00 Å – white – blue 2.00 Å');
});

test('dragging chooses a rectangle, whichever way; a click takes the choice away', () => {
  const { panel: made } = panel();
  const at = (name, offsetX, offsetY) => made.canvas.fire(name, { offsetX, offsetY, pointerId: 1 });
  at('pointerdown', 130, 200);
  at('pointermove', 80, 120);
  const [a, b, c, d] = made.choice;
  expect(a).toBeLessThan(b);
  expect(c).toBeLessThan(d);
  at('pointerup', 80, 120);
  expect(made.choice).not.toBeNull();
  at('pointerdown', 80, 120);
  at('pointerup', 80, 120);
  expect(made.choice).toBeNull();
});

test('arrows begin, move and widen a choice; Escape takes it away', () => {
  const { panel: made } = panel();
  const key = (name, more = {}) => made.canvas.fire('keydown', { key: name, ...more });
  key('ArrowRight');
  expect(made.choice).toEqual([0.9, 1.3, 0.9, 1.3]);
  key('ArrowRight');
  expect(made.choice.map(x => Math.round(10 * x) / 10)).toEqual([1, 1.4, 0.9, 1.3]);
  key('ArrowUp', { shiftKey: true });
  expect(made.choice.map(x => Math.round(10 * x) / 10)).toEqual([1, 1.4, 0.9, 1.4]);
  expect(key('a')).toEqual([]);
  key('Escape');
  expect(made.choice).toBeNull();
});

test('what was chosen stays chosen when the neighbours change', () => {
  const { panel: made } = panel();
  made.setProperty('di');
  made.choose([1, 1.3, 1, 1.3]);
  const { panel: again, grey } = panel(made.state());
  expect(again.property).toBe('di');
  expect(grey()).toEqual([2, 3]);
});

test('the area in the diagram is that of the surface', () => {
  const { panel: made } = panel();
  const counted = made.counted().reduce((sum, each) => sum + each, 0);
  expect(counted).toBeCloseTo(16, 3); // two triangles of 8 Å²
});

test('a vertex is described by what touches there and all its properties', () => {
  const { panel: made } = panel();
  expect(made.described(0)).toBe('H1 … O2: d_norm −0.50, di 1.00');
});
