/** Before every file of tests: what jsdom lacks and Lab's libraries take for granted; after every test: the real world. */
import { afterEach, vi } from 'vitest';

// The files before it ran in this process: none gets their modules, with what they have noted.
vi.resetModules();

if (typeof window !== 'undefined') {
  globalThis.DragEvent ??= class extends MouseEvent {};
}

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});
