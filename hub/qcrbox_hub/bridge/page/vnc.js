// The window of a session. The address is the one that programs of noVNC's own page use:
// path, resize (remote, scale, off), reconnect, view_only, show_dot.
import RFB from "@novnc/novnc";

const AGAIN_MS = 3000;
const asked = new URLSearchParams(location.search);
const find = (id) => document.getElementById(id);
let viewer = null;
let timer = 0;

function flag(name, usual) {
  const text = asked.get(name);
  return text === null ? usual : ["1", "true", "yes", "on"].includes(text.toLowerCase());
}

function address() {
  const path = (asked.get("path") || "vnc").replace(/^\/+/, "");
  return `ws://${location.host}/${path}`;
}

function connect() {
  clearTimeout(timer);
  find("notice").hidden = true;
  find("state").textContent = "Connecting …";
  const socket = new WebSocket(address(), ["binary"]);
  let opened = false;
  // Added before noVNC's own listener: it forgets the reason.
  socket.addEventListener("close", (event) => over(opened, event.code, event.reason));
  viewer = new RFB(find("screen"), socket, { shared: true });
  viewer.resizeSession = (asked.get("resize") || "remote") === "remote";
  viewer.scaleViewport = asked.get("resize") !== "off";
  viewer.showDotCursor = flag("show_dot", true);
  viewer.viewOnly = flag("view_only", false);
  viewer.addEventListener("connect", () => {
    opened = true;
    find("state").textContent = "Connected";
    viewer.focus();
  });
  viewer.addEventListener("desktopname", (event) => {
    find("title").textContent = event.detail.name || find("title").textContent;
  });
  viewer.addEventListener("clipboard", (event) => {
    find("clipboard-text").value = event.detail.text;
  });
}

function over(opened, code, reason) {
  viewer = null;
  find("state").textContent = "Not connected";
  const ended = opened && code === 1000;
  find("notice-title").textContent = ended ? "The session has ended" : "No window to show";
  find("notice-text").textContent =
    reason || (ended ? "Its results are in your program." : "The bridge does not answer. Does it still run?");
  find("notice").hidden = false;
  // A session that has ended does not come back; another one may be opened in this window.
  if (flag("reconnect", true) && code !== 4401) {
    timer = setTimeout(connect, AGAIN_MS);
  }
}

find("again").addEventListener("click", connect);
find("fullscreen").addEventListener("click", () =>
  document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen(),
);
find("clipboard-text").addEventListener("input", (event) => viewer?.clipboardPasteFrom(event.target.value));
connect();
