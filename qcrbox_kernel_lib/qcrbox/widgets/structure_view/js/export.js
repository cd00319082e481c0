// PNG at 300 dpi: the picture drawn anew at print size, labels over it, the resolution written into the file.
import { isDark } from "../../shared_js/theme.js";

const DPI = 300;
const WIDTH_CM = 17; // a page's width of text

function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let k = 0; k < 8; k++) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
  }
  return ~crc >>> 0;
}

// The pHYs chunk says how many pixels make a metre; it stands right after the header (8 + 25 bytes).
export function withResolution(png, dpi = DPI) {
  const perMetre = Math.round(dpi / 0.0254);
  const chunk = new Uint8Array(21);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, 9);
  chunk.set([0x70, 0x48, 0x59, 0x73], 4);
  view.setUint32(8, perMetre);
  view.setUint32(12, perMetre);
  chunk[16] = 1;
  view.setUint32(17, crc32(chunk.subarray(4, 17)));
  const made = new Uint8Array(png.length + chunk.length);
  made.set(png.subarray(0, 33));
  made.set(chunk, 33);
  made.set(png.subarray(33), 33 + chunk.length);
  return made;
}

export async function png(stage, overlay, legend = []) {
  const [width, height] = [stage.width, stage.height];
  const ratio = (WIDTH_CM / 2.54) * (DPI / width);
  stage.resize(width, height, ratio);
  stage.setPaper("#ffffff");
  stage.drawNow();
  const page = document.createElement("canvas");
  page.width = Math.round(width * ratio);
  page.height = Math.round(height * ratio);
  const c = page.getContext("2d");
  c.drawImage(stage.canvas, 0, 0, page.width, page.height);
  c.setTransform(ratio, 0, 0, ratio, 0, 0);
  overlay.dark = false;
  overlay.draw(stage, ratio, c);
  c.textAlign = "left";
  c.font = "12px sans-serif";
  legend.forEach((line, k) => overlay.text(c, line, 8, height - 10 - 16 * (legend.length - 1 - k), "#222222"));
  overlay.dark = isDark();
  stage.setPaper();
  stage.resize(width, height);
  const blob = await new Promise((done) => page.toBlob(done, "image/png"));
  return new Blob([withResolution(new Uint8Array(await blob.arrayBuffer()))], { type: "image/png" });
}

export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
