import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { browserPlugin } from './browser';
import { commandPlugin } from './command';
import { filesPlugin } from './files';
import { panelPlugin } from './panel';
import { registryPlugin } from './registry/plugin';
import { sessionPlugin } from './session';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- plugins provide different things
const plugins: JupyterFrontEndPlugin<any>[] = [
  registryPlugin,
  panelPlugin,
  browserPlugin,
  sessionPlugin,
  filesPlugin,
  commandPlugin
];
export default plugins;
