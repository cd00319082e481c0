/** What Chromium, Firefox and Safari say of a request without an answer; of the cause they tell a page nothing. */
const NO_ANSWER = /^(Failed to fetch|NetworkError when attempting to fetch resource\.?|Load failed)$/;

/** The words of whatever was thrown; never empty, since an empty text reads as no error. */
export function wordsOf(error: unknown): string {
  const words = error instanceof Error ? error.message || error.name : String(error) || 'Error';
  return NO_ANSWER.test(words) ? 'Your server does not answer.' : words;
}
