/** The keys that are taken back by pressing them together: any Control, the left Alt, any Shift. */
const PARTS: Record<string, 'control' | 'alt' | 'shift'> = {
  ControlLeft: 'control',
  ControlRight: 'control',
  // The right one is AltGr on many keyboards, which some systems report as Control and Alt together.
  AltLeft: 'alt',
  ShiftLeft: 'shift',
  ShiftRight: 'shift'
};

/**
 * Hears every key and says when the person wants the keyboard back.
 *
 * The chord counts when its keys are released and nothing else was pressed meanwhile: the program then has seen
 * each key go up again, and combinations such as Ctrl+Alt+Shift+F still reach it.
 */
export class EscapeChord {
  private readonly held = new Set<string>();
  private complete = false;
  private spoiled = false;

  /** True when the chord has just been released. */
  feed(event: { type: string; code: string }): boolean {
    const part = PARTS[event.code];
    if (event.type === 'keydown') {
      if (!part) {
        this.spoiled = this.spoiled || this.held.size > 0;
        return false;
      }
      this.held.add(event.code);
      const parts = new Set([...this.held].map(code => PARTS[code]));
      this.complete = this.complete || parts.size === 3;
      return false;
    }
    this.held.delete(event.code);
    if (this.held.size > 0) {
      return false;
    }
    const leaves = this.complete && !this.spoiled && part !== undefined;
    this.complete = this.spoiled = false;
    return leaves;
  }

  /** The keyboard went elsewhere; what is held now is not heard here any more. */
  forget(): void {
    this.held.clear();
    this.complete = this.spoiled = false;
  }
}
