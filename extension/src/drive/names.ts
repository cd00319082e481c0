/** A name as a part of a path: without slashes and control characters, never "." or "..", never empty. */
export function partOf(name: string): string {
  // eslint-disable-next-line no-control-regex -- names come from files and people
  const plain = name.replace(/[/\\\u0000-\u001f]+/g, '-').trim();
  return /^\.*$/.test(plain) ? `_${plain}` : plain;
}

/**
 * Each thing under a name that no other has: where several share one, all carry the end of their id.
 *
 * The end, since ids of one kind begin alike and those of one hour differ late.
 */
export function named<T>(things: T[], nameOf: (thing: T) => string, idOf: (thing: T) => string): Map<string, T> {
  const counts = new Map<string, number>();
  const parts = things.map(thing => partOf(nameOf(thing)));
  parts.forEach(part => counts.set(part, (counts.get(part) ?? 0) + 1));
  const known = new Map<string, T>();
  things.forEach((thing, number) => {
    const part = parts[number] ?? '';
    const id = partOf(idOf(thing));
    const name = (counts.get(part) ?? 0) > 1 ? `${part} [${id.slice(-8)}]` : part;
    known.set(known.has(name) ? `${part} [${id}]` : name, thing);
  });
  return known;
}
