// Smooth turning without a graphics card: while something moves and frames take long, they are drawn with fewer pixels,
// and what has many atoms as a sketch. At rest all is drawn in full.
export const FULL = "full";
export const SKETCH = "sketch";
export const SLOW_MS = 45;
const SLOW_SKETCH_MS = 60; // its pixels are worth more than a few frames
export const FAST_MS = 18;
export const COARSEST = 0.35;
export const MANY = 1000; // atoms, from which on the time goes into vertices: fewer pixels do not help
const REST_MS = 220; // after the last movement, or as long as the full picture takes
const LONGEST_REST_MS = 800;

// How the next frame is drawn. full: time of a frame in full, ms; share: of the pixels along an edge.
export function levelOf({ isMoving, full, share, count }) {
  if (!isMoving || full <= SLOW_MS) return FULL;
  return count > MANY || (share <= COARSEST && full > 2 * SLOW_MS) ? SKETCH : FULL;
}

// A faster frame counts at once, a slower one in part: it may have been held up by something else.
export function smoothed(before, took) {
  return before === undefined || took < before ? took : 0.6 * before + 0.4 * took;
}

export class Pace {
  constructor(redraw, now = () => performance.now()) {
    this.redraw = redraw;
    this.now = now;
    this.share = 1; // of the pixels along an edge
    this.movedAt = -Infinity;
    this.forget(0);
  }

  // Another scene of so many atoms: its first frame may have to compile, and says nothing.
  forget(count) {
    this.count = count;
    this.costs = {};
    this.isFirst = true;
  }

  get restMs() {
    return Math.min(LONGEST_REST_MS, Math.max(REST_MS, this.costs[FULL] ?? 0));
  }

  // A movement that is not drawn yet counts however long the frames before it keep it waiting.
  get isMoving() {
    return this.isStirred || this.now() - this.movedAt <= this.restMs;
  }

  get level() {
    return levelOf({ isMoving: this.isMoving, full: this.costs[FULL] ?? 0, share: this.share, count: this.count });
  }

  moved() {
    this.movedAt = this.now();
    this.isStirred = true;
    this.restLater();
  }

  // A frame begins: its level.
  begin() {
    const { level } = this;
    if (this.isStirred) this.movedAt = this.now();
    this.isStirred = false;
    this.restLater();
    return level;
  }

  restLater() {
    clearTimeout(this.resting);
    if (this.share < 1 || this.level === SKETCH) this.resting = setTimeout(() => this.rest(), this.restMs + 1);
  }

  rest() {
    if (this.isMoving) return this.restLater();
    this.share = 1;
    this.redraw();
  }

  // After a frame of this level that took so many ms.
  took(ms, level) {
    if (this.isClosed || ms > 5000) return; // the page was out of sight
    if (this.isFirst) {
      this.isFirst = false;
      return;
    }
    const cost = (this.costs[level] = smoothed(this.costs[level], ms));
    if (!this.isMoving) return;
    if (level === FULL && this.level === SKETCH) this.share = 1; // which is cheap with all its pixels
    else if (cost > (level === SKETCH ? SLOW_SKETCH_MS : SLOW_MS) && this.share > COARSEST) this.share = Math.max(COARSEST, 0.75 * this.share);
    else if (cost < FAST_MS && this.share < 1) this.share = Math.min(1, this.share / 0.75);
    this.restLater();
  }

  // A frame that is still being timed must not begin another rest.
  close() {
    this.isClosed = true;
    clearTimeout(this.resting);
  }
}
