// Values of an axis to pixels and back, with ticks where people expect them.
export function floats(view) {
  if (Array.isArray(view)) return Float32Array.from(view);
  return new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}

const MOST_TICKS = 12;

export function text(x) {
  if (!Number.isFinite(x)) return "–";
  const size = Math.abs(x);
  const shown = size !== 0 && (size < 1e-3 || size >= 1e5) ? x.toExponential(2) : String(Number(x.toPrecision(4)));
  return shown.replaceAll("-", "−");
}

export class Scale {
  constructor(axis, values) {
    this.axis = axis;
    this.log = axis.log;
    let [low, high] = [Infinity, -Infinity];
    for (const value of values) {
      if (!Number.isFinite(value) || (this.log && value <= 0)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    if (low > high) [low, high] = this.log ? [0.1, 10] : [0, 1];
    const [a, b] = [this.to(axis.low ?? low), this.to(axis.high ?? high)];
    const room = 0.04 * (b - a || 1);
    this.whole = [axis.low ?? this.from(a - room), axis.high ?? this.from(b + room)];
    this.shown = [...this.whole];
  }

  to(value) {
    return this.log ? Math.log10(Math.max(value, 1e-30)) : value;
  }

  from(value) {
    return this.log ? 10 ** value : value;
  }

  pixel(value, start, end) {
    const [a, b] = this.shown.map((x) => this.to(x));
    return start + ((this.to(value) - a) / (b - a || 1)) * (end - start);
  }

  value(pixel, start, end) {
    const [a, b] = this.shown.map((x) => this.to(x));
    return this.from(a + ((pixel - start) / (end - start)) * (b - a));
  }

  ticks() {
    if (this.axis.ticks.length) return this.axis.ticks;
    const [low, high] = this.shown;
    if (this.log) {
      const [a, b] = [Math.ceil(Math.log10(low)), Math.floor(Math.log10(high))];
      if (b - a >= 1) {
        const step = Math.max(1, Math.ceil((b - a) / 6));
        return Array.from({ length: Math.floor((b - a) / step) + 1 }, (_, i) => 10 ** (a + i * step)).map((x) => [x, text(x)]);
      }
    }
    const raw = (high - low) / 7;
    const size = 10 ** Math.floor(Math.log10(raw || 1));
    const step = [1, 2, 5, 10].find((k) => k * size >= raw) * size;
    const found = [];
    const first = Math.ceil(low / step) * step;
    // Counted: beyond 2⁵³ a step changes nothing, and a sum of steps would not end.
    for (let n = 0; n <= MOST_TICKS && first + n * step <= high + 1e-9 * step; n++) {
      const x = first + n * step;
      if (n > 0 && x === found[n - 1][0]) break;
      found.push([x, text(Math.abs(x) < step / 1e6 ? 0 : x)]);
    }
    return found;
  }
}
