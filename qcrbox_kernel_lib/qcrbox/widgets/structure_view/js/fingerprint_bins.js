// Area of a surface by its distances inside and outside, in fine bins.

// Centres of the k² equal parts of a triangle, as shares of its corners.
export function partsOf(k) {
  const parts = [];
  for (let i = 0; i < k; i++) {
    for (let j = 0; i + j < k; j++) {
      parts.push([(i + 1 / 3) / k, (j + 1 / 3) / k]);
      if (i + j < k - 1) parts.push([(i + 2 / 3) / k, (j + 2 / 3) / k]);
    }
  }
  return parts.map(([a, b]) => [a, b, 1 - a - b]);
}

// Each triangle is taken in 16 parts: its corners alone would leave most of the fine bins empty.
const PARTS = partsOf(4);

// Counts (bins × bins, de by di) of area. faces: rows of three vertices; area(a, b, c) of one; belongs(i): whether what is nearest
// to vertex i counts.
export function binned({ di, de, faces, area, belongs = () => true }, { low, high, bins }) {
  const counts = new Float32Array(bins * bins);
  const bin = (x) => Math.min(bins - 1, Math.max(0, Math.floor(((x - low) / (high - low)) * bins)));
  for (let f = 0; f < faces.length; f += 3) {
    const [a, b, c] = [faces[f], faces[f + 1], faces[f + 2]];
    const counted = [belongs(a), belongs(b), belongs(c)];
    if (!counted[0] && !counted[1] && !counted[2]) continue;
    const part = area(a, b, c) / PARTS.length;
    for (const [p, q, r] of PARTS) {
      const nearest = p >= q && p >= r ? 0 : q >= r ? 1 : 2;
      if (counted[nearest]) counts[bin(p * de[a] + q * de[b] + r * de[c]) * bins + bin(p * di[a] + q * di[b] + r * di[c])] += part;
    }
  }
  return counts;
}
