import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { filesPlugin } from './files';
import { panelPlugin } from './panel';

const plugins: JupyterFrontEndPlugin<void>[] = [panelPlugin, filesPlugin];
export default plugins;
