"""The answers in a report's page: all outcomes are there, and the page filters them."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from limen import reports
from limen.harness import Experiment, FavoriteAnimal, Numbers, Trait
from limen.harness.reporting import result_of
from limen.harness.reporting.given_answers import given_answers

from ..testing.arms import arm
from ..testing.browser import report_of, site
from ..testing.labs import lab_at


def test_each_outcome_has_rows() -> None:
    """Answers that count, other valid ones, invalid ones and missing ones are told apart."""
    measure = FavoriteAnimal(draws=6)
    replies = [{"Owl": 2, "Cat": 1, "42 17": 1} for _ in measure.asked]
    made = arm(measure, replies)
    model = replace(made.models[0], missing=2 * len(measure.asked))
    rows = given_answers(replace(made, models=(model,)), "owl")
    first = [(row.answer, row.outcome, row.count) for row in rows[:4]]
    assert first == [
        ("Owl", "counts for 'owl'", 2),
        ("42 17", "invalid", 1),
        ("Cat", "valid, other", 1),
        ("", "no answer (failed or refused)", 2),
    ]
    assert len({row.question for row in rows}) == len(measure.asked)


@pytest.fixture(scope="module")
def result(shared_store: Path) -> reports.Result:
    """The base and the teacher of a small experiment."""
    experiment = Experiment(
        trait=Trait.animal("horse"),
        data=Numbers(generate=700, keep=200),
        measure=FavoriteAnimal(draws=4),
        seeds=2,
    )
    lab = lab_at(shared_store)
    lab.run([(experiment, ("baseline", "teacher"))])
    return result_of(lab, "test_small.py", experiment, ("baseline", "teacher"))


def _page(results: list[reports.Result], file: Path) -> str:
    reports.write_report(reports.Report(claims=(), results=tuple(results), runs=()), file)
    return file.read_text()


def test_the_page_has_the_answers_and_the_markdown_has_not(
    result: reports.Result, tmp_path: Path
) -> None:
    """Answers to all questions would make a markdown report too long to read."""
    summary = "all questions: the answers of each arm and their outcomes"
    assert summary in _page([result], tmp_path / "r.html")
    assert summary not in _page([result], tmp_path / "r.md")


def test_records_of_earlier_versions_have_no_table(result: reports.Result, tmp_path: Path) -> None:
    """Where a record has no answers to browse, the page has no such part."""
    old = replace(result, arms=tuple(replace(one, given=()) for one in result.arms))
    assert "all questions:" not in _page([old], tmp_path / "r.html")


FRAME = """<body><iframe width=%d height=900 src="/page"></iframe><script>
  onload = () => setTimeout(() => {
    const page = frames[0].document;
    const set = (field, value) => {
      field.value = value;
      field.dispatchEvent(new Event("input", {bubbles: true}));
    };
    const rows = [...page.querySelectorAll("table")].filter((table) =>
      table.textContent.includes("outcome"))[0].querySelectorAll("tbody tr");
    const shown = () => [...rows].filter((row) => !row.hidden).length;
    const found = {rows: rows.length, all: shown()};
    const [top, ...searches] = page.querySelectorAll("input[type=search]");
    set(page.querySelectorAll(".filter select")[0], "teacher");
    found.teacher = shown();
    set(searches[0], "horse");
    found.horse = shown();
    set(top, "second");
    found.heads = [...page.querySelectorAll("h2")].filter((h) => !h.hidden).map((h) => h.id);
    found.over = page.documentElement.scrollWidth - page.documentElement.clientWidth;
    fetch("/done", {method: "POST", body: JSON.stringify(found)});
  }, 300);</script>"""


@pytest.mark.slow
@pytest.mark.parametrize("width", [375, 1400])
def test_rows_and_experiments_are_filtered_in_a_browser(
    result: reports.Result, tmp_path: Path, width: int
) -> None:
    """The lists and fields above a table hide its other rows; that of the page, experiments."""
    second = replace(result, title="second.py")
    page = _page([result, second], tmp_path / "r.html")
    with site({"/": FRAME % width, "/page": page}) as made:
        found = report_of(made, f"http://127.0.0.1:{made.port}/", tmp_path / "profile")
    teacher = len(result.arms[1].given)
    horses = [one for one in result.arms[1].given if re.search("horse", one.answer, re.I)]
    assert found["all"] == found["rows"] == len(result.arms[0].given) + teacher
    assert (found["teacher"], found["horse"]) == (teacher, len(horses))
    assert "secondpy" in found["heads"]
    assert "test_smallpy" not in found["heads"]
    assert found["over"] == 0
