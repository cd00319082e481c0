import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ITranslator } from '@jupyterlab/translation';

import { cifIcon } from '../icons';

/** Lab knows CIF files: by name, with an icon, as text that can be read and edited. */
export const filesPlugin: JupyterFrontEndPlugin<void> = {
  id: '@qcrbox/lab:files',
  description: 'The CIF file type.',
  autoStart: true,
  requires: [ITranslator],
  activate: (app: JupyterFrontEnd, translator: ITranslator) => {
    const trans = translator.load('qcrbox');
    app.docRegistry.addFileType({
      name: 'cif',
      displayName: trans.__('CIF'),
      extensions: ['.cif', '.fcf'],
      mimeTypes: ['chemical/x-cif'],
      contentType: 'file',
      fileFormat: 'text',
      icon: cifIcon
    });
  }
};
