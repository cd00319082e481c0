import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import { COMBINATIONS } from './keys';
import type { SessionModel } from './model';
import { PHASE_SIGNS } from './phase';
import type { SessionView } from './view';
import { minutes, phaseWord } from './words';

/** The person's side of a session: how it stands, how it ends, keys, clipboard, picture. */
export class SessionToolbar extends ReactWidget {
  constructor(
    private readonly view: SessionView,
    private readonly model: SessionModel,
    private readonly trans: TranslationBundle
  ) {
    super();
    this.addClass('qcrbox-SessionToolbar');
  }

  protected render(): JSX.Element {
    return (
      <UseSignal signal={this.model.changed}>
        {() => <UseSignal signal={this.view.changed}>{() => this.bar()}</UseSignal>}
      </UseSignal>
    );
  }

  private bar(): JSX.Element {
    const { model, view, trans } = this;
    const { phase, link } = model;
    const open = phase === 'connected' || phase === 'program-ended';
    const live = open || ['starting', 'connecting', 'reconnecting', 'refused'].includes(phase);
    return (
      <>
        <span className="qcrbox-Phase" data-phase={phase} role="status" aria-live="polite">
          <span className="qcrbox-State-sign" aria-hidden="true">
            {PHASE_SIGNS[phase]}
          </span>
          {phaseWord(phase, trans)}
        </span>
        <Act
          name="finish"
          main
          off={!live || phase === 'starting'}
          title={trans.__('End the session; what was saved in the program is kept as a new dataset')}
          act={() => void model.finish(true)}
        >
          {trans.__('Finish and keep')}
        </Act>
        <Act
          name="discard"
          off={!live || !model.isMine}
          title={trans.__('End the session and discard its changes')}
          act={() => void view.discard()}
        >
          {trans.__('Discard …')}
        </Act>
        <Act
          name="scale"
          pressed={link.scale}
          off={!open}
          title={trans.__('Scale the picture to the tab, or show it 1:1')}
          act={() => (link.scale = !link.scale)}
        >
          {link.scale ? trans.__('Fitted') : trans.__('1:1')}
        </Act>
        <Act name="full-screen" title={trans.__('Full screen; Esc leaves it')} act={() => void view.fullScreen()}>
          {trans.__('Full screen')}
        </Act>
        <Act
          name="clipboard"
          pressed={view.clipboardShown}
          off={!open}
          title={trans.__('Text from and to the program')}
          act={() => view.showClipboard(!view.clipboardShown)}
        >
          {trans.__('Clipboard')}
        </Act>
        <select
          className="qcrbox-small"
          data-act="keys"
          aria-label={trans.__('Send a key combination to the program')}
          disabled={!open || link.viewOnly}
          value=""
          onChange={event => {
            link.sendCombination(event.target.value);
            link.focus();
          }}
        >
          <option value="">{trans.__('Send keys …')}</option>
          {Object.keys(COMBINATIONS).map(name => (
            <option key={name}>{name}</option>
          ))}
        </select>
        <Act
          name="screenshot"
          off={!open}
          title={trans.__('Store the picture as a PNG file in a dataset')}
          act={() => void view.screenshot()}
        >
          {trans.__('Screenshot')}
        </Act>
        <Act
          name="view-only"
          pressed={link.viewOnly}
          off={!open || view.onlyViews || !model.isMine}
          title={trans.__('View only: keys and clicks do not reach the program')}
          act={() => (link.viewOnly = !link.viewOnly)}
        >
          {trans.__('View only')}
        </Act>
        <Act
          name="allow-view"
          pressed={model.session?.view_only_allowed ?? false}
          off={!live || !model.isMine}
          title={trans.__('Let the managers of your group view the window; they cannot type or click')}
          act={() => void model.allowView(!model.session?.view_only_allowed)}
        >
          {trans.__('Let the group view')}
        </Act>
        {model.session?.view_only_allowed && model.isMine && (
          <Act
            name="copy-link"
            off={!live}
            title={trans.__(
              'Copy a link for the managers of your group; it opens this session in their Lab, to look on'
            )}
            act={() => void view.copyLink()}
          >
            {trans.__('Copy link')}
          </Act>
        )}
        <span className="qcrbox-Keyboard" data-captured={view.captured}>
          {view.captured ? trans.__('Keyboard: program. Ctrl+Alt+Shift returns it to Lab') : this.idle()}
        </span>
      </>
    );
  }

  private idle(): string {
    const left = this.model.left;
    return left === undefined ? '' : this.trans.__('Ends if untouched for %1', minutes(left, this.trans));
  }
}

interface IActProps {
  name: string;
  title: string;
  act(): void;
  children: React.ReactNode;
  off?: boolean;
  main?: boolean;
  pressed?: boolean;
}

function Act({ name, title, act, children, off, main, pressed }: IActProps): JSX.Element {
  return (
    <button
      className={main ? 'qcrbox-small qcrbox-mod-main' : 'qcrbox-small'}
      data-act={name}
      title={title}
      disabled={off}
      aria-pressed={pressed}
      onClick={act}
    >
      {children}
    </button>
  );
}
