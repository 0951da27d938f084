"use strict";
(() => {
  const tip = document.getElementById("tip");
  const show = (text, x, y) => {
    tip.textContent = text;
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    tip.style.left = Math.max(4, Math.min(x + 12, innerWidth - box.width - 8)) + "px";
    tip.style.top = Math.max(4, Math.min(y + 12, innerHeight - box.height - 8)) + "px";
  };
  for (const chart of document.querySelectorAll("svg.chart")) {
    const marks = [...chart.querySelectorAll("[data-tip]")];
    if (!marks.length) continue;
    chart.addEventListener("pointermove", (event) => {
      const text = event.target.dataset && event.target.dataset.tip;
      if (text) show(text, event.clientX, event.clientY);
      else tip.hidden = true;
    });
    chart.addEventListener("pointerleave", () => { tip.hidden = true; });
    // One stop for the keyboard per chart; arrows walk from mark to mark.
    chart.tabIndex = 0;
    let at = -1;
    const go = (index) => {
      if (marks[at]) marks[at].classList.remove("at");
      at = Math.max(0, Math.min(marks.length - 1, index));
      marks[at].classList.add("at");
      const box = marks[at].getBoundingClientRect();
      show(marks[at].dataset.tip, box.right, box.top);
    };
    chart.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1, PageDown: 10, PageUp: -10 }[event.key];
      if (step) { go(at + step); event.preventDefault(); }
      if (event.key === "Home") { go(0); event.preventDefault(); }
      if (event.key === "End") { go(marks.length - 1); event.preventDefault(); }
      if (event.key === "Escape") tip.hidden = true;
    });
    chart.addEventListener("blur", () => {
      tip.hidden = true;
      if (marks[at]) marks[at].classList.remove("at");
    });
  }
  // Paper has no buttons: some rows are opened for it, and those behind "more" are not.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll(".row:not([open])")].filter((row) => !row.closest(".more")).slice(0, 10);
    for (const row of opened) row.open = true;
  });
  addEventListener("afterprint", () => { for (const row of opened) row.open = false; });
  const words = document.getElementById("filter-words");
  if (!words) return;
  const column = document.getElementById("filter-column");
  const note = document.getElementById("filter-told");
  const outcome = document.getElementById("filter-outcome");
  const section = words.closest("section");
  const rows = [...section.querySelectorAll(".row")];
  const filter = () => {
    const wanted = words.value.trim().toLowerCase();
    const any = !wanted && !column.value && !(outcome && outcome.value);
    let shown = 0;
    for (const row of rows) {
      const fits = (!wanted || row.textContent.toLowerCase().includes(wanted)) &&
        (!column.value || row.dataset.column === column.value) &&
        (!outcome || !outcome.value || row.dataset.outcome === outcome.value);
      row.hidden = !fits;
      shown += fits;
    }
    for (const more of section.querySelectorAll(".more")) {
      more.hidden = !more.querySelector(".row:not([hidden])");
      // What is looked for must not hide behind "more".
      more.open = !any;
    }
    for (const group of section.querySelectorAll(".group")) group.hidden = !group.querySelector(".row:not([hidden])");
    for (const rest of section.querySelectorAll(".rest")) rest.hidden = !any;
    note.textContent = any ? "" : shown + " of " + rows.length + " shown";
  };
  words.addEventListener("input", filter);
  for (const choice of [column, outcome]) if (choice) choice.addEventListener("change", filter);
})();
