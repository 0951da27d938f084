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
    chart.addEventListener("blur", () => { tip.hidden = true; });
  }
  const words = document.getElementById("filter-words");
  if (!words) return;
  const column = document.getElementById("filter-column");
  const note = document.getElementById("filter-told");
  const rows = [...document.querySelectorAll(".row")];
  const filter = () => {
    const wanted = words.value.trim().toLowerCase();
    let shown = 0;
    for (const row of rows) {
      const fits = (!wanted || row.textContent.toLowerCase().includes(wanted)) &&
        (!column.value || row.dataset.column === column.value);
      row.hidden = !fits;
      shown += fits;
    }
    note.textContent = shown === rows.length ? "" : shown + " of " + rows.length + " rows shown";
  };
  words.addEventListener("input", filter);
  column.addEventListener("change", filter);
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = rows.filter((row) => !row.open).slice(0, 10);
    for (const row of opened) row.open = true;
  });
  addEventListener("afterprint", () => { for (const row of opened) row.open = false; });
})();
