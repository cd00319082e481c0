import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { browserPlugin } from './browser';
import { commandPlugin } from './command';
import { drivePlugin } from './drive';
import { exercisePlugin } from './exercise';
import { guidePlugin } from './guide';
import { localMomentsPlugin } from './local_moments';
import { menuFocusPlugin } from './menu_focus';
import { panelPlugin } from './panel';
import { projectsPlugin } from './projects';
import { registryPlugin } from './registry/plugin';
import { sessionPlugin } from './session';
import { viewerPlugin } from './viewer';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- plugins provide different things
const plugins: JupyterFrontEndPlugin<any>[] = [
  registryPlugin,
  panelPlugin,
  browserPlugin,
  sessionPlugin,
  drivePlugin,
  viewerPlugin,
  projectsPlugin,
  commandPlugin,
  exercisePlugin,
  guidePlugin,
  localMomentsPlugin,
  menuFocusPlugin
];
export default plugins;
