/** Shaders without a graphics card: what they are given, what they read, and the colours that they mix. */
import * as THREE from 'three';
import { expect, test } from 'vitest';

import {
  atomMaterial,
  bondMaterial,
  cubeMaterial,
  PAPER,
  peakMaterial,
  sketchAtomMaterial,
  sketchBondMaterial
} from '../../qcrbox_kernel_lib/qcrbox/widgets/structure_view/js/materials.js';
import { PropertySurface } from '../../qcrbox_kernel_lib/qcrbox/widgets/structure_view/js/surface.js';

const MATERIALS = {
  atoms: atomMaterial,
  bonds: bondMaterial,
  'atoms of a sketch': sketchAtomMaterial,
  'bonds of a sketch': sketchBondMaterial,
  cubes: cubeMaterial,
  peaks: peakMaterial
};
const surface = () => {
  const bytes = array => new DataView(array.buffer);
  const said = {
    values: bytes(new Float32Array(3)),
    vertices: bytes(new Float32Array(9)),
    faces: bytes(new Uint32Array([0, 1, 2]))
  };
  return new PropertySurface({ ...said, name: 'd_norm', low: -1, high: 1, area: 1 }).mesh.material;
};
const all = { ...MATERIALS, surfaces: surface };

/** Names that a shader declares with a word; `uniform float a, b;` declares two. */
function declared(source, word) {
  const found = [...source.matchAll(new RegExp(`(?:^|[;\\s])(?:flat )?${word} \\w+ ([\\w, ]+);`, 'g'))];
  return found.flatMap(([, names]) => names.split(',').map(name => name.trim()));
}

test.each(Object.entries(all))('the shaders of %s read the uniforms that are set, and no others', (_, make) => {
  const { uniforms, vertexShader, fragmentShader } = make();
  const read = new Set(declared(`${vertexShader}\n${fragmentShader}`, 'uniform'));
  expect([...read].filter(name => !(name in uniforms))).toEqual([]);
  expect(Object.keys(uniforms).filter(name => !read.has(name))).toEqual([]);
});

test.each(Object.entries(all))('what the pixels of %s read is written for each vertex, by one type', (_, make) => {
  const { vertexShader, fragmentShader } = make();
  const typed = (source, word) =>
    Object.fromEntries(
      [...source.matchAll(new RegExp(`(?:^|[;\\s])((?:flat )?)${word} (\\w+) (\\w+);`, 'g'))].map(
        ([, flat, type, name]) => [name, flat + type]
      )
    );
  const [written, read] = [typed(vertexShader, 'out'), typed(fragmentShader, 'in')];
  expect(Object.keys(read).length).toBeGreaterThan(0);
  for (const [name, type] of Object.entries(read)) {
    expect([name, written[name]]).toEqual([name, type]);
  }
});

test.each(Object.entries(all))(
  'the shaders of %s have a version, brackets that close and one colour as result',
  (_, make) => {
    const { glslVersion, vertexShader, fragmentShader } = make();
    expect(glslVersion).toBe(THREE.GLSL3);
    for (const source of [vertexShader, fragmentShader]) {
      for (const [open, close] of ['{}', '()', '[]']) {
        expect(source.split(open).length).toBe(source.split(close).length);
      }
      expect(source).not.toMatch(/undefined|NaN|\$\{/);
    }
    expect(declared(fragmentShader, 'out')).toEqual(['outColour']);
    expect(vertexShader).toContain('gl_Position =');
  }
);

test.each(Object.entries(MATERIALS))('%s lie on the paper of the page: one colour for all views', (_, make) => {
  expect(make().uniforms.uPaper).toBe(PAPER);
  expect(make()).not.toBe(make());
});

test('a view has a scale and a depth of its own: turning one does not fade the other', () => {
  const [one, other] = [atomMaterial(), atomMaterial()];
  one.uniforms.uScale.value = 2;
  one.uniforms.uDepth.value.set(5, 3);
  expect([other.uniforms.uScale.value, other.uniforms.uDepth.value.toArray()]).toEqual([1, [1, 1]]);
});

// The formulas of LIGHT, in numbers: what lies at the middle or before it has its colour, a radius behind it half of the
// paper's. z is negative in front of the camera.
const faded = (colour, paper, z, [middle, radius]) => {
  const part = 0.5 * Math.min(1, Math.max(0, (-z - middle) / radius));
  return colour + (paper - colour) * part;
};
test.each([
  [-8, 0.2],
  [-10, 0.2],
  [-11, 0.4],
  [-12, 0.6],
  [-50, 0.6]
])('a grey of 0.2 at the depth %f is %f on white paper, around a middle at 10 with radius 2', (z, grey) => {
  expect(faded(0.2, 1, z, [10, 2])).toBeCloseTo(grey, 10);
  // The shader has the same formula.
  expect(atomMaterial().fragmentShader).toContain(
    'mix(colour, uPaper, 0.5 * clamp((-z - uDepth.x) / uDepth.y, 0.0, 1.0))'
  );
});

test('cubes and peaks do not fade: they are warnings and marks', () => {
  for (const make of [cubeMaterial, peakMaterial]) {
    const [middle, radius] = make().uniforms.uDepth.value.toArray();
    expect(faded(0.2, 1, -1000, [middle, radius])).toBeCloseTo(0.2, 5);
  }
});

test('edges of atoms are smoothed by the card, and surfaces let what is behind shine through', () => {
  expect(atomMaterial().alphaToCoverage).toBe(true);
  const { transparent, depthWrite, side } = surface();
  expect([transparent, depthWrite, side]).toEqual([true, false, THREE.DoubleSide]);
});
