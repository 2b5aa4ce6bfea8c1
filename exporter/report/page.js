"use strict";
(() => {
  const bodies = [...document.querySelectorAll("tbody")];
  const rowsOf = (body) => [...body.rows].filter((row) => !row.classList.contains("apart"));
  const heads = [...document.querySelectorAll("thead th")];
  const key = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.sort === undefined ? cell.textContent.trim().toLowerCase() : Number(cell.dataset.sort);
  };
  const compare = (a, b) => (typeof a === "number" ? a - b : a < b ? -1 : a > b ? 1 : 0);

  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const falls = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", falls ? "descending" : "ascending");
      for (const body of bodies) {
        const sorted = rowsOf(body).map((row) => [key(row, column), row]);
        sorted.sort((a, b) => compare(a[0], b[0]) * (falls ? -1 : 1));
        body.append(...sorted.map(([, row]) => row));
      }
    });
  });

  const input = document.getElementById("filter");
  const count = document.querySelector("output");
  const nothing = document.querySelector(".nothing");
  const texts = new Map();
  const textOf = (row) => {
    if (!texts.has(row)) texts.set(row, `${row.textContent} ${row.className}`.toLowerCase());
    return texts.get(row);
  };
  const apply = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    let all = 0;
    for (const body of bodies) {
      let here = 0;
      for (const row of rowsOf(body)) {
        const fits = words.every((word) => textOf(row).includes(word));
        row.hidden = !fits;
        here += fits;
        all += 1;
      }
      body.hidden = here === 0;
      shown += here;
    }
    count.textContent = words.length ? `${shown} of ${all}` : `${all}`;
    nothing.hidden = shown > 0 || all === 0;
  };
  let waiting = 0;
  input.addEventListener("input", () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(apply);
  });
  document.querySelector(".filter").hidden = false;
  apply();
})();
