import { ABCWidgetFactory, type DocumentRegistry, DocumentWidget } from '@jupyterlab/docregistry';
import { ActivityMonitor } from '@jupyterlab/coreutils';
import type { TranslationBundle } from '@jupyterlab/translation';

import { base64Of, bytesOf } from './bytes';
import type { ViewClient } from './client';
import { FileView, type IFileActions } from './file_view';

/** A change is shown when typing pauses, ms. */
const PAUSE_MS = 700;

/** Opens files of the file browser in our viewer. They are read as bytes: not every CIF is UTF-8. */
export class FileViewFactory extends ABCWidgetFactory<DocumentWidget<FileView>> {
  constructor(
    options: DocumentRegistry.IWidgetFactoryOptions<DocumentWidget<FileView>>,
    private readonly views: ViewClient,
    private readonly actions: (path: string) => Partial<IFileActions> & Pick<IFileActions, 'buttons'>,
    private readonly trans: TranslationBundle
  ) {
    super(options);
  }

  protected createNewWidget(context: DocumentRegistry.Context): DocumentWidget<FileView> {
    const { trans, views } = this;
    const name = () => context.path.split('/').pop() ?? context.path;
    const read = () => ({ name: name(), bytes: bytesOf(context.model.toString()) });
    const actions: IFileActions = {
      keep: async bytes => {
        context.model.fromString(base64Of(bytes));
        await context.save();
      },
      keepLabel: trans.__('Save the changes'),
      ...this.actions(context.path)
    };
    const content = new FileView(undefined, views, actions, trans);
    const widget = new DocumentWidget({ content, context });
    const monitor = new ActivityMonitor({ signal: context.model.contentChanged, timeout: PAUSE_MS });
    const show = () => {
      content.source = read();
    };
    monitor.activityStopped.connect(show);
    widget.disposed.connect(() => monitor.dispose());
    void context.ready.then(() => !widget.isDisposed && show());
    return widget;
  }
}
