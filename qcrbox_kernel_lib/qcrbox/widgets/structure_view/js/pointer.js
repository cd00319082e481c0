// Mouse, pen and fingers: drag turns, right or shift drag moves, wheel or pinch zooms, click picks.
export function listen(view) {
  const { canvas } = view;
  const fingers = new Map();
  let [moved, pinch] = [0, 0];
  let box = null; // where a box began
  const down = (e) => {
    canvas.focus();
    canvas.setPointerCapture(e.pointerId);
    fingers.set(e.pointerId, [e.offsetX, e.offsetY]);
    moved = 0;
    pinch = distance(fingers);
    box = view.editing.startsBox(e) && fingers.size === 1 ? [e.offsetX, e.offsetY] : null;
    canvas.classList.add("turning");
  };
  const move = (e) => {
    const last = fingers.get(e.pointerId);
    if (!last) return view.hover(e.offsetX, e.offsetY);
    const [dx, dy] = [e.offsetX - last[0], e.offsetY - last[1]];
    fingers.set(e.pointerId, [e.offsetX, e.offsetY]);
    moved += Math.abs(dx) + Math.abs(dy);
    if (box) {
      view.overlay.box = [...box, e.offsetX, e.offsetY];
      view.stage.draw();
    } else if (fingers.size === 2) {
      const now = distance(fingers);
      if (pinch) view.stage.zoom(now / pinch);
      pinch = now;
      view.stage.move(dx / 2, dy / 2);
    } else if (e.shiftKey || e.buttons & 2 || e.buttons & 4) view.stage.move(dx, dy);
    else view.stage.rotate(dx * 0.008, dy * 0.008);
  };
  const up = (e) => {
    const was = fingers.delete(e.pointerId);
    const drawn = view.overlay.box;
    view.overlay.box = box = null;
    if (was && moved < 5 && e.button === 0) view.click(e.offsetX, e.offsetY, e.shiftKey || e.ctrlKey || e.metaKey);
    else if (drawn) view.editing.takeBox(drawn, e.shiftKey);
    if (!fingers.size) canvas.classList.remove("turning");
    view.cameraMoved();
  };
  const wheel = (e) => {
    // A page that is only being scrolled must not be caught.
    if (!view.node.contains(document.activeElement)) return;
    e.preventDefault();
    view.stage.zoom(Math.exp(-e.deltaY * 0.0015));
    view.cameraMoved();
  };
  canvas.addEventListener("pointerdown", down);
  canvas.addEventListener("pointermove", move);
  canvas.addEventListener("pointerup", up);
  canvas.addEventListener("pointercancel", up);
  canvas.addEventListener("pointerleave", () => view.hover(-1, -1));
  canvas.addEventListener("wheel", wheel, { passive: false });
  canvas.addEventListener("contextmenu", (e) => e.preventDefault());
}

function distance(fingers) {
  if (fingers.size !== 2) return 0;
  const [[x1, y1], [x2, y2]] = [...fingers.values()];
  return Math.hypot(x1 - x2, y1 - y2);
}
