// Names of exceptions end with the word; "0 errors" and "no error" are none. Lab's log (panel/error_line.ts) has the same rule.
const ERROR = /(?<!\b(?:0|no) )\b(?:\w*(?:error|exception)s?|traceback|failed|failure|fatal|abort\w*)\b/i;

// Whether a line of a program's log tells of an error.
export function isErrorLine(line) {
  return ERROR.test(line);
}
