/**
 * What the views take from Lab's library of parts, without a browser: widgets that render, signals that are shown as they
 * stand. A test puts it in the place of the library, and reads the HTML or calls what a part would call.
 */
import * as React from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { vi } from 'vitest';

export class ReactWidget {
  readonly id = 'w1';
  readonly classes: string[] = [];
  readonly update = vi.fn();
  readonly isVisible = true;
  addClass(name: string): void {
    this.classes.push(name);
  }
  /** What the widget shows now. */
  protected render(): JSX.Element | null {
    return null;
  }
}

export function UseSignal({ children }: { children: () => React.ReactNode }): JSX.Element {
  return <>{children()}</>;
}

const icon = { react: () => <i /> };
export const caretDownIcon = icon;
export const caretRightIcon = icon;

/** The HTML of an element or widget. */
export function html(shown: unknown): string {
  const element = React.isValidElement(shown) ? shown : (shown as { render(): JSX.Element }).render();
  return renderToStaticMarkup(element).replaceAll('&#x27;', "'").replaceAll('&quot;', '"');
}

/** The text of it, as a person reads it. */
export function words(shown: unknown): string {
  return html(shown)
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

interface IElement {
  type: unknown;
  props: Record<string, unknown> & { children?: React.ReactNode };
}

/** All elements of a widget; parts without state of their own are opened. */
function* elements(node: unknown): Generator<IElement> {
  if (Array.isArray(node)) {
    for (const each of node) {
      yield* elements(each);
    }
  } else if (React.isValidElement(node)) {
    const element = node as unknown as IElement;
    yield element;
    const opened = typeof element.type === 'function' ? rendered(element) : element.props.children;
    yield* elements(opened);
  }
}

function rendered({ type, props }: IElement): React.ReactNode {
  // A part with state of its own needs a page: React complains, and it stays closed.
  const quiet = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  try {
    return (type as (props: unknown) => React.ReactNode)(props);
  } catch {
    return null;
  } finally {
    quiet.mockRestore();
  }
}

/** The elements of a widget or element that fit. */
export function found(shown: unknown, fits: (element: IElement) => boolean): IElement[] {
  const root = React.isValidElement(shown) ? shown : (shown as { render(): JSX.Element }).render();
  return [...elements(root)].filter(fits);
}

/** The button with this text. */
export function button(shown: unknown, text: string): { disabled: boolean; press(): void } {
  const [one] = found(shown, each => each.type === 'button' && words(<>{each.props.children}</>) === text);
  if (!one) {
    throw new Error(`There is no button ${text}.`);
  }
  return { disabled: Boolean(one.props['disabled']), press: () => (one.props['onClick'] as () => void)() };
}

/** Change a field of this name, or with this label. */
export function fill(shown: unknown, name: string, value: string | boolean): void {
  const isNamed = ({ props }: IElement) => props['name'] === name || props['aria-label'] === name;
  const [field] = found(shown, each => isNamed(each) && typeof each.props['onChange'] === 'function');
  if (!field) {
    throw new Error(`There is no field ${name}.`);
  }
  const target = typeof value === 'boolean' ? { checked: value } : { value };
  (field.props['onChange'] as (event: unknown) => void)({ target });
}
