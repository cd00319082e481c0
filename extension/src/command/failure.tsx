import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

const NO_WORDS = 'The program failed. Details say where; the log has its last words.';
// eslint-disable-next-line no-control-regex -- programs colour their errors for a terminal
const TERMINAL = /\x1b\[[0-9;?]*[A-Za-z]/g;
/** The class of an exception says nothing to the reader. */
const CLASS = /^(?:\w+\.)*\w*(?:Error|Failed|Exception): /;
/** A path of two parts or more that does not go on from a word, so that e/Å and R/S are none; its last name stays. */
const PATH =
  /(?:file:\/\/|(?<![\p{L}\p{N}_./:]))\/(?:[\p{L}\p{N}_.+@~-]+\/)+([\p{L}\p{N}_.+@~-]*)|\b[A-Za-z]:\\(?:[\p{L}\p{N}_.+@~ -]+\\)*([\p{L}\p{N}_.+@~-]*)/gu;
const FRAME = /^\s*File ".*", line \d+/;

/** The text of a failure: what a person reads first, and the whole where it has more. The same rules stand in
 * qcrbox/display/failure_words.py; one table of cases holds both. */
export function failureOf(text: string): { words: string; details: string } {
  const plain = text.replace(TERMINAL, '');
  const withoutClass = (line: string): string => line.replace(CLASS, '');
  const [before = '', message = ''] = withoutTraceback(plain).map(lines =>
    lines
      .map(line => withoutClass(line).replace(PATH, (_, name, other) => name || other || '…'))
      .join('\n')
      .trim()
  );
  // The agent's message and the traceback behind it name the same exception.
  const words = before.endsWith(message) ? before : `${before}\n${message}`.trim();
  const hides = words !== plain.split('\n').map(withoutClass).join('\n').trim();
  return { words: words || NO_WORDS, details: hides ? text : '' };
}

/** The lines before the first traceback, and the message of the last exception. */
function withoutTraceback(text: string): [string[], string[]] {
  const lines = text.split('\n');
  const starts = lines.flatMap((line, number) =>
    line.trimStart().startsWith('Traceback (') || FRAME.test(line) ? [number] : []
  );
  const [start] = starts;
  if (start === undefined) {
    return [lines, []];
  }
  let first = start;
  // Of a long traceback only the end may be quoted: it begins in the middle of a frame.
  while (FRAME.test(lines[start] ?? '') && lines[first - 1]?.startsWith(' ')) {
    first -= 1;
  }
  const after = lines.slice((starts.at(-1) ?? start) + 1);
  // Frames are indented; the first line that is not names the exception.
  const message = after.findIndex(line => /^\S/.test(line));
  return [lines.slice(0, first), message < 0 ? [] : after.slice(message)];
}

interface IProps {
  text: string | null | undefined;
  status: string;
  /** What stands before the reason. */
  lead?: string;
  trans: TranslationBundle;
}

/** Why a calculation ended: the reason in words, everything else behind "details". One that was cancelled is no error. */
export function Failure({ text, status, lead, trans }: IProps): JSX.Element | null {
  if (!text) {
    return null;
  }
  const { words, details } = failureOf(text);
  return (
    <div
      className={status === 'cancelled' ? 'qcrbox-Warning' : 'qcrbox-Error'}
      role={status === 'cancelled' ? 'note' : 'alert'}
    >
      {lead && `${lead} `}
      {words}
      {details && (
        <details>
          <summary>{trans.__('Details')}</summary>
          <pre>{details}</pre>
        </details>
      )}
    </div>
  );
}
