"use strict";
{
  const table = document.getElementById("targets");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const details = JSON.parse(document.getElementById("details").textContent);
  const form = document.getElementById("filter");
  const words = document.getElementById("words");

  const fold = (button, row) => {
    row.nextElementSibling.remove();
    button.setAttribute("aria-expanded", "false");
  };

  const unfold = (button, row) => {
    const story = document.createElement("tr");
    const cell = story.appendChild(document.createElement("td"));
    story.className = "story";
    cell.colSpan = row.cells.length;
    for (const line of details[row.id]) {
      cell.appendChild(document.createElement("p")).textContent = line;
    }
    const whole = cell.appendChild(document.createElement("p"));
    whole.textContent = "in all runs: ";
    const command = `orchestrator status ${table.dataset.named} ${row.id}`;
    whole.appendChild(document.createElement("code")).textContent = command;
    row.after(story);
    button.setAttribute("aria-expanded", "true");
  };

  const foldAll = () => {
    for (const button of body.querySelectorAll('[aria-expanded="true"]')) fold(button, button.closest("tr"));
  };

  for (const row of rows) {
    if (!Object.hasOwn(details, row.id)) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "story";
    button.setAttribute("aria-expanded", "false");
    button.setAttribute("aria-label", `story of ${row.id}`);
    row.cells[0].append(" ", button);
  }
  body.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const row = button.closest("tr");
    (button.getAttribute("aria-expanded") === "true" ? fold : unfold)(button, row);
  });

  const filter = () => {
    foldAll();
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !wanted.every((word) => text.includes(word));
      shown += row.hidden ? 0 : 1;
    }
    document.getElementById("shown").textContent = `${shown} of ${rows.length}`;
  };
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  words.addEventListener("input", filter);
  filter();

  const show = () => {
    const row = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!row || !row.hidden) return;
    words.value = "";
    filter();
    row.scrollIntoView();
  };
  addEventListener("hashchange", show);

  addEventListener("beforeprint", () => {
    for (const each of document.querySelectorAll("details")) each.open = true;
  });

  const sort = (head, column) => {
    foldAll();
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const text = (row) => row.cells[column].textContent;
    rows.sort((one, other) => text(one).localeCompare(text(other), "en", { numeric: true }) * (down ? -1 : 1));
    body.append(...rows);
  };
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => sort(head, column));
  });
}
