import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Token } from '@lumino/coreutils';

import { RegistryClient } from './client';
import { RegistryStore } from './store';

export const IRegistryStore = new Token<RegistryStore>(
  '@qcrbox/lab:IRegistryStore',
  'What the registry holds for this person; one for panel and tabs.'
);

/** One store for everything in this page: one event stream, one truth. */
export const registryPlugin: JupyterFrontEndPlugin<RegistryStore> = {
  id: '@qcrbox/lab:registry',
  description: 'The connection to the QCrBox registry.',
  autoStart: true,
  provides: IRegistryStore,
  activate: (app: JupyterFrontEnd) => new RegistryStore(new RegistryClient(app.serviceManager.serverSettings))
};
