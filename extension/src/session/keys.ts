/** One key of a combination: its X keysym and the key's place on a keyboard. */
export type Key = readonly [keysym: number, code: string];

const CONTROL: Key = [0xffe3, 'ControlLeft'];
const ALT: Key = [0xffe9, 'AltLeft'];
const SHIFT: Key = [0xffe1, 'ShiftLeft'];
const SUPER: Key = [0xffeb, 'MetaLeft'];

function letter(sign: string): Key {
  return [sign.charCodeAt(0), `Key${sign.toUpperCase()}`];
}

const F = (number: number): Key => [0xffbe + number - 1, `F${number}`];

/** What a browser, a window system or this page keep for themselves; the names are those on the keys. */
export const COMBINATIONS: Readonly<Record<string, readonly Key[]>> = {
  'Ctrl+Alt+Del': [CONTROL, ALT, [0xffff, 'Delete']],
  'Ctrl+Alt+Backspace': [CONTROL, ALT, [0xff08, 'Backspace']],
  Esc: [[0xff1b, 'Escape']],
  Tab: [[0xff09, 'Tab']],
  'Alt+Tab': [ALT, [0xff09, 'Tab']],
  'Alt+F4': [ALT, F(4)],
  'Ctrl+N': [CONTROL, letter('n')],
  'Ctrl+T': [CONTROL, letter('t')],
  'Ctrl+W': [CONTROL, letter('w')],
  'Ctrl+Q': [CONTROL, letter('q')],
  'Ctrl+Shift+T': [CONTROL, SHIFT, letter('t')],
  Super: [SUPER],
  PrintScreen: [[0xff61, 'PrintScreen']],
  F1: [F(1)],
  F5: [F(5)],
  F11: [F(11)],
  F12: [F(12)]
};

/** Presses the keys in order and releases them in the opposite order. */
export function press(keys: readonly Key[], send: (keysym: number, code: string, down: boolean) => void): void {
  for (const [keysym, code] of keys) {
    send(keysym, code, true);
  }
  for (const [keysym, code] of [...keys].reverse()) {
    send(keysym, code, false);
  }
}
