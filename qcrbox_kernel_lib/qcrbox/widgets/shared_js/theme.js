// Light and dark pages of Lab. Colours of pictures are chosen for white paper; on a dark page they keep their hue.
export const DARK_PAPER = "#1e1e1e";

export function isDark() {
  return globalThis.document?.body?.dataset.jpThemeLight === "false";
}

export function paper(dark = isDark()) {
  return dark ? DARK_PAPER : "#ffffff";
}

// The colour of a line or text, as it can be read on the page: at least 4.5:1 on dark paper.
export function ink(colour, dark = isDark()) {
  return dark ? lighter(colour, (l) => Math.max(0.68, 1 - l)) : colour;
}

// The fill of a box with text in it.
export function tint(colour, dark = isDark()) {
  return dark ? lighter(colour, (l) => Math.min(0.28, 1.12 - l)) : colour;
}

function lighter(colour, how) {
  const text = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/i.test(colour) ? colour.replace(/[0-9a-f]/gi, "$&$&") : colour;
  const n = /^#[0-9a-f]{6}$/i.test(text) ? parseInt(text.slice(1), 16) : NaN;
  if (Number.isNaN(n)) return colour;
  const [r, g, b] = [n >> 16, (n >> 8) & 255, n & 255].map((value) => value / 255);
  const [high, low] = [Math.max(r, g, b), Math.min(r, g, b)];
  const l = (high + low) / 2;
  const spread = high - low;
  const s = spread && spread / (1 - Math.abs(2 * l - 1));
  const h = !spread ? 0 : high === r ? ((g - b) / spread + 6) % 6 : high === g ? (b - r) / spread + 2 : (r - g) / spread + 4;
  const now = how(l);
  const chroma = (1 - Math.abs(2 * now - 1)) * Math.min(s, 0.9);
  const channel = (k) => {
    const at = (k + h * 2) % 12;
    return Math.round(255 * (now - (chroma / 2) * Math.max(-1, Math.min(at - 3, 9 - at, 1))));
  };
  return `#${[0, 8, 4].map((k) => channel(k).toString(16).padStart(2, "0")).join("")}`;
}

// Calls `change` when the page turns light or dark; answers what ends it.
export function watchTheme(change) {
  const watcher = new MutationObserver(change);
  watcher.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  return () => watcher.disconnect();
}
