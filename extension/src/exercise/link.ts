/** In the address of Lab: the exercise that a link leads to, as `/hub/exercise/ID` writes it. */
const QUERY = 'qcrbox-exercise';
export const EXERCISE_LINK = new RegExp(`[?&]${QUERY}=([0-9a-f]{32})(?=[&#]|$)`);

/** The same address without the exercise: a reload does not open it again. */
export function withoutExercise(address: string): string {
  const url = new URL(address);
  url.searchParams.delete(QUERY);
  return url.pathname + url.search + url.hash;
}
