"use strict";
{
  const table = document.getElementById("targets");
  const body = table.tBodies[0];
  const found = JSON.parse(document.getElementById("details").textContent);
  const form = document.getElementById("filter");
  const words = document.getElementById("words");

  const stories = new Map();
  for (const story of body.querySelectorAll("tr.story")) {
    stories.set(story.previousElementSibling.id, story);
    story.remove();
  }
  const rows = [...body.rows];
  const unwell = [...stories.keys()];
  const lines = (row) => [...stories.get(row.id).querySelectorAll("p")].map((line) => line.textContent);
  const details = new Map();
  const texts = new Map();
  for (const [place, row] of rows.entries()) {
    details.set(row, found.rows[place].map((line) => (typeof line === "number" ? found.shared[line] : line)));
    const more = stories.has(row.id) ? lines(row) : details.get(row);
    texts.set(row, [row.textContent, ...more].join("\n").toLowerCase());
  }

  const told = (row) => {
    const story = document.createElement("tr");
    const cell = story.appendChild(document.createElement("td"));
    story.className = "story";
    cell.colSpan = row.cells.length;
    for (const line of details.get(row)) {
      cell.appendChild(document.createElement("p")).textContent = line;
    }
    stories.set(row.id, story);
    return story;
  };

  const button = (row) => row.cells[0].querySelector("button");
  const fold = (row) => {
    stories.get(row.id)?.remove();
    button(row).setAttribute("aria-expanded", "false");
  };
  const unfold = (row) => {
    row.after(stories.get(row.id) ?? told(row));
    button(row).setAttribute("aria-expanded", "true");
  };

  const foldAll = () => {
    for (const each of body.querySelectorAll('[aria-expanded="true"]')) fold(each.closest("tr"));
  };

  for (const row of rows) {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = "story";
    made.setAttribute("aria-expanded", "false");
    made.setAttribute("aria-label", `story of ${row.id}`);
    row.cells[0].append(" ", made);
  }
  body.addEventListener("click", (event) => {
    const pressed = event.target.closest("button");
    if (!pressed) return;
    const row = pressed.closest("tr");
    (pressed.getAttribute("aria-expanded") === "true" ? fold : unfold)(row);
  });

  const filter = () => {
    foldAll();
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const text = texts.get(row);
      row.hidden = !wanted.every((word) => text.includes(word) || text.includes(word.replaceAll("_", " ")));
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
    if (!rows.includes(row)) return;
    if (row.hidden) {
      words.value = "";
      filter();
    }
    unfold(row);
    row.scrollIntoView();
  };
  addEventListener("hashchange", show);
  show();

  addEventListener("beforeprint", () => {
    for (const each of document.querySelectorAll("details")) each.open = true;
    for (const id of unwell) unfold(document.getElementById(id));
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
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = head.textContent;
    head.replaceChildren(made);
    made.addEventListener("click", () => sort(head, column));
  });
}
