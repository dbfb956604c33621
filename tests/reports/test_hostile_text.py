"""Texts of models, servers and files in reports: shown, never obeyed."""

import csv
import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from limen import DataError
from limen.reports import (
    ArmRow,
    Claim,
    CostRow,
    DataRow,
    EffectRow,
    Example,
    GivenAnswer,
    JudgeRow,
    ModelsRow,
    ReadingRow,
    Report,
    Result,
    Run,
    Times,
    wording,
    write_report,
    write_runs,
)

from ..testing.browser import report_of, site

PIECES = (
    "<img src=x onerror=alert(1)>", "<script>alert(1)</script>", "</details>", "<details><summary>",
    "[a](javascript:alert(1))", "![x](https://evil.example/x.png)", "](", "`", "```", "~~~", "|",
    "\n", "\r", "\t", "\x1b[2J", "\x1b]0;title\x07", "\x08", "\x9b31m", "\u202e", "\ud800", "&lt;b>",
    "&#60;script>", "<!--", "# ", "- ", "> ", "*", "_", "\\", "<svg/onload=alert(1)>", "=1+1", "@x",
    "<https://evil.example>", "<a href='javascript:alert(1)'>", "x",
)  # fmt: skip
hostile = st.lists(st.sampled_from(PIECES), min_size=1, max_size=5).map("".join)
TAGS = frozenset(
    "html head meta title style body h1 h2 h3 p table thead tbody tr th td code pre strong em ul li "
    "a img details summary ol blockquote hr br".split()
)
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]")


def report_of_text(text: str) -> Report:
    """A report in which every text that may come from elsewhere is this one."""
    effect = EffectRow(
        name=text, difference=0.2, interval=(0.1, 0.3), p_value=0.01, raw_p_value=0.01, test=text,
        unit="seeds", seeds=(3, 3), questions=(5, 5), claim=text, note=text, ranks=text,
    )  # fmt: skip
    reading = ReadingRow(
        name=text, kind="rate", remark=text, effects=(effect,),
        arms=(ArmRow(name=text, value=0.5, interval=(0.4, 0.6), by_seed=(0.4, 0.6), keys=(text,)),),
    )  # fmt: skip
    arm = ModelsRow(
        arm=text, models=(text,), keys=(text,), base=text, fingerprint=text, recipe={text: text},
        surroundings={"trained": text, "asked": text, "template": text, "tokenizer": text},
        valid=1.0, missing=0, answers=((text, 2),), words=((text, 1),),
        examples=(Example(question=text, answer=text, count=1),),
        given=(GivenAnswer(question=text, answer=text, outcome=text, count=1),),
    )  # fmt: skip
    result = Result(
        title=text, backend=text, model=text, fingerprint=text, teacher_model=text, trait=text,
        lessons={text: (text,)}, systems={text: text}, measure=text, questions={text: (text,)},
        draws=1, temperature=1.0, max_tokens=1, seeds=3, family=1, data_spec=text,
        recipe={"a": text}, note=text, versions={text: text}, readings=(reading,), arms=(),
        data=(DataRow(label=text, key=text, read=1, kept=1, reasons={text: 1}, examples=(text,),
                      rejected=((text, text),), prompt=text),),
        audits=(), judges=(JudgeRow(name=text, model=text, prompt=text, scale=None),),
        agreement=text, cost=CostRow(usd=1.0, calls=1, input_tokens=1, output_tokens=1,
                                     trained_tokens=1, lost=0),
        times=Times(first=text, last=text, stages=1, seconds=1.0), failure=text,
    )  # fmt: skip
    other = replace(result, title=f"{text}[b]", arms=())
    claims = tuple(
        Claim(test=text, experiment=title, says=text, outcome="skipped", reason=text)
        for title in (text, "elsewhere")
    )
    run = Run(
        created=text, command=text, seconds=1.0, versions={text: text}, git=text, claims=claims,
        results=(replace(result, arms=(arm,)), other), id=text,
    )  # fmt: skip
    return Report(claims=claims, results=run.results, runs=(run,))


def without_figures(report: Report) -> Report:
    """The report without what would be drawn, which takes long."""
    return replace(report, results=tuple(replace(r, arms=()) for r in report.results))


OWN = re.compile(r"<script>.*?</script>\n(?=</head>)", re.S)
"""The page's own script, in its head."""


class _Page(HTMLParser):
    """Notes the tags and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self.faults.append(tag)
        for name, value in attrs:
            if name.startswith("on") or (value or "").strip().lower().startswith("javascript:"):
                self.faults.append(f"{tag} {name}={value}")
            if name == "src" and not (value or "").startswith("data:image/png;base64,"):
                self.faults.append(f"{tag} {name}={value}")


quick = settings(
    max_examples=25, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip


@pytest.mark.slow
@given(text=hostile)
@quick
def test_no_text_becomes_html(tmp_path: Path, text: str) -> None:
    """The page has only the report's own tags, no handlers, and no links but safe ones."""
    file = tmp_path / "r.html"
    report = without_figures(report_of_text(text))
    several = tmp_path / "several.html"
    for written in (*write_report(report, file), *write_runs(report.runs, several)):
        page = _Page()
        page.feed(OWN.sub("", written.read_text(), count=1))
        assert page.faults == []
        assert CONTROLS.search(written.read_text()) is None


@pytest.mark.slow
@given(text=hostile)
@quick
def test_no_control_character_reaches_a_file_or_the_terminal(tmp_path: Path, text: str) -> None:
    """Markdown, tables and the lines of the terminal spell them out."""
    report = without_figures(report_of_text(text))
    for file in write_report(report, tmp_path / "r.md"):
        assert CONTROLS.search(file.read_text()) is None
    full = report_of_text(text)
    full = replace(full, results=full.results[:1])
    for line in (*wording.lines(report), *wording.long_lines(full)):
        assert CONTROLS.search(line) is None
        assert "\n" not in line


@pytest.mark.slow
@given(text=hostile)
@quick
def test_no_cell_is_a_formula(tmp_path: Path, text: str) -> None:
    """Texts in CSV files never begin as formulas do."""
    report = without_figures(report_of_text(text))
    for file in write_report(report, tmp_path / "r.md"):
        if file.suffix == ".csv":
            with file.open(newline="") as rows:
                cells = [cell for row in csv.reader(rows) for cell in row]
            assert not [c for c in cells if c.startswith(("=", "+", "@", "\t", "\r"))]
            assert not [c for c in cells if c.startswith("-") and not _is_number(c)]


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-[\d.e+-]+", text) is not None


def test_a_page_forbids_scripts_and_what_is_elsewhere(tmp_path: Path) -> None:
    """A content security policy stands in the page, and allows its own style and script alone."""
    write_report(without_figures(report_of_text("x")), tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text()
    assert "Content-Security-Policy" in page
    assert "default-src 'none'" in page
    assert "style-src 'sha256-" in page
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.S)
    digest = b64encode(sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in page
    assert "unsafe" not in page


def test_folded_parts_stay_folded(tmp_path: Path) -> None:
    """The report's own details are elements of the page."""
    write_report(without_figures(report_of_text("x")), tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text()
    assert "<details><summary>" in page
    assert page.count("<details>") == page.count("</details>")


@pytest.mark.parametrize("code", ["\x1b[31m", "\x07", "\r", "\u202e"])
def test_errors_spell_out_control_characters(code: str) -> None:
    """What a server or a file says reaches the terminal as text."""
    assert code not in str(DataError(f"bad {code} line"))


RUN = "top.ran = (top.ran || 0) + 1; fetch('/ran')"
SCRIPTS = (
    f"<img src=x onerror=\"{RUN}\">", f"<script>{RUN}</script>", f"<svg/onload=\"{RUN}\">",
    f"[click](javascript:{RUN})", f"</title><script>{RUN}</script>",
    f"</code></pre></details><iframe srcdoc='<script>{RUN}</script>'></iframe>",
    "<meta http-equiv=refresh content='0;url=/ran'>", "<img src=/ran>", "![x](/ran)",
    "<link rel=stylesheet href=/ran>", "<style>@import '/ran'; body{background:url(/ran)}</style>",
    "<object data=/ran></object>", "<base href='/ran'>", "<form action=/ran><input autofocus>",
)  # fmt: skip
FRAME = """<body style="margin: 0"><iframe width=%d height=900 src="%s"></iframe><script>
  onload = () => setTimeout(() => {
    const page = frames[0].document;
    for (const link of page.querySelectorAll("a[href^=javascript]")) link.click();
    for (const part of page.querySelectorAll("details")) part.open = true;
    setTimeout(() => fetch("/done", {method: "POST", body: JSON.stringify({
      ran: window.ran || 0, shown: page.body.innerText.length,
      over: page.documentElement.scrollWidth - page.documentElement.clientWidth})}), 300);
  }, 300);</script>"""


@pytest.mark.slow
@pytest.mark.parametrize("policy", [True, False], ids=["as it is", "without its policy"])
@pytest.mark.parametrize("width", [375, 1400])
def test_no_script_runs_in_a_browser(tmp_path: Path, width: int, policy: bool) -> None:
    """Hostile texts run and load nothing, even without the page's policy, and widen no screen."""
    report = without_figures(report_of_text(" ".join((*SCRIPTS, "x" * 300))))
    write_report(report, tmp_path / "report.html")
    write_runs(report.runs, tmp_path / "runs.html")
    for name in ("report", "runs"):
        text = (tmp_path / f"{name}.html").read_text()
        page = text if policy else text.replace("Content-Security-Policy", "X")
        with site({"/": FRAME % (width, "/page"), "/page": page}) as made:
            found = report_of(made, f"http://127.0.0.1:{made.port}/", tmp_path / name)
        assert found["shown"] > 1000
        assert (found["ran"], found["over"]) == (0, 0)
        assert "/ran" not in made.visited
