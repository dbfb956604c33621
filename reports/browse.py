"""What makes a report's page easier to read: it can be searched, and its answers filtered.

The script is fixed: the page's policy allows it by its hash, and no other. Without scripts the page
shows all of its content.
"""

from collections.abc import Iterator

from .model import Result
from .text import details, inline, prose, table

OUTCOME = "outcome"
"""The head of a column; a table that has it can be filtered."""


def browsable_answers(result: Result) -> Iterator[str]:
    """The answers of all arms in one table, which the page lets people filter."""
    rows = [
        (prose(arm.arm), prose(one.question), inline(one.answer), prose(one.outcome),
         f"{one.count:,}")
        for arm in result.arms
        for one in arm.given
    ]  # fmt: skip
    if rows:
        head = ("arm", "question", "answer", OUTCOME, "times")
        yield details(
            "all questions: the answers of each arm and their outcomes", table(head, rows)
        )


SCRIPT = """
"use strict";
const make = (tag, of, text) => {
  const made = document.createElement(tag);
  made.textContent = text || "";
  of.append(made);
  return made;
};
const field = (of, text, kind) => {
  const label = make("label", of, text + " ");
  const input = make(kind, label);
  return input;
};
const filterRows = (table) => {
  const heads = [...table.querySelectorAll("th")].map((cell) => cell.textContent);
  if (!heads.includes("outcome") || !heads.includes("answer")) return;
  const rows = [...table.querySelectorAll("tbody tr")];
  const bar = document.createElement("p");
  bar.className = "filter";
  table.before(bar);
  const chosen = ["arm", "question", "outcome"].filter((name) => heads.includes(name));
  const lists = chosen.map((name) => {
    const place = heads.indexOf(name);
    const list = field(bar, name, "select");
    const values = new Set(rows.map((row) => row.cells[place].textContent));
    make("option", list, "all").value = "";
    for (const value of values) make("option", list, value).value = value;
    return [place, list];
  });
  const words = field(bar, "answer has", "input");
  words.type = "search";
  const count = make("output", bar);
  const show = () => {
    let shown = 0;
    const text = words.value.toLowerCase();
    for (const row of rows) {
      const kept = lists.every(([place, list]) =>
        !list.value || row.cells[place].textContent === list.value)
        && row.cells[heads.indexOf("answer")].textContent.toLowerCase().includes(text);
      row.hidden = !kept;
      shown += kept;
    }
    count.textContent = `${shown} of ${rows.length} rows`;
  };
  bar.addEventListener("input", show);
  show();
};
const filterExperiments = () => {
  const heads = [...document.querySelectorAll("h2")];
  const parts = heads.map((head) => {
    const part = [head];
    for (let next = head.nextElementSibling; next && next.tagName !== "H2";
      next = next.nextElementSibling) part.push(next);
    return part;
  }).filter((part) => part.some((one) => one.textContent === "Claims" && one.tagName === "H3"));
  if (parts.length < 2) return;
  const bar = document.createElement("p");
  bar.className = "filter";
  document.querySelector("h1").after(bar);
  const words = field(bar, "Experiments that have", "input");
  words.type = "search";
  const count = make("output", bar);
  const texts = parts.map((part) => part.map((one) => one.textContent).join(" ").toLowerCase());
  const items = [...document.querySelectorAll("li > a[href^='#']")];
  const show = () => {
    const wanted = words.value.toLowerCase().split(/\\s+/);
    let shown = 0;
    parts.forEach((part, place) => {
      const kept = wanted.every((word) => texts[place].includes(word));
      for (const one of part) one.hidden = !kept;
      for (const item of items)
        if (item.getAttribute("href") === "#" + part[0].id) item.parentElement.hidden = !kept;
      shown += kept;
    });
    count.textContent = `${shown} of ${parts.length} experiments`;
  };
  bar.addEventListener("input", show);
  show();
};
addEventListener("DOMContentLoaded", () => {
  filterExperiments();
  document.querySelectorAll("table").forEach(filterRows);
});
addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details")) part.open = true;
});
"""
