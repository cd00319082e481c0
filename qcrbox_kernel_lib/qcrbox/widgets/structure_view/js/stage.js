// Camera, turning and drawing. Draws only when something changed.
import * as THREE from "three";
import { paper } from "../../shared_js/theme.js";
import { PAPER } from "./materials.js";
import { FULL, Pace, SKETCH } from "./pace.js";

const FIELD = 25; // degrees, of the perspective camera

export class Stage {
  constructor(canvas, afterDraw) {
    this.canvas = canvas;
    this.afterDraw = afterDraw;
    this.renderer = new THREE.WebGLRenderer({ canvas, antialias: true, alpha: false, powerPreference: "high-performance" });
    this.renderer.outputColorSpace = THREE.LinearSRGBColorSpace; // colours are given as they are to appear
    this.setPaper();
    this.root = new THREE.Group();
    this.world = new THREE.Scene();
    this.world.add(this.root);
    this.turn = new THREE.Quaternion();
    this.pan = new THREE.Vector2();
    this.half = 10; // Å from the middle to the upper edge
    this.room = 0.8; // Å around the atoms
    this.also = []; // places beside the atoms that are to be seen: x, y, z of each in one row
    this.isFitted = false; // nobody has turned or moved since
    this.perspective = false;
    this.flat = new THREE.OrthographicCamera();
    this.deep = new THREE.PerspectiveCamera(FIELD);
    this.pending = false;
    this.frames = 0;
    this.pace = new Pace(() => this.draw());
    this.share = 1; // of the pixels that is drawn now
  }

  // White for print, else as the page is.
  setPaper(colour = paper()) {
    PAPER.value.set(new THREE.Color().setStyle(colour, THREE.LinearSRGBColorSpace));
    this.renderer.setClearColor(PAPER.value, 1);
  }

  setModel(model) {
    this.model = model;
    if (this.modelGroup) this.root.remove(this.modelGroup);
    this.modelGroup = model.group;
    this.root.add(model.group);
    this.pace.forget(model.scene.count);
    this.extent = model.scene.extent;
    this.draw();
  }

  resize(width, height, ratio = Math.min(window.devicePixelRatio || 1, 2)) {
    this.width = Math.max(1, width);
    this.height = Math.max(1, height);
    this.ratio = ratio;
    this.share = 1;
    this.renderer.setPixelRatio(ratio);
    this.renderer.setSize(this.width, this.height, false);
    this.draw();
  }

  // So large that everything is seen from here, and in the middle.
  fit() {
    const v = new THREE.Vector3();
    const box = new THREE.Box2();
    const corner = new THREE.Vector2();
    const { positions, cell_edges } = this.model.scene;
    for (const array of [positions, this.also, ...(this.model.cell.visible ? [cell_edges] : [])]) {
      for (let i = 0; i < array.length; i += 3) {
        v.fromArray(array, i).applyQuaternion(this.turn);
        box.expandByPoint(corner.set(v.x, v.y));
      }
    }
    if (box.isEmpty()) box.expandByPoint(corner.set(0, 0));
    box.expandByScalar(this.room);
    const size = box.getSize(new THREE.Vector2());
    this.half = Math.max(size.y / 2, (size.x / 2) * (this.height / this.width), 1.6);
    box.getCenter(this.pan).negate();
    this.isFitted = true;
    this.draw();
  }

  // Show these places too; a view that somebody has chosen stays.
  showAlso(places) {
    this.also = places.flat();
    if (this.isFitted) this.fit();
  }

  lookAlong(matrix) {
    // Rows right, up, towards: the rotation itself.
    const m = new THREE.Matrix4().set(...matrix.slice(0, 3), 0, ...matrix.slice(3, 6), 0, ...matrix.slice(6, 9), 0, 0, 0, 0, 1);
    this.turn.setFromRotationMatrix(m);
    this.fit();
  }

  rotation() {
    const e = new THREE.Matrix4().makeRotationFromQuaternion(this.turn).elements;
    return [e[0], e[4], e[8], e[1], e[5], e[9], e[2], e[6], e[10]];
  }

  rotate(dx, dy) {
    const by = new THREE.Quaternion().setFromEuler(new THREE.Euler(dy, dx, 0));
    this.turn.premultiply(by).normalize();
    this.moving();
  }

  moving() {
    this.isFitted = false;
    this.pace.moved();
    this.draw();
  }

  roll(angle) {
    this.turn.premultiply(new THREE.Quaternion().setFromAxisAngle(new THREE.Vector3(0, 0, 1), angle)).normalize();
    this.moving();
  }

  zoom(factor) {
    this.half = Math.min(Math.max(this.half / factor, 0.5), 20 * this.extent);
    this.moving();
  }

  move(dx, dy) {
    this.pan.x += dx * this.angstromPerPixel;
    this.pan.y -= dy * this.angstromPerPixel;
    this.moving();
  }

  get angstromPerPixel() {
    return (2 * this.half) / this.height;
  }

  camera() {
    const aspect = this.width / this.height;
    if (!this.perspective) {
      const depth = 2 * this.extent + 5;
      Object.assign(this.flat, { left: -this.half * aspect, right: this.half * aspect, top: this.half, bottom: -this.half, near: 0.1, far: 2 * depth });
      this.flat.position.set(0, 0, depth);
      this.flat.updateProjectionMatrix();
      return this.flat;
    }
    const away = this.half / Math.tan((FIELD / 2) * (Math.PI / 180));
    Object.assign(this.deep, { aspect, near: Math.max(0.05, away - 2 * this.extent), far: away + 2 * this.extent + 5 });
    this.deep.position.set(0, 0, away);
    this.deep.updateProjectionMatrix();
    return this.deep;
  }

  place() {
    this.root.quaternion.copy(this.turn);
    this.root.position.set(this.pan.x, this.pan.y, 0);
    this.root.updateMatrixWorld(true);
  }

  // Screen position in CSS px and depth of a point of the scene.
  project(array, offset, target) {
    target.fromArray(array, offset).applyMatrix4(this.root.matrixWorld);
    const depth = target.z;
    target.project(this.lastCamera ?? this.camera());
    target.set(((target.x + 1) / 2) * this.width, ((1 - target.y) / 2) * this.height, depth);
    return target;
  }

  draw() {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      const began = performance.now();
      const level = this.pace.begin();
      this.resolve(this.pace.share);
      this.drawNow(level);
      this.measure(began, level);
      if (!this.quiet) this.onTurn?.(this);
      this.quiet = false;
    });
  }

  // Fewer pixels for a while; the size on the page stays.
  resolve(share) {
    if (share === this.share || !this.width) return;
    this.share = share;
    this.renderer.setPixelRatio(this.ratio * share);
    this.renderer.setSize(this.width, this.height, false);
  }

  // How long the frame takes until it is drawn, which without a graphics card is long after the calls have returned.
  measure(began, level) {
    if (this.measuring || !this.width) return;
    const gl = this.renderer.getContext();
    const done = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    if (!done) return; // the context is lost
    gl.flush();
    this.measuring = true;
    const look = () => {
      const isDone = gl.getSyncParameter(done, gl.SYNC_STATUS) !== gl.UNSIGNALED;
      if (!isDone && !gl.isContextLost()) return setTimeout(look);
      gl.deleteSync(done);
      this.measuring = false;
      this.pace.took(performance.now() - began, level);
    };
    setTimeout(look);
  }

  drawNow(level = FULL) {
    if (!this.model || !this.width) return;
    this.model.level = level;
    this.canvas.dataset.level = level;
    const camera = (this.lastCamera = this.camera());
    camera.updateMatrixWorld(true);
    this.place();
    const u = this.model.atoms.material.uniforms;
    u.uPerspective.value = this.perspective;
    u.uProjection.value.copy(camera.projectionMatrix);
    u.uPixel.value = this.angstromPerPixel;
    const drawn = level === SKETCH ? this.model.sketch : this.model;
    for (const { material } of [drawn.atoms, drawn.bonds]) material.uniforms.uDepth.value.set(camera.position.z, this.extent);
    if (level === SKETCH) Object.assign(drawn.atoms.material.uniforms, { uScale: u.uScale, uHeight: { value: this.renderer.domElement.height } });
    this.renderer.render(this.world, camera);
    this.frames += 1;
    this.afterDraw(this);
  }

  // The atom under a point of the canvas (CSS px), or -1: the nearest ellipsoid that the ray meets.
  pick(x, y) {
    const { scene } = this.model;
    const scale = this.model.scale;
    const camera = this.lastCamera ?? this.camera();
    const near = new THREE.Vector3((2 * x) / this.width - 1, 1 - (2 * y) / this.height, -1).unproject(camera);
    const far = new THREE.Vector3((2 * x) / this.width - 1, 1 - (2 * y) / this.height, 1).unproject(camera);
    const back = this.root.matrixWorld.clone().invert();
    near.applyMatrix4(back);
    const ray = far.applyMatrix4(back).sub(near).normalize();
    let [best, bestAt] = [-1, Infinity];
    const slack = 3 * this.angstromPerPixel; // a finger or an unsteady hand
    for (let i = 0; i < scene.count; i++) {
      if (scene.gone?.[i]) continue;
      const [ox, oy, oz] = [scene.positions[3 * i] - near.x, scene.positions[3 * i + 1] - near.y, scene.positions[3 * i + 2] - near.z];
      const along = ox * ray.x + oy * ray.y + oz * ray.z;
      const off2 = ox * ox + oy * oy + oz * oz - along * along;
      const r = this.reach(scene, i, scale) + slack;
      if (off2 < r * r && along < bestAt && this.meets(scene, i, scale, slack, near, ray)) [best, bestAt] = [i, along];
    }
    return this.inSector(best, x, y);
  }

  // Of a shared site the atom whose part of the pie is under the point.
  inSector(row, x, y) {
    const pie = row < 0 ? undefined : this.model.pies.find(([greater]) => greater === row);
    if (!pie) return row;
    const middle = this.project(this.model.scene.positions, 3 * row, new THREE.Vector3());
    const turn = Math.atan2(x - middle.x, middle.y - y) / (2 * Math.PI);
    return (turn + 1) % 1 < pie[2] ? pie[1] : row;
  }

  reach(scene, i, scale) {
    if (scene.fixed[i] > 0) return scene.fixed[i] * 1.3;
    // Axes come in ascending order: the third is the longest.
    return scale * Math.hypot(scene.axes[9 * i + 6], scene.axes[9 * i + 7], scene.axes[9 * i + 8]);
  }

  meets(scene, i, scale, slack, from, ray) {
    if (scene.fixed[i] > 0) return true;
    let [dd, od, oo] = [0, 0, 0];
    for (let k = 0; k < 3; k++) {
      const [x, y, z] = [scene.axes[9 * i + 3 * k], scene.axes[9 * i + 3 * k + 1], scene.axes[9 * i + 3 * k + 2]];
      const length = Math.hypot(x, y, z);
      const size = scale * length + slack;
      const f = 1 / (size * (length || 1));
      const d = (ray.x * x + ray.y * y + ray.z * z) * f;
      const o = ((from.x - scene.positions[3 * i]) * x + (from.y - scene.positions[3 * i + 1]) * y + (from.z - scene.positions[3 * i + 2]) * z) * f;
      dd += d * d;
      od += o * d;
      oo += o * o;
    }
    return od * od - dd * (oo - 1) >= 0;
  }

  dispose() {
    this.pace.close();
    this.model?.dispose();
    this.renderer.dispose();
    this.renderer.forceContextLoss();
  }
}
