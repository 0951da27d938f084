"use strict";
(() => {
  const panels = [...document.querySelectorAll(".panel")];
  if (!panels.length) return;
  const SVG = "http://www.w3.org/2000/svg";
  const WIDTH = 1000, HEIGHT = 100, LEAST = 0.5;
  const tip = document.getElementById("tip");
  const choice = document.getElementById("panel-of");
  const views = panels.map(() => [0, WIDTH]);
  const parsed = new Map();
  let shown = 0;

  const time = (panel, x) => {
    const start = +panel.dataset.start, end = +panel.dataset.end;
    const seconds = start + x / WIDTH * (end - start);
    if (!panel.dataset.zone) return String(+seconds.toPrecision(12));
    // Sweden writes times as 2026-02-03 04:05:06.
    const text = new Date(Math.round(seconds) * 1000).toLocaleString("sv-SE", { timeZone: panel.dataset.zone });
    return text.replace(/:00$/, "");
  };
  // Round instants by the clock of the data, as the page was made with: see time_ticks.py.
  const MINUTE = 60, HOUR = 3600, DAY = 86400, MONTH = 30.44 * DAY, MOST = 6;
  const STEPS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 15, 30, ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
    ...[1, 2, 3, 6, 12].map((n) => n * HOUR), ...[1, 2, 7, 14].map((n) => n * DAY)];
  const MONTHS = [1, 3, 6, ...[1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000].map((years) => 12 * years)];
  // Seconds by which the clock on the wall is ahead of UTC at an instant.
  const ahead = (seconds, zone) => {
    const text = new Date(seconds * 1000).toLocaleString("sv-SE", { timeZone: zone });
    return Date.parse(text.replace(" ", "T") + "Z") / 1000 - Math.floor(seconds);
  };
  const ticks = (panel, from, to) => {
    const first = +panel.dataset.start, length = panel.dataset.end - first, zone = panel.dataset.zone;
    const start = first + from / WIDTH * length, end = first + to / WIDTH * length, long = Math.max(end - start, 1e-3);
    if (!zone) {
      const raw = long / MOST, size = 10 ** Math.floor(Math.log10(raw));
      const step = [1, 2, 5, 10].map((n) => n * size).find((one) => one >= raw * (1 - 1e-9));
      const found = [];
      for (let n = Math.ceil(start / step - 1e-9); n * step <= end * (1 + 1e-12); n++) found.push([n * step, String(+(n * step).toPrecision(9))]);
      return found;
    }
    const instant = (wall) => wall - ahead(wall - ahead(start, zone), zone);
    const wall = start + ahead(start, zone);
    const step = STEPS.find((one) => long / one <= MOST);
    const found = [];
    const add = (clock, text) => {
      const seconds = instant(clock);
      if (seconds >= start - 1e-6 && seconds <= end + 1e-6) found.push([seconds, text(found.length)]);
      return seconds <= end;
    };
    if (step) {
      for (let n = Math.ceil(wall / step - 1e-9); ; n++) {
        const clock = Math.round(n * step * 1000) / 1000, iso = new Date(Math.round(clock * 1000)).toISOString();
        const size = step < 1 ? 23 : step < MINUTE ? 19 : 16, date = iso.slice(0, 10), hour = iso.slice(11, size);
        const midnight = step >= DAY || clock % DAY === 0;
        if (!add(clock, (place) => midnight ? date : place ? hour : date + " " + hour)) return found;
      }
    }
    const months = MONTHS.find((one) => long / (MONTH * one) <= MOST) || 24000;
    const begin = new Date(wall * 1000);
    for (let n = Math.ceil((12 * begin.getUTCFullYear() + begin.getUTCMonth()) / months); ; n++) {
      const clock = Date.UTC(Math.floor(n * months / 12), n * months % 12, 1);
      const iso = new Date(clock).toISOString();
      if (!add(clock / 1000, () => iso.slice(0, months < 12 ? 7 : 4))) return found;
    }
  };
  const draw = (index) => {
    const panel = panels[index], [from, to] = views[index];
    for (const svg of panel.querySelectorAll("svg.series")) {
      svg.setAttribute("viewBox", from + " 0 " + (to - from) + " " + HEIGHT);
    }
    const places = ticks(panel, from, to).map(([seconds, text]) => {
      const start = +panel.dataset.start, end = +panel.dataset.end;
      return [100 * (WIDTH * (seconds - start) / (end - start || 1) - from) / (to - from), text];
    });
    const axis = panel.querySelector(".times");
    axis.replaceChildren();
    for (const [at, text] of places) {
      upright(axis, at, "5", "");
      const label = axis.appendChild(document.createElementNS(SVG, "text"));
      label.setAttribute("x", at + "%");
      label.setAttribute("y", "18");
      label.setAttribute("text-anchor", at < 6 ? "start" : at > 94 ? "end" : "middle");
      label.textContent = text;
    }
    for (const overlay of panel.querySelectorAll(".overlay")) {
      for (const old of overlay.querySelectorAll(".time")) old.remove();
      for (const [at] of places) upright(overlay, at, "100%", "time");
    }
  };
  const upright = (svg, at, foot, name) => {
    const made = svg.appendChild(document.createElementNS(SVG, "line"));
    for (const [key, value] of [["x1", at + "%"], ["x2", at + "%"], ["y1", "0"], ["y2", foot]]) made.setAttribute(key, value);
    if (name) made.setAttribute("class", name);
  };
  const look = (index, from, to) => {
    const width = Math.min(Math.max(to - from, LEAST), WIDTH);
    const left = Math.min(Math.max((from + to - width) / 2, 0), WIDTH - width);
    views[index] = [left, left + width];
    draw(index);
  };
  const move = (index, how) => {
    const [from, to] = views[index], width = to - from, middle = (from + to) / 2;
    if (how === "in") look(index, middle - width / 4, middle + width / 4);
    if (how === "out") look(index, middle - width, middle + width);
    if (how === "left") look(index, from - width / 3, to - width / 3);
    if (how === "right") look(index, from + width / 3, to + width / 3);
    if (how === "all") look(index, 0, WIDTH);
  };
  const show = (index) => {
    shown = index;
    panels.forEach((panel, place) => { panel.hidden = place !== index; });
    if (choice) choice.value = String(index);
  };
  const points = (path) => {
    if (!parsed.has(path)) {
      const vertices = [];
      let up = 0;
      for (const [, mark, x, y] of path.getAttribute("d").matchAll(/([MLH])([-\d.e]+)[ V]([-\d.e]+)/g)) {
        if (mark === "H") vertices.push([+x, up]);
        up = +y;
        vertices.push([+x, up]);
      }
      parsed.set(path, vertices);
    }
    return parsed.get(path);
  };
  const nearest = (vertices, x) => {
    let low = 0, high = vertices.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (vertices[middle][0] <= x) low = middle; else high = middle;
    }
    return Math.abs(vertices[low][0] - x) <= Math.abs(vertices[high][0] - x) ? vertices[low] : vertices[high];
  };
  const value = (figure, up) => {
    const low = +figure.dataset.low, high = +figure.dataset.high, share = 1 - up / HEIGHT;
    const names = JSON.parse(figure.dataset.names);
    if (names.length) return names[Math.round(low + share * (high - low))] || "";
    const log = figure.dataset.log === "1";
    const number = log ? low * (high / low) ** share : low + share * (high - low);
    // Places are drawn to a ten thousandth of the height: no more digits are told than that leaves true.
    const fine = 5e-4 * (log ? number * Math.log(high / low) : high - low);
    const digits = Math.min(12, Math.floor(-Math.log10(fine)));
    const rounded = digits < 0 ? Math.round(number / 10 ** -digits) * 10 ** -digits : +number.toFixed(digits);
    return rounded.toLocaleString("en", { maximumSignificantDigits: 15 });
  };
  const caption = (panel, figure, x) => {
    const parts = [];
    let at = x;
    for (const kind of ["seen", "expected"]) {
      const path = figure.querySelector("path." + kind);
      if (!path) continue;
      const vertex = nearest(points(path), x);
      if (kind === "seen") at = vertex[0];
      parts.push(kind === "seen" ? value(figure, vertex[1]) : "expected " + value(figure, vertex[1]));
    }
    return time(panel, at) + ": " + figure.dataset.name + " " + parts.join(", ");
  };
  const line = (svg, name) => {
    const made = document.createElementNS(SVG, name === "cross" ? "line" : "rect");
    made.setAttribute("class", name);
    svg.append(made);
    return made;
  };
  panels.forEach((panel, index) => {
    let from = null;
    const figures = [...panel.querySelectorAll("figure")];
    const place = (event, svg) => {
      const box = svg.getBoundingClientRect(), [left, right] = views[index];
      const share = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
      return left + share * (right - left);
    };
    const clear = (name) => { for (const old of panel.querySelectorAll("." + name)) old.remove(); };
    for (const figure of figures) {
      const svg = figure.querySelector("svg");
      svg.addEventListener("pointermove", (event) => {
        const x = place(event, svg);
        clear("cross");
        clear("chosen");
        for (const other of panel.querySelectorAll("svg.series")) {
          const cross = line(other, "cross");
          for (const [key, at] of [["x1", x], ["x2", x], ["y1", 0], ["y2", HEIGHT]]) cross.setAttribute(key, at);
          if (from === null) continue;
          const chosen = line(other, "chosen");
          const sides = [["x", Math.min(from, x)], ["width", Math.abs(x - from)], ["y", 0], ["height", HEIGHT]];
          for (const [key, at] of sides) chosen.setAttribute(key, at);
        }
        const mark = [...svg.querySelectorAll(".event")].find((one) =>
          +one.getAttribute("x") <= x && x <= +one.getAttribute("x") + +one.getAttribute("width"));
        tip.textContent = caption(panel, figure, x) + (mark ? " (" + mark.dataset.event + ")" : "");
        tip.hidden = false;
        const box = tip.getBoundingClientRect();
        tip.style.left = Math.max(4, Math.min(event.clientX + 12, innerWidth - box.width - 8)) + "px";
        tip.style.top = Math.max(4, Math.min(event.clientY + 14, innerHeight - box.height - 8)) + "px";
      });
      svg.addEventListener("pointerdown", (event) => {
        from = place(event, svg);
        svg.setPointerCapture(event.pointerId);
      });
      svg.addEventListener("pointerup", (event) => {
        const x = place(event, svg), [left, right] = views[index];
        if (from !== null && Math.abs(x - from) > (right - left) / 100) {
          look(index, Math.min(from, x), Math.max(from, x));
        }
        from = null;
        clear("chosen");
      });
      for (const name of ["pointerleave", "pointercancel"]) {
        svg.addEventListener(name, () => {
          clear("cross");
          clear("chosen");
          from = null;
          tip.hidden = true;
        });
      }
    }
    panel.addEventListener("keydown", (event) => {
      const how = { "+": "in", "=": "in", "-": "out", ArrowLeft: "left", ArrowRight: "right", Home: "all" }[event.key];
      if (how) { move(index, how); event.preventDefault(); }
    });
  });
  for (const button of document.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => move(shown, button.dataset.zoom));
  }
  for (const button of document.querySelectorAll("button.show")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const index = +button.dataset.panel, from = +button.dataset.from, to = +button.dataset.to;
      const around = Math.max((to - from) / 2, LEAST);
      show(index);
      look(index, from - around, to + around);
      document.getElementById("channels").scrollIntoView({ block: "start" });
      panels[index].focus({ preventScroll: true });
    });
  }
  for (const hidden of document.querySelectorAll(".zoom, .hint")) hidden.hidden = false;
  if (choice) choice.addEventListener("change", () => show(+choice.value));
  show(0);
  addEventListener("beforeprint", () => { for (const panel of panels) panel.hidden = false; });
  addEventListener("afterprint", () => show(shown));
})();
