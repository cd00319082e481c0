import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { PictureLink } from './link';

/**
 * Text both ways, each time by a click: a program never reads or fills the person's clipboard by itself.
 */
export class ClipboardPane extends ReactWidget {
  constructor(
    private readonly link: PictureLink,
    private readonly trans: TranslationBundle
  ) {
    super();
    this.addClass('qcrbox-Clipboard');
  }

  protected render(): JSX.Element {
    return <UseSignal signal={this.link.changed}>{() => <Clipboard link={this.link} trans={this.trans} />}</UseSignal>;
  }
}

function Clipboard({ link, trans }: { link: PictureLink; trans: TranslationBundle }): JSX.Element {
  const [text, setText] = React.useState('');
  const [said, say] = React.useState('');
  const take = async () => {
    try {
      await navigator.clipboard.writeText(link.clipboard);
      say(trans.__('Copied.'));
    } catch {
      say(trans.__('The browser does not allow it; select the text and copy it.'));
    }
  };
  const give = async () => {
    try {
      setText(await navigator.clipboard.readText());
      say('');
    } catch {
      say(trans.__('The browser does not allow it; paste the text into the field.'));
    }
  };
  const send = () => {
    link.paste(text);
    say(trans.__('Sent; paste it in the program.'));
  };
  return (
    <>
      <label>
        {trans.__('From the program')}
        <textarea readOnly data-clipboard="from" rows={3} value={link.clipboard} />
      </label>
      <button className="qcrbox-small" disabled={!link.clipboard} onClick={() => void take()}>
        {trans.__('Copy to my clipboard')}
      </button>
      <label>
        {trans.__('To the program')}
        <textarea
          data-clipboard="to"
          rows={3}
          value={text}
          disabled={link.viewOnly}
          onChange={event => setText(event.target.value)}
        />
      </label>
      <div className="qcrbox-Detail-buttons">
        <button className="qcrbox-small" disabled={link.viewOnly} onClick={() => void give()}>
          {trans.__('Take my clipboard')}
        </button>
        <button className="qcrbox-small" data-act="send" disabled={!text || link.viewOnly} onClick={send}>
          {trans.__('Send')}
        </button>
      </div>
      <div role="status">{said}</div>
    </>
  );
}
