/** Before every file of tests: what jsdom lacks and Lab's libraries take for granted; after every test: the real world. */
import { afterEach, vi } from 'vitest';

if (typeof window !== 'undefined') {
  globalThis.DragEvent ??= class extends MouseEvent {};
}

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});
