import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// The widgets have their packages beside their build, not above their sources.
const three = fileURLToPath(new URL('../qcrbox_kernel_lib/js/node_modules/three', import.meta.url));
const tests = fileURLToPath(new URL('tests', import.meta.url));
const files = readdirSync(tests).filter(name => /\.test\.(mjs|tsx?)$/.test(name));
const isPage = name => readFileSync(`${tests}/${name}`, 'utf8').startsWith('// @vitest-environment jsdom\n');

/**
 * A project whose files share one process, so that node, jsdom, React and three are loaded once. With a process for each
 * file, loading takes three quarters of the time. tests/setup.mjs gives each file fresh modules of our own.
 */
const together = (name, environment, names) => ({
  extends: true,
  test: { name, environment, include: names.map(each => `tests/${each}`), isolate: false, maxWorkers: 1 }
});

export default defineConfig({
  resolve: {
    alias: [
      { find: /^three$/, replacement: `${three}/build/three.module.js` },
      { find: /^three\//, replacement: `${three}/` }
    ]
  },
  test: {
    setupFiles: ['tests/setup.mjs'],
    projects: [
      together(
        'node',
        'node',
        files.filter(name => !isPage(name))
      ),
      together('page', 'jsdom', files.filter(isPage))
    ]
  }
});
