/**
 * A page for widgets without a browser: elements with attributes, children and events, and canvases that write down what
 * is drawn. What needs a layout or pixels is shown in tests/browser.
 */
import { vi } from 'vitest';

class Classes {
  constructor() {
    this.known = new Set();
  }
  add(name) {
    this.known.add(name);
  }
  remove(name) {
    this.known.delete(name);
  }
  toggle(name, on) {
    on ? this.known.add(name) : this.known.delete(name);
  }
  contains(name) {
    return this.known.has(name);
  }
}

/** A drawing context: `calls` are the methods called, with what they were given. */
export function context() {
  const calls = [];
  const state = { calls, measureText: text => ({ width: 7 * text.length }) };
  return new Proxy(state, {
    get: (target, name) => (name in target ? target[name] : (...given) => calls.push([name, ...given])),
    set: (target, name, value) => {
      target[name] = value;
      return true;
    }
  });
}

export class Element {
  constructor(tag) {
    this.tag = tag;
    this.attributes = {};
    this.childNodes = [];
    this.dataset = {};
    this.style = {};
    this.classList = new Classes();
    this.heard = new Map();
    this.value = '';
    this.hidden = false;
    this.disabled = false;
    this.scrollTop = this.scrollHeight = this.clientHeight = this.offsetTop = 0;
  }

  setAttribute(name, value) {
    this.attributes[name] = String(value);
    if (name === 'class')
      String(value)
        .split(' ')
        .forEach(each => this.classList.add(each));
    if (['value', 'checked', 'hidden', 'disabled'].includes(name)) this[name] = value === '' ? true : value;
  }
  getAttribute(name) {
    return this.attributes[name] ?? null;
  }
  append(...children) {
    for (const child of children) {
      if (child instanceof Element) child.parent = this;
      this.childNodes.push(child);
    }
  }
  prepend(...children) {
    this.childNodes.unshift(...children);
  }
  after() {}
  replaceChildren(...children) {
    this.childNodes = [];
    this.append(...children);
  }
  remove() {
    if (this.parent) this.parent.childNodes = this.parent.childNodes.filter(each => each !== this);
  }
  get firstChild() {
    return this.childNodes[0] ?? null;
  }
  get textContent() {
    return this.childNodes.map(each => (each instanceof Element ? each.textContent : String(each))).join('');
  }
  set textContent(text) {
    this.childNodes = text === '' ? [] : [text];
  }
  addEventListener(name, act) {
    this.heard.set(name, [...(this.heard.get(name) ?? []), act]);
  }
  /** An event; answers it, with what was stopped. */
  fire(name, more = {}) {
    const stopped = [];
    const event = {
      type: name,
      target: this,
      preventDefault: () => stopped.push('default'),
      stopPropagation: () => stopped.push('bubbling'),
      ...more
    };
    (this.heard.get(name) ?? []).forEach(act => act(event));
    return stopped;
  }
  click() {
    this.fire('click');
  }
  focus() {
    document.activeElement = this;
    this.fire('focus');
  }
  setPointerCapture() {}
  contains(other) {
    return other === this || this.childNodes.some(each => each instanceof Element && each.contains(other));
  }
  getContext() {
    return (this.drawn ??= context());
  }
  /** All elements below, in order. */
  *all() {
    for (const child of this.childNodes) {
      if (child instanceof Element) {
        yield child;
        yield* child.all();
      }
    }
  }
  tagged(tag) {
    return [...this.all()].filter(each => each.tag === tag);
  }
  button(text) {
    return this.tagged('button').find(each => each.textContent === text);
  }
  /** By class only, as the widgets ask. */
  querySelector(selector) {
    return [...this.all()].find(each => each.classList.contains(selector.slice(1))) ?? null;
  }
}

/** In the place of three's renderer: a graphics card that draws nothing and counts the pictures. */
export class NoGraphics {
  static isMissing = false;
  constructor({ canvas }) {
    if (NoGraphics.isMissing) throw new Error('Error creating WebGL context.');
    this.domElement = canvas;
    this.pictures = 0;
  }
  setClearColor() {}
  setPixelRatio() {}
  setSize() {}
  getContext() {
    return { fenceSync: () => null };
  }
  render() {
    this.pictures += 1;
  }
  dispose() {}
  forceContextLoss() {}
}

/** Puts a page in the place of the browser's; `vi.unstubAllGlobals()` takes it away. */
export function openPage() {
  const body = new Element('body');
  const head = new Element('head');
  const document = {
    body,
    head,
    activeElement: null,
    createElement: tag => new Element(tag),
    createElementNS: (_, tag) => new Element(tag),
    getElementById: id => [...head.all()].find(each => each.id === id) ?? null
  };
  const observer = class {
    observe() {}
    disconnect() {}
  };
  vi.stubGlobal('document', document);
  vi.stubGlobal('MutationObserver', observer);
  vi.stubGlobal('ResizeObserver', observer);
  vi.stubGlobal('window', globalThis);
  vi.stubGlobal('requestAnimationFrame', act => setTimeout(act, 0));
  vi.stubGlobal('cancelAnimationFrame', id => clearTimeout(id));
  return document;
}

/** The model of a widget: its state, what it was sent, and a way to say something to it. */
export function widgetModel(state) {
  const heard = new Map();
  const sent = [];
  return {
    sent,
    state,
    get: name => state[name],
    send: message => sent.push(message),
    on: (name, act) => heard.set(name, [...(heard.get(name) ?? []), act]),
    off: (name, act) =>
      heard.set(
        name,
        (heard.get(name) ?? []).filter(each => each !== act)
      ),
    say: (name, ...values) => (heard.get(name) ?? []).forEach(act => act(...values))
  };
}
