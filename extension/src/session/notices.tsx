import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { SessionModel } from './model';
import type { SessionView } from './view';
import { minutes, phaseText } from './words';

/** What has to be said in sentences: why it starts slowly, that it is about to end, what came out. */
export class Notices extends ReactWidget {
  constructor(
    private readonly view: SessionView,
    private readonly model: SessionModel,
    private readonly trans: TranslationBundle
  ) {
    super();
    this.addClass('qcrbox-Notices');
  }

  protected render(): JSX.Element {
    return <UseSignal signal={this.model.changed}>{() => this.notices()}</UseSignal>;
  }

  private notices(): JSX.Element {
    const { model, trans } = this;
    const said = phaseText(model.phase, model.session, model.link.reason, trans);
    return (
      <div aria-live="polite">
        {said && (
          <div className="qcrbox-Notice" data-notice="state">
            {said}
            {model.phase === 'refused' && (
              <button className="qcrbox-small" onClick={() => model.link.again()}>
                {trans.__('Try again')}
              </button>
            )}
          </div>
        )}
        {model.late && (
          <div className="qcrbox-Notice qcrbox-mod-warn" data-notice="idle">
            {trans.__(
              'Nobody has used this session for a while. It ends in %1; what was saved is kept.',
              minutes(model.left ?? 0, trans)
            )}
            <button className="qcrbox-small" data-act="stay" onClick={() => void model.stay()}>
              {trans.__('Keep open')}
            </button>
          </div>
        )}
        {model.problem && (
          <div className="qcrbox-Error" role="alert">
            {model.problem}
          </div>
        )}
        {model.warnings.map(warning => (
          <div className="qcrbox-Notice" data-notice="warning" key={warning}>
            ⚠ {warning}
          </div>
        ))}
        {model.phase === 'finished' &&
          (model.session?.output_dataset_id || model.warnings.length === 0) &&
          this.outcome()}
      </div>
    );
  }

  private outcome(): JSX.Element {
    const { model, trans, view } = this;
    const id = model.session?.output_dataset_id;
    const dataset = model.store.datasets.find(each => each.qcrbox_dataset_id === id);
    const files = Object.keys(dataset?.data_files ?? {});
    return (
      <div className="qcrbox-Notice" data-notice="outcome" data-dataset={id ?? ''}>
        {id
          ? trans.__('Kept as dataset %1%2', dataset?.name || id, files.length ? `: ${files.join(', ')}` : '')
          : trans.__('Nothing new was stored.')}
        {id && (
          <button className="qcrbox-small" onClick={() => view.insertResult()}>
            {trans.__('Insert code')}
          </button>
        )}
      </div>
    );
  }
}
