/**
 * What stands in the place of Lab's libraries for plug-ins: widgets of Lumino with React in them; docking, dialogs,
 * notifications and requests to the registry are written down. It imports nothing of ours: it is imported by what it
 * replaces. See lab_shell.tsx.
 */
import { Widget } from '@lumino/widgets';
import { act } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { vi } from 'vitest';

export { caretDownIcon, caretRightIcon, UseSignal } from './lab_dom';

// ---------------------------------------------------------------- Lab's libraries

export class LabIcon {
  readonly name: string;
  constructor({ name }: { name: string }) {
    this.name = name;
  }
}

export const [runIcon, treeViewIcon, listIcon, notebookIcon] = ['run', 'tree', 'list', 'notebook'].map(
  name => new LabIcon({ name })
);

export class ReactWidget extends Widget {
  private readonly root: Root = createRoot(this.node);
  readonly renderPromise = Promise.resolve();
  protected render(): JSX.Element | null {
    return null;
  }
  /** Draws it, as Lab does when it is attached. */
  async draw(): Promise<HTMLElement> {
    await act(async () => this.root.render(this.render()));
    return this.node;
  }
}

export class MainAreaWidget<T extends Widget> extends Widget {
  readonly content: T;
  readonly toolbar = new Widget();
  constructor({ content }: { content: T }) {
    super();
    this.content = content;
  }
}

export class WidgetTracker<T extends Widget> {
  readonly widgets: T[] = [];
  readonly save = vi.fn(async () => undefined);
  async add(widget: T): Promise<void> {
    this.widgets.push(widget);
    widget.disposed.connect(() => this.widgets.splice(this.widgets.indexOf(widget), 1));
  }
  find(fits: (widget: T) => boolean): T | undefined {
    return this.widgets.find(fits);
  }
}

/** What was shown in the corner of Lab: [kind, words]. */
export const notes: [string, string][] = [];
const note = (kind: string) => (words: string) => {
  notes.push([kind, words]);
  return String(notes.length);
};
export const Notification = {
  ...(Object.fromEntries(['info', 'success', 'warning', 'error'].map(kind => [kind, note(kind)])) as Record<
    'info' | 'success' | 'warning' | 'error',
    (words: string) => string
  >),
  emit: (words: string, kind: string) => note(kind)(words),
  dismiss: (id: string) => void notes.splice(Number(id) - 1, 1, ['dismissed', notes[Number(id) - 1]?.[1] ?? ''])
};

/** What was put into the clipboard. */
export const copied: string[] = [];
export const Clipboard = { copyToSystem: (text: string) => void copied.push(text) };

/** Dialogs that were shown, and what the person answers, in order; without an answer they are closed. */
export const dialogs: { title: string; [more: string]: unknown }[] = [];
export const answers: unknown[] = [];
const ask = async (options: { title: string }) => {
  dialogs.push(options);
  const value = answers.shift() ?? null;
  return { value, button: { accept: value !== null } };
};
export const InputDialog = { getText: ask, getItem: ask };
export const showDialog = ask;
const button = (kind: string) => (more: object) => ({ kind, ...more });
export const Dialog = {
  cancelButton: button('cancel'),
  okButton: button('ok'),
  warnButton: button('warn')
};

export const NotebookActions = { insertBelow: vi.fn() };
const token = {};
export const [ICommandPalette, ILayoutRestorer, ILauncher, IDefaultFileBrowser, INotebookTracker, IRouter] = Array.from(
  { length: 6 },
  () => token
);

export function forget(): void {
  [notes, copied, dialogs, answers, requests].forEach(list => list.splice(0));
}

// ---------------------------------------------------------------- a registry

export interface IRequest {
  method: string;
  path: string;
  body: Record<string, unknown>;
  headers: Record<string, string>;
  files: string[];
}
/** What was asked of the registry that changes something. */
export const requests: IRequest[] = [];
export type Answer = (request: IRequest) => unknown;
/** What the registry holds, by path, and what it answers to "METHOD path". */
export const played: { lists: Record<string, unknown>; answers: Record<string, Answer> } = { lists: {}, answers: {} };

/** An answer that refuses, as the registry does. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string
  ) {
    super(message);
  }
}

function answerTo(request: IRequest): unknown {
  const act = played.answers[`${request.method} ${request.path}`];
  if (act) {
    return act(request);
  }
  const [list = '', id] = request.path.split('/');
  const known = played.lists[list];
  if (request.method !== 'GET' || known === undefined) {
    throw new Refusal(404, `There is no ${request.path}.`);
  }
  const only = (known as { calculation_id?: string }[]).filter?.(each => each.calculation_id === id);
  return list === 'me' ? known : { [list.replace('-', '_')]: id ? only : known };
}

export const ServerConnection = {
  makeRequest: async (url: string, init: RequestInit) => {
    const local = url.replace('http://lab/qcrbox/', '');
    if (local === 'info') {
      return new Response('{"configured": true}');
    }
    if (local === 'api/events') {
      return new Promise(() => undefined);
    }
    const form = init.body instanceof FormData ? [...init.body.values()].map(each => (each as File).name) : [];
    const request: IRequest = {
      method: init.method ?? 'GET',
      path: local.replace(/^api\//, '').split('?')[0] ?? '',
      body: typeof init.body === 'string' ? (JSON.parse(init.body) as Record<string, unknown>) : {},
      headers: (init.headers ?? {}) as Record<string, string>,
      files: form
    };
    if (request.method !== 'GET') {
      requests.push(request);
    }
    try {
      const payload = await answerTo(request);
      return new Response(JSON.stringify(local.startsWith('api/') ? { payload } : payload));
    } catch (error) {
      if (!(error instanceof Refusal)) {
        throw error;
      }
      return new Response(JSON.stringify({ error: { message: error.message } }), { status: error.status });
    }
  }
};
