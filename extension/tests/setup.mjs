/** Before every file of tests: what jsdom lacks and Lab's libraries take for granted; after every test: the real world. */
import { afterEach, vi } from 'vitest';

// Test files share one process: each file starts with fresh modules, without the state that earlier files left in theirs.
vi.resetModules();

if (typeof window !== 'undefined') {
  globalThis.DragEvent ??= class extends MouseEvent {};
}

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});
