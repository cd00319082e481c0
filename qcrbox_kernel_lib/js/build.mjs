// Bundles every widget into one ES module under qcrbox/widgets/static, and the page of the bridge: no CDN, no second
// file to load.
import { build, context } from "esbuild";
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const widgets = join(here, "..", "qcrbox", "widgets");
const bridge = join(here, "..", "..", "hub", "qcrbox_hub", "bridge");
const LIMIT_GZIP_BYTES = 900_000;
const NAMES = ["calculation_card", "chart", "copy_button", "lineage", "structure_view"];

const options = {
  entryPoints: NAMES.map((name) => ({ in: join(widgets, name, "js", "index.js"), out: name })),
  outdir: join(widgets, "static"),
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  legalComments: "eof",
  loader: { ".css": "text" },
  // The sources lie beside their Python classes, the packages beside this file.
  nodePaths: [join(here, "node_modules")],
  logLevel: "warning",
};

// Notebooks load a widget from their kernel, tabs from their server: each text is a module of its own. What draws with
// three.js is kept on the page under the hash of its text, so that equal versions share one.
const SHARED = "structure_view";
const shareOne = {
  name: "share-one",
  setup({ onEnd, initialOptions }) {
    initialOptions.write = false;
    onEnd(({ outputFiles = [] }) => {
      for (const { path, text } of outputFiles) {
        const key = JSON.stringify(`${SHARED} ${createHash("sha256").update(text).digest("hex").slice(0, 16)}`);
        writeFileSync(
          path,
          `function make() {${text}\nreturn widget.default;}\nconst kept = (globalThis.qcrboxWidgets ??= {});\nexport default (kept[${key}] ??= make());\n`,
        );
      }
    });
  },
};
const plainOptions = { ...options, entryPoints: options.entryPoints.filter(({ out }) => out !== SHARED) };
const sharedOptions = {
  ...options,
  entryPoints: options.entryPoints.filter(({ out }) => out === SHARED),
  format: "iife",
  globalName: "widget",
  plugins: [shareOne],
};

const pageOptions = {
  ...options,
  entryPoints: ["vnc.js", "vnc.css"].map((name) => join(bridge, "page", name)),
  outdir: join(bridge, "static"),
  loader: {},
};

/** 3Dmol.js as it was published, with its licence, for the views of `to_py3dmol`. */
function keep3Dmol() {
  const from = join(here, "node_modules", "3dmol");
  const licence = readFileSync(join(from, "LICENSE"), "utf8").replaceAll("*/", "* /");
  const script = readFileSync(join(from, "build", "3Dmol-min.js"), "utf8");
  writeFileSync(join(widgets, "static", "3dmol.js"), `/*!\n${licence}\n*/\n${script}`);
}

if (process.argv.includes("--watch")) {
  await (await context(plainOptions)).watch();
  await (await context(sharedOptions)).watch();
  await (await context(pageOptions)).watch();
} else {
  await build(plainOptions);
  await build(sharedOptions);
  await build(pageOptions);
  keep3Dmol();
  let total = 0;
  for (const name of NAMES) {
    const size = gzipSync(readFileSync(join(widgets, "static", `${name}.js`))).length;
    total += size;
    console.log(`${name}.js ${(size / 1000).toFixed(0)} kB gzip`);
  }
  if (total > LIMIT_GZIP_BYTES) {
    console.error(`The widgets have grown to ${total} bytes gzip; ${LIMIT_GZIP_BYTES} are allowed.`);
    process.exit(1);
  }
}
