import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

class Note extends Widget implements Dialog.IBodyWidget<string> {
  private readonly field = document.createElement('textarea');

  constructor(label: string, text: string) {
    super();
    this.field.value = text;
    this.field.rows = 6;
    this.field.className = 'qcrbox-Note-field';
    this.field.setAttribute('aria-label', label);
    // Enter begins a new line; in a dialog it would press its button.
    this.field.addEventListener('keydown', event => event.key === 'Enter' && event.stopPropagation());
    this.node.append(this.field);
  }

  getValue(): string {
    return this.field.value.trim();
  }
}

/** Asks for a text of several lines; null when it was given up. */
export async function askForNote(title: string, text: string, trans: TranslationBundle): Promise<string | null> {
  const buttons = [Dialog.cancelButton(), Dialog.okButton({ label: trans.__('Keep') })];
  const answer = await showDialog({ title, body: new Note(title, text), buttons, focusNodeSelector: 'textarea' });
  return answer.button.accept ? answer.value : null;
}
