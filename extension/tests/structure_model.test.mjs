import * as THREE from 'three';
import { beforeEach, expect, test, vi } from 'vitest';

import { CUBE, Model, unpack } from '../../qcrbox_kernel_lib/qcrbox/widgets/structure_view/js/model.js';
import { PeakSpheres } from '../../qcrbox_kernel_lib/qcrbox/widgets/structure_view/js/peaks.js';
import { listen } from '../../qcrbox_kernel_lib/qcrbox/widgets/structure_view/js/pointer.js';
import { Stage } from '../../qcrbox_kernel_lib/qcrbox/widgets/structure_view/js/stage.js';
import { PropertySurface, scaleOf } from '../../qcrbox_kernel_lib/qcrbox/widgets/structure_view/js/surface.js';
import { Element, openPage } from './page.mjs';

beforeEach(() => openPage());

const view = array => new DataView(array.buffer);
const AXES = [0.1, 0, 0, 0, 0.2, 0, 0, 0, 0.4]; // Å, ascending

/** Atoms at these places: ellipsoids with the axes above, or balls of a fixed radius, or cubes. */
function scene(atoms, more = {}) {
  const n = atoms.length;
  const of = (make, Kind) => view(Kind.from(atoms.flatMap(make)));
  return {
    count: n,
    labels: atoms.map((_, i) => `C${i + 1}`),
    positions: of(atom => atom.at, Float32Array),
    axes: of(atom => atom.axes ?? AXES, Float32Array),
    fixed: of(atom => [atom.fixed ?? 0], Float32Array),
    kinds: of(atom => [atom.kind ?? (atom.fixed ? 1 : 0)], Uint8Array),
    hollow: of(atom => [atom.hollow ?? 0], Uint8Array),
    hydrogen: of(() => [0], Uint8Array),
    element: of(atom => [atom.element ?? 0], Uint8Array),
    bonds: view(Uint32Array.from(more.bonds ?? [])),
    contacts: view(Uint32Array.from(more.contacts ?? [])),
    cell_edges: view(new Float32Array(72)),
    palettes: { cpk: ['#ff0000', '#0000ff'], grey: ['#808080', '#202020'] },
    extent: 5,
    ...(more.shared ? { shared: more.shared } : {})
  };
}
const modelOf = (...given) => new Model(unpack(scene(...given)));

test('arrays of the kernel are read wherever they stand in a buffer', () => {
  const made = scene([{ at: [1, 2, 3] }]);
  const whole = new Float32Array([9, 1, 2, 3]);
  made.positions = new DataView(whole.buffer, 4, 12);
  expect([...unpack(made).positions]).toEqual([1, 2, 3]);
  expect([...unpack(made).site]).toEqual([0]);
});

test.each([
  [[1, 0, 0], 0.1],
  [[0, 1, 0], 0.2],
  [[0, 0, 1], 0.4],
  // On the ellipsoid x²/a² + z²/c² = 1 with x = z.
  [[Math.SQRT1_2, 0, Math.SQRT1_2], 1 / Math.sqrt(0.5 / 0.01 + 0.5 / 0.16)]
])('the radius of an ellipsoid along %j is %f Å', (direction, radius) => {
  const model = modelOf([{ at: [0, 0, 0] }]);
  expect(model.radiusAlong(0, new THREE.Vector3(...direction))).toBeCloseTo(radius, 5);
});

test('a bond reaches from atom to atom and leaves out what lies inside them', () => {
  const atoms = [{ at: [0, 0, 0] }, { at: [0, 0, 1.5], fixed: 0.25 }];
  const model = modelOf(atoms, { bonds: [0, 1] });
  const matrix = new THREE.Matrix4();
  model.bonds.getMatrixAt(0, matrix);
  const middle = new THREE.Vector3().setFromMatrixPosition(matrix);
  const along = new THREE.Vector3(0, 1, 0).transformDirection(matrix);
  expect(middle.toArray()).toEqual([0, 0, 0.75]);
  expect(Math.abs(along.z)).toBeCloseTo(1, 6);
  expect(new THREE.Vector3().setFromMatrixScale(matrix).y).toBeCloseTo(1.5, 6);
  // Ellipsoid along c: 0.4 times the scale of the probability; ball: 0.25 whatever the probability.
  const reach = model.bonds.geometry.attributes.iReach.array;
  [0.4, 0, 0, 0.25].forEach((value, k) => expect(reach[k]).toBeCloseTo(value, 6));
});

test('hydrogen bonds come behind the bonds, thinner and dashed', () => {
  const atoms = [0, 1, 2].map(x => ({ at: [x, 0, 0] }));
  const model = modelOf(atoms, { bonds: [0, 1], contacts: [1, 2] });
  expect([...model.ends]).toEqual([0, 1, 1, 2]);
  expect([...model.bonds.geometry.attributes.iFlags.array]).toEqual([0, 0, 0, 1]);
  model.paint('cpk');
  expect([...model.bondColours[0]].map(x => Math.round(100 * x))).toEqual([100, 0, 0, 23, 43, 65]);
});

test('each atom has the colour of its element in the palette', () => {
  const model = modelOf([{ at: [0, 0, 0] }, { at: [1, 0, 0], element: 1 }]);
  model.paint('cpk');
  expect([...model.colours]).toEqual([1, 0, 0, 0, 0, 1]);
  model.paint('grey');
  expect(model.colours[0]).toBeCloseTo(128 / 255, 6);
});

test('chosen and hovered atoms are marked, and only these', () => {
  const model = modelOf([0, 1, 2].map(x => ({ at: [x, 0, 0] })));
  model.mark([0, 2], 1);
  const flags = () => [2, 3].map(k => [0, 1, 2].map(i => model.flags[4 * i + k]));
  expect(flags()).toEqual([
    [1, 0, 1],
    [0, 1, 0]
  ]);
  model.mark([], -1);
  expect(flags().flat()).toEqual([0, 0, 0, 0, 0, 0]);
});

test('of a shared site the lesser atom is drawn and marked as a part of the greater', () => {
  const atoms = [{ at: [0, 0, 0] }, { at: [0, 0, 0], element: 1 }];
  const model = modelOf(atoms, { shared: [[0, 1, 0.25]] });
  model.paint('cpk');
  expect([...model.other.subarray(0, 4)]).toEqual([0, 0, 1, 0.25]);
  model.mark([1], 0);
  expect([model.flags[2], model.flags[3]]).toEqual([2, 1]);
});

test('a deleted atom shrinks to nothing, and takes its share of a site with it', () => {
  const said = unpack(
    scene(
      [
        { at: [0, 0, 0], fixed: 0.3 },
        { at: [0, 0, 0], fixed: 0.3 }
      ],
      { shared: [[0, 1, 0.25]] }
    )
  );
  const model = new Model({ ...said, gone: Uint8Array.from([0, 1]) });
  const fixed = model.atoms.geometry.attributes.iFixed.array;
  expect(fixed[0]).toBeCloseTo(0.3, 6);
  expect(fixed[1]).toBeCloseTo(0.001, 6);
  expect(model.pies).toEqual([]);
});

test('atoms without a positive definite tensor are cubes of their own', () => {
  const model = modelOf([{ at: [0, 0, 0] }, { at: [1, 2, 3], kind: CUBE, fixed: 0.2 }]);
  const cubes = model.group.children.at(-1);
  const matrix = new THREE.Matrix4();
  cubes.getMatrixAt(0, matrix);
  expect(cubes.count).toBe(1);
  expect(new THREE.Vector3().setFromMatrixPosition(matrix).toArray()).toEqual([1, 2, 3]);
  expect(modelOf([{ at: [0, 0, 0] }]).makeCubes()).toBeNull();
});

test('a sketch has a sphere of the volume of each ellipsoid and a line for each bond, and no cubes', () => {
  const model = modelOf(
    [{ at: [0, 0, 0] }, { at: [1, 0, 0], fixed: 0.25 }, { at: [1, 2, 3], kind: CUBE, fixed: 0.2 }],
    {
      bonds: [0, 1]
    }
  );
  model.paint('cpk');
  model.level = 'sketch';
  expect([model.atoms.visible, model.bonds.visible, model.sketch.group.visible]).toEqual([false, false, true]);
  const size = model.sketch.atoms.geometry.attributes.aSize.array;
  [0, 0.2, 0.25, 0, 0, 0].forEach((value, at) => expect(size[at]).toBeCloseTo(value, 6));
  const { position, aColour } = model.sketch.bonds.geometry.attributes;
  expect([...position.array]).toEqual([0, 0, 0, 1, 0, 0]);
  expect([...aColour.array]).toEqual([...model.bondColours[0], ...model.bondColours[1]]);
  model.level = 'full';
  expect([model.atoms.visible, model.bonds.visible, model.sketch.group.visible]).toEqual([true, true, false]);
});

// ---------------------------------------------------------------- camera and picking

/** A stage of 400 × 300 px without a graphics card, as drawn once. */
function stageOf(model, half = 3) {
  const stage = Object.create(Stage.prototype);
  Object.assign(stage, {
    width: 400,
    height: 300,
    half,
    extent: 5,
    room: 0.8,
    also: [],
    isFitted: false,
    perspective: false,
    turn: new THREE.Quaternion(),
    pan: new THREE.Vector2(),
    root: new THREE.Group(),
    flat: new THREE.OrthographicCamera(),
    deep: new THREE.PerspectiveCamera(25),
    model,
    draw: vi.fn(),
    pace: { moved: vi.fn() }
  });
  return settle(stage);
}

function settle(stage) {
  stage.lastCamera = stage.camera();
  stage.lastCamera.updateMatrixWorld(true);
  stage.place();
  return stage;
}

const TWO = [
  { at: [0, 0, 0], fixed: 0.3 },
  { at: [1, 1, 0], fixed: 0.3 }
];

test('a place of the scene and its place on the screen belong together', () => {
  const stage = stageOf(modelOf(TWO));
  const at = stage.project([0, 0, 0], 0, new THREE.Vector3());
  expect([at.x, at.y]).toEqual([200, 150]);
  // 6 Å are 300 px.
  const other = stage.project([1, 1, 0], 0, new THREE.Vector3());
  expect([other.x, other.y].map(Math.round)).toEqual([250, 100]);
});

test.each([false, true])('the atom under the pointer is picked (perspective: %s)', perspective => {
  const stage = stageOf(modelOf(TWO));
  stage.perspective = perspective;
  settle(stage);
  const { x, y } = stage.project([1, 1, 0], 0, new THREE.Vector3());
  expect(stage.pick(x, y)).toBe(1);
  expect(stage.pick(200, 150)).toBe(0);
  expect(stage.pick(20, 20)).toBe(-1);
});

test('of two atoms behind each other the nearer is picked, after half a turn the other', () => {
  const stage = stageOf(
    modelOf([
      { at: [0, 0, -1], fixed: 0.3 },
      { at: [0, 0, 1], fixed: 0.3 }
    ])
  );
  expect(stage.pick(200, 150)).toBe(1);
  stage.rotate(Math.PI, 0);
  settle(stage);
  expect(stage.pick(200, 150)).toBe(0);
});

test('an ellipsoid is hit where it is, not in the ball around it', () => {
  const flat = [{ at: [0, 0, 0], axes: [0, 0.05, 0, 0.05, 0, 0, 0, 0, 1] }];
  const stage = stageOf(modelOf(flat));
  expect(stage.pick(200, 150)).toBe(0);
  // Seen along its long axis it is small: half an Å beside it there is nothing.
  expect(stage.pick(225, 150)).toBe(-1);
});

test('a deleted atom is not picked', () => {
  const said = { ...unpack(scene(TWO)), gone: Uint8Array.from([1, 0]) };
  expect(stageOf(new Model(said)).pick(200, 150)).toBe(-1);
});

test('of a shared site the part of the pie that is pointed at is picked', () => {
  const atoms = [
    { at: [0, 0, 0], fixed: 0.5 },
    { at: [0, 0, 0], fixed: 0.5 }
  ];
  const stage = stageOf(modelOf(atoms, { shared: [[0, 1, 0.25]] }));
  // Clockwise from the top: the first quarter belongs to the lesser atom.
  expect(stage.pick(208, 142)).toBe(1);
  expect(stage.pick(208, 158)).toBe(0);
  expect(stage.pick(192, 142)).toBe(0);
});

test('everything is in the picture after a fit, and in its middle', () => {
  const stage = stageOf(
    modelOf([
      { at: [2, 0, 0], fixed: 0.3 },
      { at: [12, 1, 0], fixed: 0.3 }
    ])
  );
  stage.fit();
  settle(stage);
  const [a, b] = [0, 3].map(k => stage.project(stage.model.scene.positions, k, new THREE.Vector3()).clone());
  expect(a.x).toBeGreaterThan(0);
  expect(b.x).toBeLessThan(400);
  expect((a.x + b.x) / 2).toBeCloseTo(200, 3);
  expect((a.y + b.y) / 2).toBeCloseTo(150, 3);
});

test('peaks beside the atoms come into a fitted picture, and leave a chosen view alone', () => {
  const stage = stageOf(modelOf(TWO));
  const peak = [8, 0, 0];
  const seenAt = () => settle(stage).project(peak, 0, new THREE.Vector3()).x;
  stage.fit();
  expect(seenAt()).toBeGreaterThan(400);
  stage.showAlso([peak]);
  expect(seenAt()).toBeLessThan(400);
  stage.zoom(2);
  const half = stage.half;
  stage.showAlso([]);
  expect(stage.half).toBe(half);
});

test('a view along an axis has that axis towards the reader', () => {
  const stage = stageOf(modelOf(TWO));
  stage.lookAlong([0, 1, 0, 0, 0, 1, 1, 0, 0]); // rows right, up, towards: along a
  expect(stage.rotation().map(x => Math.round(x * 1e6) / 1e6 + 0)).toEqual([0, 1, 0, 0, 0, 1, 1, 0, 0]);
  expect(new THREE.Vector3(1, 0, 0).applyQuaternion(stage.turn).z).toBeCloseTo(1, 6);
});

test('zooming has limits, moving follows the pointer', () => {
  const stage = stageOf(modelOf(TWO));
  stage.zoom(1e6);
  expect(stage.half).toBe(0.5);
  stage.zoom(1e-6);
  expect(stage.half).toBe(100);
  stage.half = 3;
  stage.move(50, 25);
  settle(stage);
  const at = stage.project([0, 0, 0], 0, new THREE.Vector3());
  expect([at.x, at.y]).toEqual([250, 175]);
});

// ---------------------------------------------------------------- pointer

function pointer() {
  const asked = [];
  const record =
    name =>
    (...given) =>
      void asked.push([name, ...given.map(x => (typeof x === 'number' ? Math.round(1000 * x) / 1000 : x))]);
  const canvas = new Element('canvas');
  const node = new Element('section');
  node.append(canvas);
  const made = {
    canvas,
    node,
    overlay: { box: null },
    editing: { startsBox: e => Boolean(e.altKey), takeBox: record('box') },
    stage: { move: record('move'), rotate: record('rotate'), zoom: record('zoom'), draw: () => undefined },
    hover: record('hover'),
    click: record('click'),
    cameraMoved: record('camera')
  };
  listen(made);
  const fire = (name, x, y, more = {}) =>
    canvas.fire(name, { offsetX: x, offsetY: y, pointerId: 1, buttons: 1, button: 0, ...more });
  return { view: made, canvas, asked, fire };
}

test('dragging turns, with Shift or the right button it moves', () => {
  const { asked, fire } = pointer();
  fire('pointerdown', 100, 100);
  fire('pointermove', 110, 95);
  fire('pointermove', 115, 95, { shiftKey: true });
  fire('pointermove', 115, 90, { buttons: 2 });
  fire('pointerup', 115, 90);
  expect(asked).toEqual([['rotate', 0.08, -0.04], ['move', 5, 0], ['move', 0, -5], ['camera']]);
});

test('a press without a drag is a click; with a modifier it takes more', () => {
  const { asked, fire } = pointer();
  fire('pointerdown', 10, 10);
  fire('pointermove', 12, 11);
  fire('pointerup', 12, 11);
  fire('pointerdown', 10, 10);
  fire('pointerup', 10, 10, { ctrlKey: true });
  expect(asked.filter(([name]) => name === 'click')).toEqual([
    ['click', 12, 11, undefined],
    ['click', 10, 10, true]
  ]);
});

test('two fingers pinch, and move by their middle', () => {
  const { asked, fire } = pointer();
  fire('pointerdown', 100, 100);
  fire('pointerdown', 200, 100, { pointerId: 2 });
  fire('pointermove', 300, 100, { pointerId: 2 });
  expect(asked).toEqual([
    ['zoom', 2],
    ['move', 50, 0]
  ]);
});

test('a pointer that is not down hovers; one that leaves hovers nowhere', () => {
  const { asked, fire } = pointer();
  fire('pointermove', 7, 8);
  fire('pointerleave', 7, 8);
  expect(asked).toEqual([
    ['hover', 7, 8],
    ['hover', -1, -1]
  ]);
});

test('a box is drawn from where it began, and takes what lies in it', () => {
  const { view: made, asked, fire } = pointer();
  fire('pointerdown', 10, 10, { altKey: true });
  fire('pointermove', 60, 40);
  expect(made.overlay.box).toEqual([10, 10, 60, 40]);
  fire('pointerup', 60, 40, { shiftKey: true });
  expect(asked[0]).toEqual(['box', [10, 10, 60, 40], true]);
  expect(made.overlay.box).toBeNull();
});

test('the wheel zooms only in a view that has the focus: a page that is scrolled is not caught', () => {
  const { canvas, asked, fire } = pointer();
  expect(fire('wheel', 0, 0, { deltaY: -100 })).toEqual([]);
  canvas.focus();
  expect(fire('wheel', 0, 0, { deltaY: -100 })).toEqual(['default']);
  expect(asked).toEqual([['zoom', 1.162], ['camera']]);
});

// ---------------------------------------------------------------- peaks, surfaces

const PEAKS = [
  { name: 'Q1', value: 0.8, place: [0, 0, 0] },
  { name: 'Q2', value: 0.4, place: [1, 1, 0] },
  { name: 'H1', value: -0.9, place: [2, 0, 0] },
  { name: 'Q3', value: 0.2, place: [0, 0, 1] }
];

test('peaks are balls, the higher the larger; holes are none', () => {
  const balls = new PeakSpheres(PEAKS);
  expect(balls.peaks.map(peak => peak.name)).toEqual(['Q1', 'Q2', 'Q3']);
  expect(balls.radii[0]).toBeCloseTo(0.2, 6);
  expect(balls.radii[1]).toBeCloseTo(0.145, 6);
  expect(balls.mesh.count).toBe(3);
});

test('the peak in front is picked, and none beside them', () => {
  const balls = new PeakSpheres(PEAKS);
  const stage = stageOf(modelOf(TWO));
  expect(balls.pick(stage, 200, 150).peak.name).toBe('Q3');
  expect(balls.pick(stage, 250, 100).peak.name).toBe('Q2');
  expect(balls.pick(stage, 300, 150)).toBeNull(); // the hole
});

test.each([
  [{ low: -0.5, high: 1.2 }, 0],
  [{ low: 1, high: 3 }, 2],
  [{ low: -3, high: -1 }, -2]
])('the middle colour of %j stands at %f', (range, middle) => {
  expect(scaleOf(range).uMiddle).toBe(middle);
});

test('an unknown palette is that of CPK', () => {
  expect(scaleOf({ low: 0, high: 1 }, 'rainbow')).toEqual(scaleOf({ low: 0, high: 1 }));
});

const SURFACE = {
  name: 'd_norm',
  low: -0.62,
  high: 1.1,
  unit: '',
  area: 251.04,
  values: view(Float32Array.from([-0.5, 0, 1])),
  vertices: view(Float32Array.from([0, 0, 0, 1, 0, 0, 0, 1, 0])),
  faces: view(Uint32Array.from([0, 1, 2]))
};

test('the words of a surface say what its colours mean, in the palette that is shown', () => {
  const surface = new PropertySurface(SURFACE);
  expect(surface.words()).toBe('d norm: red −0.62 – white – blue 1.10; 251.0 Å²');
  surface.setPalette('grey');
  expect(surface.words()).toContain('black −0.62 – grey – white 1.10');
  surface.setProperty('de', { values: Float32Array.from([1, 2, 3]), low: 1, high: 3, unit: 'Å' });
  expect(surface.words()).toContain('black 1.00 Å – grey – white 3.00 Å');
  expect([...surface.mesh.geometry.attributes.value.array]).toEqual([1, 2, 3]);
});

test('a vertex can have a colour of its own instead of that of its value', () => {
  const surface = new PropertySurface(SURFACE);
  surface.paint(i => (i === 1 ? [0.5, 0.25, 1] : null));
  expect([...surface.mesh.geometry.attributes.own.array]).toEqual([0, 0, 0, 0, 0.5, 0.25, 1, 1, 0, 0, 0, 0]);
  surface.paint();
  expect(surface.mesh.geometry.attributes.own.array.every(x => x === 0)).toBe(true);
});
