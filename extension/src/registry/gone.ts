/** Whether the registry has said that something is not there, or not for this person. One that is away says neither. */
export function isGone(error: unknown): boolean {
  return [403, 404].includes((error as { status?: number } | null)?.status ?? 0);
}
