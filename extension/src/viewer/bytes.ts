/** Bytes of base64 text. */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(atob(text), sign => sign.charCodeAt(0));
}

/** Base64 text of bytes; in pieces, since a call takes only so many arguments. */
export function base64Of(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return btoa(text);
}

/** A value of the server as the widgets take it: `{"$bytes": base64}` becomes a DataView. */
export function decoded(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(decoded);
  }
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value);
    if (entries.length === 1 && entries[0]?.[0] === '$bytes' && typeof entries[0][1] === 'string') {
      return new DataView(bytesOf(entries[0][1]).buffer);
    }
    return Object.fromEntries(entries.map(([name, entry]) => [name, decoded(entry)]));
  }
  return value;
}
