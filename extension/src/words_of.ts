/** The words of whatever was thrown; never empty, since an empty text reads as no error. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error) || 'Error';
}
