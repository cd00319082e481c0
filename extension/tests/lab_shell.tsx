/**
 * A Lab for plug-ins: real commands and signals of Lumino, our real client and store, on a registry that the test plays.
 * The libraries that a test replaces by lab_libraries.tsx: see the `vi.mock` lines of plugins.test.tsx.
 */
import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import type { Signal } from '@lumino/signaling';
import type { Widget } from '@lumino/widgets';
import { act } from 'react';
import { vi } from 'vitest';

import { RegistryClient } from '../src/registry/client';
import { RegistryStore } from '../src/registry/store';
import type { IApplication, ICalculation, IDataset, IEvent } from '../src/registry/types';
import { type Answer, played } from './lab_libraries';

export const trans = nullTranslator.load('qcrbox');

interface ILab {
  applications?: object[];
  datasets?: object[];
  calculations?: object[];
  me?: object;
  /** "METHOD path" → what the registry answers; a Refusal is thrown. */
  answers?: Record<string, Answer>;
  /** Files of Lab's file browser: path → text; a path with null is a folder. */
  files?: Record<string, string | null>;
}

export function lab(given: ILab = {}) {
  Object.assign(played, {
    lists: {
      applications: given.applications ?? [],
      datasets: given.datasets ?? [],
      calculations: given.calculations ?? [],
      'interactive-sessions': [],
      me: given.me ?? { name: 'ada', roles: {}, groups: [] }
    },
    answers: given.answers ?? {}
  });
  const settings = { baseUrl: 'http://lab/', wsUrl: 'ws://lab/', token: '', appendToken: false };
  const store = new RegistryStore(new RegistryClient(settings as never));
  const files = given.files ?? {};
  const contents = {
    get: async (path: string, { format }: { format?: string }) => {
      const name = path.split('/').pop() ?? '';
      if (format === 'base64') {
        const text = files[path];
        if (typeof text !== 'string') {
          throw new Error(`${path} is not a file`);
        }
        return { name, path, content: btoa(text) };
      }
      const inside = Object.keys(files).filter(each => each.startsWith(path ? `${path}/` : ''));
      return { name, path, content: inside.map(each => ({ path: each })) };
    }
  };
  const shown: Widget[] = [];
  const active: string[] = [];
  const app = {
    commands: new CommandRegistry(),
    shell: {
      add: (widget: Widget) => void (shown.includes(widget) || shown.push(widget)),
      activateById: (id: string) => void active.push(id)
    },
    docRegistry: { addFileType: vi.fn(), addWidgetFactory: vi.fn() },
    contextMenu: { addItem: vi.fn() },
    restored: Promise.resolve(),
    serviceManager: { serverSettings: settings, contents }
  };
  const cells: { source: string }[] = [];
  const notebooks = { currentWidget: null as unknown };
  return {
    app,
    store,
    shown,
    active,
    cells,
    notebooks,
    contents,
    played,
    run: (command: string, args: object = {}) => app.commands.execute(command, args as never) as Promise<unknown>,
    happen: (event: Partial<IEvent>) => (store.happened as Signal<RegistryStore, IEvent>).emit(event as IEvent),
    /** Activates a plug-in with what it requires, and with what of the optional it is given. */
    use: (plugin: { activate: (...given: never[]) => unknown }, ...optional: unknown[]) =>
      plugin.activate(...([app, nullTranslator, store, ...optional] as never[]))
  };
}

/** Lets answers come that need several turns. */
export const settle = async (turns = 8): Promise<void> => {
  for (let n = 0; n < turns; n++) {
    await act(async () => new Promise(done => setTimeout(done)));
  }
};

export const dataset = (name: string, ...files: string[]) =>
  ({
    qcrbox_dataset_id: `d-${name}`,
    name,
    owner: 'ada',
    data_files: Object.fromEntries(
      files.map(each => [each, { filename: each, qcrbox_file_id: `f-${each}`, index: null }])
    )
  }) as unknown as IDataset;

export const calculation = (id: string, more: object = {}) =>
  ({
    calculation_id: id,
    title: `title of ${id}`,
    command_name: 'refine_iam',
    application_slug: 'refine',
    owner: 'ada',
    status: 'running',
    status_events: [],
    submitted_at: '2026-11-29T10:00:00Z',
    ...more
  }) as unknown as ICalculation;

const cif = { dtype: 'QCrBox.cif_data_file', required: true, takes: { endings: ['.cif'], atoms: false } };
export const REFINE = {
  id: 1,
  slug: 'refine',
  name: 'Refine',
  version: '2',
  commands: [
    {
      name: 'refine_iam',
      title: 'IAM refinement',
      description: 'Spherical atoms.',
      missing: '',
      estimate: 'estimate_iam',
      parameters: {
        structure: cif,
        cycles: { dtype: 'int', default_value: 10, valid_value: { numeric_range: [0, 50] } },
        edits: { dtype: 'str' }
      }
    },
    { name: 'estimate_iam', missing: '', parameters: { structure: cif, cycles: { dtype: 'int' } } },
    { name: 'refine_far', missing: 'Ask for the far package.', parameters: { structure: cif } }
  ]
} as unknown as IApplication;
