import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// The widgets have their packages beside their build, not above their sources.
const three = fileURLToPath(new URL('../qcrbox_kernel_lib/js/node_modules/three', import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^three$/, replacement: `${three}/build/three.module.js` },
      { find: /^three\//, replacement: `${three}/` }
    ]
  },
  test: { setupFiles: ['tests/setup.mjs'], include: ['tests/**/*.test.{mjs,ts,tsx}'] }
});
