/**
 * Parts of the views in a page of jsdom: mounted by React, worked with the mouse and the keyboard. A test puts this in
 * the place of Lab's library of parts, whose own parts need a bundler; signals are followed as there.
 */
import type { ISignal } from '@lumino/signaling';
import * as React from 'react';
import { act } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { vi } from 'vitest';

export { caretDownIcon, caretRightIcon, ReactWidget } from './lab_parts';

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

export function UseSignal({
  signal,
  children
}: {
  signal: ISignal<unknown, unknown>;
  children: () => React.ReactNode;
}): JSX.Element {
  const [, redraw] = React.useReducer((count: number) => count + 1, 0);
  React.useEffect(() => {
    signal.connect(redraw);
    return () => void signal.disconnect(redraw);
  }, [signal]);
  return <>{children()}</>;
}

const roots: Root[] = [];

/** What a person sees and can do; by the words and labels that they see. */
export interface IPage {
  node: HTMLElement;
  /** The text, white space as it reads. */
  words(): string;
  /** Elements by a selector. */
  all<T extends HTMLElement = HTMLElement>(selector: string): T[];
  /** A button or tab by its words or its label. */
  button(text: string): HTMLButtonElement;
  press(text: string): Promise<void>;
  field(label: string): HTMLInputElement;
  fill(label: string, value: string | boolean): Promise<void>;
  key(target: HTMLElement, key: string): Promise<void>;
  /** Let what was asked be answered. */
  settle(act?: () => unknown): Promise<void>;
  show(shown: JSX.Element): Promise<void>;
}

/** Mounts an element, or what a widget shows. */
export async function mount(shown: unknown): Promise<IPage> {
  const node = document.createElement('div');
  document.body.append(node);
  const root = createRoot(node);
  roots.push(root);
  const settle = async (work: () => unknown = () => undefined) => act(async () => void (await work()));
  const find = <T extends HTMLElement>(kind: string, fits: (each: T) => boolean, text: string): T => {
    const found = [...node.querySelectorAll<T>(kind)].find(fits);
    if (!found) {
      throw new Error(`There is no ${kind} ${text} in: ${node.textContent}`);
    }
    return found;
  };
  const labelled = (each: Element, text: string) =>
    each.getAttribute('aria-label') === text || each.closest('label')?.textContent?.trim().startsWith(text) === true;
  const button = (text: string) =>
    find<HTMLButtonElement>('button', each => each.textContent?.trim() === text || labelled(each, text), text);
  const field = (label: string) =>
    find<HTMLInputElement>('input, select, textarea', each => labelled(each, label) || each.name === label, label);
  const page: IPage = {
    node,
    settle,
    button,
    field,
    words: () => (node.textContent ?? '').replace(/\s+/g, ' ').trim(),
    all: selector => [...node.querySelectorAll<HTMLElement>(selector)] as never,
    press: async text => settle(() => button(text).click()),
    fill: async (label, value) =>
      settle(() => {
        const target = field(label);
        if (typeof value === 'boolean') {
          target.click();
          return;
        }
        // Past React's own setter, which would take the change for its own.
        const { set } = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(target) as object, 'value') ?? {};
        set?.call(target, value);
        target.dispatchEvent(new Event(target.tagName === 'SELECT' ? 'change' : 'input', { bubbles: true }));
      }),
    key: async (target, key) =>
      settle(() => target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }))),
    show: async element => settle(() => root.render(element))
  };
  const element = React.isValidElement(shown) ? shown : (shown as { render(): JSX.Element }).render();
  await page.show(element);
  return page;
}

/** Takes all pages away. */
export async function unmountAll(): Promise<void> {
  await act(async () => roots.splice(0).forEach(root => root.unmount()));
  document.body.replaceChildren();
}

/** A promise that the test answers when it likes. */
export function later<T>() {
  let answer: (value: T) => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const promise = new Promise<T>((done, failed) => {
    answer = done;
    fail = failed;
  });
  return { promise, answer, fail };
}

/** Text that would run in a page that takes it for HTML. */
export const HOSTILE = '<img src=x onerror="alert(1)">';

/** The names of files that were saved, as links that were clicked. */
export function savedFiles(): string[] {
  const saved: string[] = [];
  Object.assign(URL, { createObjectURL: () => 'blob:x', revokeObjectURL: () => undefined });
  vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (this: HTMLAnchorElement) {
    saved.push(this.download);
  });
  return saved;
}
