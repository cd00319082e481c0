/**
 * What the kernel sends for a small structure (scene.json), against values computed here from the cell and coordinates
 * of its CIF: by the law of cosines for vectors of an oblique cell and by differences, not by the kernel's matrices.
 */
import { expect, test } from 'vitest';

import { Model, unpack } from '../../qcrbox_kernel_lib/qcrbox/widgets/structure_view/js/model.js';
import { decoded, shared } from './structure_page.mjs';

// value and s.u., as the CIF in qcrbox_kernel_lib/tests/widgets/test_shared_scene.py has them.
const CELL = [6.1, 7.2, 8.3, 95, 101, 107];
const CELL_SU = [0.02, 0.01, 0.01, 0.1, 0.1, 0.2];
const SITES = {
  C1: [
    [0.59, 0.57, 0.53],
    [0.0004, 0.0003, 0.0003]
  ],
  O1: [
    [0.771, 0.6, 0.48],
    [0.0003, 0.0003, 0.0002]
  ],
  O2: [
    [0.575, 0.69, 0.66],
    [0.0003, 0.0003, 0.0002]
  ],
  H1: [
    [0.7, 0.78, 0.7],
    [0, 0, 0]
  ]
};
const NAMES = ['C1', 'O1', 'O2', 'H1'];
const invert = ([x, y, z]) => [1 - x, 1 - y, 1 - z];

/** Fractional coordinates of a row of the scene: the second half is the image about the centre. */
const place = (row, sites) => (row < 4 ? sites[NAMES[row]] : invert(sites[NAMES[row - 4]]));
const minus = (p, q) => p.map((value, k) => value - q[k]);
const cos = degrees => Math.cos((degrees * Math.PI) / 180);

function dot([x, y, z], [u, v, w], [a, b, c, alpha, beta, gamma]) {
  return (
    a * a * x * u +
    b * b * y * v +
    c * c * z * w +
    b * c * cos(alpha) * (y * w + z * v) +
    a * c * cos(beta) * (x * w + z * u) +
    a * b * cos(gamma) * (x * v + y * u)
  );
}
const distance = ([i, j], sites, cell) => {
  const between = minus(place(i, sites), place(j, sites));
  return Math.sqrt(dot(between, between, cell));
};
const angle = ([i, apex, j], sites, cell) => {
  const [u, v] = [i, j].map(row => minus(place(row, sites), place(apex, sites)));
  return (Math.acos(dot(u, v, cell) / Math.sqrt(dot(u, u, cell) * dot(v, v, cell))) * 180) / Math.PI;
};

const sin = degrees => Math.sin((degrees * Math.PI) / 180);
/** Cosine of the reciprocal angle between two axes, from the angle between them and those that they make with the third. */
const reciprocal = (between, first, second) => (cos(first) * cos(second) - cos(between)) / (sin(first) * sin(second));
const [, , , ALPHA, BETA, GAMMA] = CELL;
// x, y, z of an error that is the same in all directions are correlated by the cosines of the reciprocal axes.
const XY = reciprocal(GAMMA, ALPHA, BETA);
const XZ = reciprocal(BETA, ALPHA, GAMMA);
const YZ = reciprocal(ALPHA, BETA, GAMMA);

/** s.u. of a measure: each coordinate of each site, and each parameter of the cell, moved by itself. */
function su(measure, rows) {
  const plain = Object.fromEntries(NAMES.map(name => [name, SITES[name][0]]));
  let variance = 0;
  const step = 1e-5;
  for (const name of NAMES) {
    const [x, y, z] = SITES[name][1].map((each, k) => {
      const moved = by => ({ ...plain, [name]: plain[name].map((value, at) => (at === k ? value + by : value)) });
      return (each * (measure(rows, moved(step), CELL) - measure(rows, moved(-step), CELL))) / (2 * step);
    });
    variance += x * x + y * y + z * z + 2 * (XY * x * y + XZ * x * z + YZ * y * z);
  }
  CELL_SU.forEach((each, k) => {
    const moved = by => CELL.map((value, at) => (at === k ? value + by : value));
    const slope = (measure(rows, plain, moved(step)) - measure(rows, plain, moved(-step))) / (2 * step);
    variance += (slope * each) ** 2;
  });
  return [measure(rows, plain, CELL), Math.sqrt(variance)];
}

/** "1.220(5)" with the digits of the s.u. by the rule of 19. */
function written([value, error]) {
  let digits = 0;
  while (Math.round(error * 10 ** (digits + 1)) <= 19) digits += 1;
  return `${value.toFixed(digits)}(${Math.round(error * 10 ** digits)})`;
}

test.each([
  ['distance', distance, ' Å'],
  ['inverted', distance, ' Å'],
  ['angle', angle, '°']
])('%s: value and s.u.', (name, measure, unit) => {
  expect(shared.answers[name].text).toBe(written(su(measure, shared.questions[name])) + unit);
});

test('a torsion about a centre of symmetry is a half turn, exactly', () => {
  expect(shared.questions.torsion).toEqual([1, 0, 4, 5]);
  expect(shared.answers.torsion.text).toBe('180.0000°');
});

const scene = unpack(decoded(shared.scene));
const at = row => [...scene.positions.subarray(3 * row, 3 * row + 3)];
const length = vector => Math.hypot(...vector);
const plainSites = Object.fromEntries(NAMES.map(name => [name, SITES[name][0]]));

test('Cartesian distances of all pairs of atoms are those of the fractional coordinates in the cell', () => {
  for (let i = 0; i < 8; i++) {
    for (let j = 0; j < i; j++) {
      expect(length(minus(at(i), at(j)))).toBeCloseTo(distance([i, j], plainSites, CELL), 4);
    }
  }
});

test('the molecule is whole: its other half is the image about the centre, of the same sites', () => {
  expect(scene.labels).toEqual([...NAMES, ...NAMES]);
  expect([...scene.site]).toEqual([0, 1, 2, 3, 0, 1, 2, 3]);
});

test('the bonds are C–C, twice C=O, C–O and O–H', () => {
  const pairs = [];
  for (let b = 0; b < scene.bonds.length; b += 2) pairs.push([scene.bonds[b], scene.bonds[b + 1]].sort().join('–'));
  expect(pairs.sort()).toEqual(['0–1', '0–2', '0–4', '2–3', '4–5', '4–6', '6–7']);
});

test('the edges of the cell: a, b, c from one corner, and each four times', () => {
  const edges = Array.from({ length: 12 }, (_, k) => {
    const [from, to] = [0, 3].map(more => [...scene.cell_edges.subarray(6 * k + more, 6 * k + more + 3)]);
    return minus(to, from);
  });
  const lengths = edges.map(length);
  [0, 1, 2].forEach(k => expect(lengths[k]).toBeCloseTo(CELL[k], 4));
  CELL.slice(0, 3).forEach(edge => expect(lengths.filter(each => Math.abs(each - edge) < 1e-4)).toHaveLength(4));
  [
    [1, 2],
    [0, 2],
    [0, 1]
  ].forEach(([i, j], k) => {
    const cosine = edges[i].reduce((sum, value, x) => sum + value * edges[j][x], 0) / (lengths[i] * lengths[j]);
    expect(cosine).toBeCloseTo(cos(CELL[3 + k]), 5);
  });
});

/** Probability that a point of a trivariate normal distribution lies within k times its σ, by Simpson's rule. */
function within(k, steps = 400) {
  const h = k / steps;
  const density = r => Math.sqrt(2 / Math.PI) * r * r * Math.exp((-r * r) / 2);
  let sum = density(0) + density(k);
  for (let n = 1; n < steps; n++) sum += (n % 2 ? 4 : 2) * density(n * h);
  return (sum * h) / 3;
}

test.each([1, 30, 50, 90, 99])('%i %% of the distribution lie within the ellipsoid of that name', percent => {
  expect(within(shared.scene.scales[percent])).toBeCloseTo(percent / 100, 7);
});

test('the ellipsoid at 50 % is 1.5382 times the r.m.s. displacement', () => {
  expect(shared.scene.scales['50']).toBeCloseTo(1.5382, 4);
});

const axis = (row, k) => [...scene.axes.subarray(9 * row + 3 * k, 9 * row + 3 * k + 3)];

test('axes of an ellipsoid are perpendicular and ascend; those of the image are as long', () => {
  for (const row of [0, 2]) {
    const lengths = [0, 1, 2].map(k => length(axis(row, k)));
    expect([...lengths].sort((p, q) => p - q)).toEqual(lengths);
    [
      [0, 1],
      [0, 2],
      [1, 2]
    ].forEach(([i, j]) =>
      expect(axis(row, i).reduce((sum, value, x) => sum + value * axis(row, j)[x], 0)).toBeCloseTo(0, 6)
    );
    lengths.forEach((each, k) => expect(length(axis(row + 4, k))).toBeCloseTo(each, 5));
  }
});

test('the mean square displacement along each edge of the cell is U of the CIF', () => {
  // ⟨u²⟩ along a unit vector l is Σ (l·axis)²; along the reciprocal axis a* it is U11, b*: U22, c*: U33.
  const [edgeA, edgeB, edgeC] = [0, 1, 2].map(k =>
    minus([...scene.cell_edges.subarray(6 * k + 3, 6 * k + 6)], [...scene.cell_edges.subarray(6 * k, 6 * k + 3)])
  );
  const cross = (p, q) => [p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0]];
  const reciprocal = [cross(edgeB, edgeC), cross(edgeC, edgeA), cross(edgeA, edgeB)];
  [
    [0, [0.04, 0.04, 0.04]],
    [2, [0.05, 0.08, 0.06]]
  ].forEach(([row, expected]) =>
    reciprocal.forEach((vector, k) => {
      const unit = vector.map(value => value / length(vector));
      const along = [0, 1, 2].map(n => axis(row, n).reduce((sum, value, x) => sum + value * unit[x], 0));
      expect(along.reduce((sum, value) => sum + value * value, 0)).toBeCloseTo(expected[k], 5);
    })
  );
});

test('an isotropic atom is a sphere of √U; hydrogen is a ball of a fixed size', () => {
  [0, 1, 2].forEach(k => expect(length(axis(1, k))).toBeCloseTo(Math.sqrt(0.05), 5));
  expect([...scene.kinds]).toEqual([0, 1, 0, 1, 0, 1, 0, 1]);
  expect([...scene.fixed].map(Boolean)).toEqual([false, false, false, true, false, false, false, true]);
});

test.each([
  ['cpk', { C: '#8a8a8a', O: '#ff0d0d', H: '#f2f2f2', N: '#3050f8' }],
  ['okabe-ito', {}],
  ['grey', {}]
])('in the palette %s the drawn atoms have the colours of their elements', (palette, known) => {
  const model = new Model(scene);
  model.paint(palette);
  const colourOf = symbol => shared.scene.palettes[palette][shared.scene.elements.indexOf(symbol)];
  Object.entries(known).forEach(([symbol, colour]) => expect(colourOf(symbol)).toBe(colour));
  ['C', 'O', 'O', 'H'].forEach((symbol, row) => {
    const drawn = [...model.colours.subarray(3 * row, 3 * row + 3)];
    const hex = `#${drawn
      .map(part =>
        Math.round(255 * part)
          .toString(16)
          .padStart(2, '0')
      )
      .join('')}`;
    expect(hex).toBe(colourOf(symbol));
  });
  expect(new Set(['C', 'O', 'N', 'H'].map(colourOf)).size).toBe(4);
});

test('along an axis one looks from its tip: the axis points at the reader', () => {
  ['a', 'b', 'c'].forEach((name, k) => {
    const edge = minus(
      [...scene.cell_edges.subarray(6 * k + 3, 6 * k + 6)],
      [...scene.cell_edges.subarray(6 * k, 6 * k + 3)]
    );
    const m = scene.directions[name];
    const seen = [0, 3, 6].map(r => m[r] * edge[0] + m[r + 1] * edge[1] + m[r + 2] * edge[2]);
    expect(seen[0]).toBeCloseTo(0, 4);
    expect(seen[1]).toBeCloseTo(0, 4);
    expect(seen[2]).toBeCloseTo(CELL[k], 4);
  });
});
