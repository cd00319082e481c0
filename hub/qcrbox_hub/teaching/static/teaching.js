// The pages work without this: times are UTC then, and the board is loaded anew by hand.
"use strict";
/* global localTimes -- of admin.js, which every page loads first */

const AT_MOST_EVERY_MS = 1000;
const ALSO_WITHOUT_EVENT_MS = 30000;

function momentFields() {
  for (const field of document.querySelectorAll("input[data-moment]")) {
    const utc = field.form.elements[`${field.name}_utc`];
    if (field.dataset.moment) {
      const when = new Date(field.dataset.moment);
      field.value = new Date(when - when.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
    }
    field.addEventListener("input", () => {
      utc.value = field.value ? new Date(field.value).toISOString() : "";
    });
  }
}

function liveBoard(board) {
  const state = document.getElementById("live");
  let loading = false;
  let again = false;
  async function load() {
    if (loading) {
      again = true;
      return;
    }
    loading = true;
    try {
      const answer = await fetch(board.dataset.rows, { headers: { Accept: "text/html" } });
      const part = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("board_part");
      if (!answer.ok || !part) throw new Error(String(answer.status));
      const scrolled = board.querySelector(".qcrbox-scroll").scrollLeft;
      board.replaceChildren(part);
      board.querySelector(".qcrbox-scroll").scrollLeft = scrolled;
      localTimes(board);
      state.textContent = `Live, ${new Date().toLocaleTimeString()}`;
    } catch {
      state.textContent = "The hub does not answer; the board is not live at this moment.";
    }
    setTimeout(() => {
      loading = false;
      if (again) {
        again = false;
        void load();
      }
    }, AT_MOST_EVERY_MS);
  }
  new EventSource(board.dataset.events).addEventListener("changed", () => void load());
  setInterval(() => void load(), ALSO_WITHOUT_EVENT_MS);
}

// A second click while the answer is on its way would make a second exercise, note or booking.
function sendOnce() {
  const sent = new WeakSet();
  document.addEventListener("submit", (event) => {
    if (sent.has(event.target)) event.preventDefault();
    else if (!event.defaultPrevented) sent.add(event.target);
  });
  // The page as it was comes back with "Back".
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) window.location.reload();
  });
}

document.addEventListener("DOMContentLoaded", () => {
  momentFields();
  sendOnce();
  const board = document.getElementById("live_board");
  if (board) liveBoard(board);
});
