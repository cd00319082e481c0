import { expect, test } from 'vitest';

import { Isosurface, march } from '../../qcrbox_kernel_lib/qcrbox/widgets/structure_view/js/isosurface.js';

const N = 25;
const MIDDLE = (N - 1) / 2;

/** Values of a function of the place on an N × N × N grid. */
function grid(value) {
  const values = new Float32Array(N ** 3);
  for (let i = 0; i < N; i++)
    for (let j = 0; j < N; j++) for (let k = 0; k < N; k++) values[(i * N + j) * N + k] = value(i, j, k);
  return values;
}

const distance = (i, j, k) => Math.hypot(i - MIDDLE, j - MIDDLE, k - MIDDLE);
// No grid point lies on a surface that the tests ask for: its triangles would shrink to points there.
const TOP = 10.13;
const ball = grid((i, j, k) => Math.max(0, TOP - distance(i, j, k)));

function* triangles(flat) {
  for (let n = 0; n < flat.length; n += 9) yield [0, 3, 6].map(k => flat.slice(n + k, n + k + 3));
}

function areaAndVolume(flat) {
  let [area, volume] = [0, 0];
  for (const [a, b, c] of triangles(flat)) {
    const [u, v] = [b, c].map(p => p.map((x, k) => x - a[k]));
    const n = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
    area += Math.hypot(...n) / 2;
    volume += a.reduce((sum, x, k) => sum + (x - MIDDLE) * n[k], 0) / 6;
  }
  return [area, Math.abs(volume)];
}

test.each([5.07, 6.57, 8.07])('the surface of a ball of radius %f has its area and encloses its volume', radius => {
  const [area, volume] = areaAndVolume(march(ball, [N, N, N], TOP - radius));
  expect(area / (4 * Math.PI * radius ** 2)).toBeCloseTo(1, 1);
  expect(volume / ((4 / 3) * Math.PI * radius ** 3)).toBeCloseTo(1, 1);
});

test('every point of the surface has the value of the level', () => {
  const flat = march(ball, [N, N, N], 4);
  for (let n = 0; n < flat.length; n += 3) {
    expect(Math.abs(distance(...flat.slice(n, n + 3)) - (TOP - 4))).toBeLessThan(0.05);
  }
});

test('the surface is closed: each edge belongs to two triangles', () => {
  const edges = new Map();
  const key = p => p.map(x => x.toFixed(4)).join(',');
  for (const [a, b, c] of triangles(march(ball, [N, N, N], 4.3))) {
    for (const [p, q] of [
      [a, b],
      [b, c],
      [c, a]
    ]) {
      const edge = [key(p), key(q)].sort().join(' ');
      edges.set(edge, (edges.get(edge) ?? 0) + 1);
    }
  }
  expect(new Set(edges.values())).toEqual(new Set([2]));
});

test('the negative surface is that of the values with the other sign', () => {
  const negative = ball.map(x => -x);
  expect(march(negative, [N, N, N], 4, -1)).toEqual(march(ball, [N, N, N], 4));
  expect(march(negative, [N, N, N], 4)).toEqual([]);
});

test('a grid that is not a cube is read along its own axes', () => {
  const [nx, ny, nz] = [3, 4, 5];
  const values = new Float32Array(nx * ny * nz);
  for (let i = 0; i < nx; i++)
    for (let j = 0; j < ny; j++) for (let k = 0; k < nz; k++) values[(i * ny + j) * nz + k] = k;
  const flat = march(values, [nx, ny, nz], 2.25);
  const [xs, ys, zs] = [0, 1, 2].map(axis => flat.filter((_, n) => n % 3 === axis));
  expect([Math.min(...xs), Math.max(...xs)]).toEqual([0, nx - 1]);
  expect([Math.min(...ys), Math.max(...ys)]).toEqual([0, ny - 1]);
  expect(new Set(zs)).toEqual(new Set([2.25]));
});

test('a level beyond the values gives no surface', () => {
  expect(march(ball, [N, N, N], 11)).toEqual([]);
  expect(march(ball, [N, N, N], -1)).toEqual([]);
});

const said = {
  values: new DataView(ball.buffer),
  shape: [N, N, N],
  origin: [1, 2, 3],
  steps: [0.5, 0, 0, 0.1, 0.4, 0, 0, 0, 0.3],
  level: 3,
  sigma: 2,
  maximum: 10,
  minimum: -10.78,
  kind: 'difference density',
  unit: 'e Å⁻³'
};

test('the surface lies where the steps of the grid put it, in Å', () => {
  const made = new Isosurface(said).geometry(1);
  made.computeBoundingBox();
  const { min, max } = made.boundingBox;
  // 3 σ are reached at 4.13 grid units from the middle; x has the steps of both of its axes.
  const [x, y, z] = [1 + 0.5 * MIDDLE + 0.1 * MIDDLE, 2 + 0.4 * MIDDLE, 3 + 0.3 * MIDDLE];
  expect((min.x + max.x) / 2).toBeCloseTo(x, 1);
  expect((min.y + max.y) / 2).toBeCloseTo(y, 1);
  expect(max.y - min.y).toBeCloseTo(2 * 4.13 * 0.4, 1);
  expect((min.z + max.z) / 2).toBeCloseTo(z, 1);
  expect(max.z - min.z).toBeCloseTo(2 * 4.13 * 0.3, 1);
});

test('corners are shared, so that the surface is smooth', () => {
  const made = new Isosurface(said).geometry(1);
  const corners = made.attributes.position.count;
  const faces = made.index.count / 3;
  // Euler: a closed surface without holes has half as many corners as triangles, and two.
  expect(corners).toBe(faces / 2 + 2);
});

test('what is drawn is counted and taken away again', () => {
  const hole = ball.map((x, n) => (n % 2 ? x : -x));
  const surface = new Isosurface({ ...said, values: new DataView(hole.buffer), level: 1 });
  surface.draw('cpk');
  expect(surface.group.children).toHaveLength(2);
  const [positive, negative] = surface.counts;
  expect(positive).toBeGreaterThan(100);
  expect(negative).toBeGreaterThan(0);
  surface.draw('no such palette');
  expect(surface.group.children).toHaveLength(2);
  surface.clear();
  expect(surface.group.children).toHaveLength(0);
});

test('the words give the level in σ and in e Å⁻³, and both extremes', () => {
  expect(new Isosurface(said).words()).toBe(
    'difference density: ±3.0 σ = ±6.00 e Å⁻³ (positive solid, negative net; highest 10.00, deepest −10.78)'
  );
});
