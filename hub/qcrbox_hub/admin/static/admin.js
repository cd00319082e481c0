// The pages work without this: it only saves clicks.
"use strict";

// The reader's time zone and language, as in Lab; the ISO time shows when hovered.
function localTimes(within) {
  for (const each of within.querySelectorAll("time[datetime]")) {
    const when = new Date(each.dateTime);
    if (!Number.isNaN(when.valueOf())) each.textContent = when.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  }
}

document.addEventListener("DOMContentLoaded", () => {
  localTimes(document);
  // A choice of a filter shows the table at once.
  for (const select of document.querySelectorAll(".qcrbox-toolbar select")) {
    select.addEventListener("change", () => select.form.requestSubmit());
  }
  // A box in the heading of a table ticks all boxes below it.
  for (const all of document.querySelectorAll("input[data-all]")) {
    all.addEventListener("change", () => {
      for (const box of all.closest("form").querySelectorAll(`input[name="${all.dataset.all}"]`)) {
        box.checked = all.checked;
      }
    });
  }
  // A form is sent once.
  for (const form of document.querySelectorAll("form[method=post]")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "yes";
    });
  }
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });
});
