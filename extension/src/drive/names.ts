/** A name as a part of a path: without slashes and control characters, never "." or "..", never empty. */
export function partOf(name: string): string {
  // eslint-disable-next-line no-control-regex -- names come from files and people
  const plain = name.replace(/[/\\\u0000-\u001f]+/g, '-').trim();
  return /^\.*$/.test(plain) ? `_${plain}` : plain;
}

/** Each thing under a name that no other has: where several share one, all carry the beginning of their id. */
export function named<T>(things: T[], nameOf: (thing: T) => string, idOf: (thing: T) => string): Map<string, T> {
  const counts = new Map<string, number>();
  const parts = things.map(thing => partOf(nameOf(thing)));
  parts.forEach(part => counts.set(part, (counts.get(part) ?? 0) + 1));
  return new Map(
    things.map((thing, number) => {
      const part = parts[number] ?? '';
      return [(counts.get(part) ?? 0) > 1 ? `${part} [${idOf(thing).slice(0, 8)}]` : part, thing];
    })
  );
}
