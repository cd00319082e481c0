/**
 * The structure view whole, in a page of jsdom: the real parts on a kernel that answers from a table, with the scene
 * that the real kernel sends (scene.json). The test mocks three's renderer by NoGraphics of page.mjs.
 */
import { vi } from 'vitest';

import widget from '../../qcrbox_kernel_lib/qcrbox/widgets/structure_view/js/index.js';
import { View } from '../../qcrbox_kernel_lib/qcrbox/widgets/structure_view/js/view.js';
import { context, widgetModel } from './page.mjs';
import shared from './scene.json';

export const [WIDTH, HEIGHT] = [400, 300];
const open = [];

/** A value of the kernel as widgets get it: bytes as views. */
export function decoded(value) {
  if (Array.isArray(value)) return value.map(decoded);
  if (value === null || typeof value !== 'object') return value;
  if ('$bytes' in value) return new DataView(Uint8Array.from(atob(value.$bytes), sign => sign.charCodeAt(0)).buffer);
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, decoded(each)]));
}

export const sharedScene = (more = {}) => ({ ...decoded(shared.scene), ...more });

/** A page whose elements have a size, and clocks that the test turns. */
export function openDom() {
  vi.useFakeTimers();
  const observers = [];
  vi.stubGlobal(
    'ResizeObserver',
    class {
      constructor(act) {
        observers.push(act);
      }
      observe() {}
      disconnect() {}
    }
  );
  vi.spyOn(HTMLElement.prototype, 'clientWidth', 'get').mockReturnValue(WIDTH);
  vi.spyOn(HTMLElement.prototype, 'clientHeight', 'get').mockReturnValue(HEIGHT);
  vi.spyOn(HTMLCanvasElement.prototype, 'getContext').mockImplementation(function () {
    return (this.drawn ??= context());
  });
  HTMLElement.prototype.setPointerCapture = () => undefined;
  return { resize: () => observers.forEach(act => act()) };
}

export function closeDom() {
  open.splice(0).forEach(view => view.close());
  document.body.replaceChildren();
  document.head.replaceChildren();
  vi.restoreAllMocks();
}

/** A model whose kernel answers a question by what it is to do. */
export function kernelModel(state = {}, answers = {}) {
  const model = widgetModel({ scene: sharedScene(), density: null, surface: null, twin: '', link: '', ...state });
  const { send } = model;
  model.send = message => {
    send(message);
    const answer = answers[message.do];
    if (message.id === undefined || answer === undefined) return;
    const said = typeof answer === 'function' ? answer(message) : answer;
    queueMicrotask(() => model.say('msg:custom', { re: message.id, ...said }));
  };
  model.told = what => model.sent.filter(each => each.do === what);
  return model;
}

/** A drawn view and ways to work it as a person does. */
export function openView(state, answers, dom = openDom()) {
  const model = kernelModel(state, answers);
  const el = document.createElement('div');
  document.body.append(el);
  const view = new View(model, el);
  open.push(view);
  dom.resize();
  const frame = () => vi.advanceTimersByTime(20);
  frame();
  const pointer = (type, x, y, more = {}) =>
    view.canvas.dispatchEvent(
      new MouseEvent(type, { bubbles: true, cancelable: true, clientX: x, clientY: y, ...more })
    );
  const placeOf = row => {
    const v = view.stage.project(view.scene.positions, 3 * row, view.stage.root.position.clone());
    return [v.x, v.y];
  };
  const clickAt = (x, y, more) => {
    pointer('pointerdown', x, y, more);
    pointer('pointerup', x, y, more);
    frame();
  };
  return {
    model,
    el,
    view,
    frame,
    pointer,
    placeOf,
    press: (key, more = {}, target = view.canvas) =>
      target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...more })),
    clickAt,
    clickAtom: (row, more) => clickAt(...placeOf(row), more),
    /** A button by its words, or by its label. */
    button: text =>
      [...el.querySelectorAll('button')].find(
        each => each.textContent === text || each.getAttribute('aria-label') === text
      ),
    field: label => el.querySelector(`[aria-label="${label}"]`),
    fill: (label, text) => {
      el.querySelector(`[aria-label="${label}"]`).value = text;
    },
    said: () => view.says.textContent,
    settle: () => vi.advanceTimersByTimeAsync(20)
  };
}

export { shared, widget };
