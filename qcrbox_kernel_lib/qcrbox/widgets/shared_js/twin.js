// Hides the still picture of a widget while the live one is there. A style rule, because the notebook may
// draw the still output anew at any time; taken away again with the widget.
export function coverTwin(mark) {
  if (!/^[\w-]+$/.test(mark || "")) return () => {};
  const style = document.createElement("style");
  style.textContent = `.jp-OutputArea-child:has(.${mark}),.${mark}{display:none!important}`;
  document.head.append(style);
  return () => style.remove();
}

// An element with attributes, properties and children; text children are text, never HTML.
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, String(value));
  }
  made.append(...children.filter((child) => child != null));
  return made;
}

// One stylesheet per widget kind and document.
export function installStyle(id, css) {
  if (document.getElementById(id)) return;
  const style = document.createElement("style");
  style.id = id;
  style.textContent = css;
  document.head.append(style);
}
