/** Lines that are for the one who mends the program: paths of the server, tracebacks, code. */
const INTERNAL = /^\s*(Traceback \(|File "|\^+\s*$|~+\^)|(^|[\s'"(=:])\/(?:[\w.+-]+\/)+[\w.+-]*/;

/** The text of a failure: what a person reads first, and the rest. */
export function failureOf(text: string): { words: string; details: string } {
  const lines = text.split('\n');
  const start = lines.findIndex(line => /^\s*Traceback \(/.test(line));
  const plain: string[] = [];
  const rest: string[] = [];
  lines.forEach((line, number) => {
    // Of a traceback the last line says what happened.
    const isTrace = start >= 0 && number >= start && !(number === lines.length - 1 && /^\w+(\.\w+)*:/.test(line));
    (isTrace || INTERNAL.test(line) ? rest : plain).push(line);
  });
  const words = plain.join('\n').trim();
  return words
    ? { words, details: rest.length ? text : '' }
    : { words: 'The program failed. Details say where; the log has its last words.', details: text };
}
