import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { filesPlugin } from './files';
import { panelPlugin } from './panel';
import { registryPlugin } from './registry/plugin';
import { sessionPlugin } from './session';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- plugins provide different things
const plugins: JupyterFrontEndPlugin<any>[] = [registryPlugin, panelPlugin, sessionPlugin, filesPlugin];
export default plugins;
