// Smooth turning without a graphics card: while something moves and frames take long, they are drawn coarser.
const SLOW_MS = 45;
const FAST_MS = 18;
const COARSEST = 0.35;
const REST_MS = 220; // after the last movement all is drawn in full

export class Pace {
  constructor(redraw) {
    this.redraw = redraw;
    this.share = 1; // of the pixels along an edge
    this.cost = 0; // ms of a frame, smoothed
    this.movedAt = -Infinity;
  }

  moved() {
    this.movedAt = performance.now();
    clearTimeout(this.resting);
    if (this.share < 1) this.resting = setTimeout(() => this.rest(), REST_MS);
  }

  rest() {
    this.share = 1;
    this.redraw();
  }

  // After a frame: how long until the next could begin, and what that means for the next.
  after(began) {
    requestAnimationFrame(() => {
      const took = performance.now() - began;
      if (took > 2000) return; // the page was out of sight
      this.cost = this.cost ? 0.6 * this.cost + 0.4 * took : took;
      if (performance.now() - this.movedAt > REST_MS) return;
      if (this.cost > SLOW_MS && this.share > COARSEST) this.share = Math.max(COARSEST, 0.75 * this.share);
      else if (this.cost < FAST_MS && this.share < 1) this.share = Math.min(1, this.share / 0.75);
      clearTimeout(this.resting);
      if (this.share < 1) this.resting = setTimeout(() => this.rest(), REST_MS);
    });
  }

  close() {
    clearTimeout(this.resting);
  }
}
