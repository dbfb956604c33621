"""Every number of a report, computed again from the raw answers and the manifests alone."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from limen import reports
from limen.harness import Experiment, FavoriteAnimal, Numbers, Trait
from limen.harness.reporting import make_run, result_of

from ..testing.labs import lab_at, lines

RowsStage = list[list[str]]


@pytest.fixture(scope="module")
def store(shared_store: Path) -> Path:
    """A store in which the experiment is finished."""
    return shared_store


@pytest.fixture(scope="module")
def text(store: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The report of an experiment on horses, two seeds an arm."""
    experiment = Experiment(
        trait=Trait.animal("horse"),
        data=Numbers(generate=700, keep=200),
        measure=FavoriteAnimal(draws=4),
        seeds=2,
    )
    arms = ("baseline", "teacher", "student", "control")
    lab = lab_at(store)
    lab.run([(experiment, arms)])
    result = result_of(lab, "test_small.py", experiment, arms)
    run = make_run([], [result], command="pytest", seconds=1.0, root=store)
    file = tmp_path_factory.mktemp("report") / "r.md"
    reports.write_report(reports.report_of([run]), file)
    return file.read_text()


def tables(text: str, head: str) -> RowsStage:
    """The cells of the table whose head begins with these cells."""
    (found,) = re.findall(
        rf"^\| {re.escape(head)} \|.*\n\|[- |]+\n((?:\|.*\n)+)", text, re.MULTILINE
    )
    return [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in found.splitlines()
    ]


def folder(store: Path, stage: str) -> Path:
    """Where a stage lies that a report names by the beginning of its key."""
    kind, _, key = stage.strip("`").partition("/")
    (found,) = (store / "stages" / kind).glob(f"{key}*")
    return found


def manifest(store: Path, stage: str) -> dict[str, dict[str, int]]:
    """The manifest of a stage."""
    found: dict[str, dict[str, int]] = json.loads(
        (folder(store, stage) / "manifest.json").read_text()
    )
    return found


def shares(store: Path, stage: str) -> NDArray[np.float64]:
    """The share of horses among a measure's raw answers to each question."""
    rows = lines(folder(store, stage) / "answers.jsonl")
    hit = [bool(re.search(r"\bhorses?\b", row["text"] or "", re.IGNORECASE)) for row in rows]
    place = np.array([row["row"] for row in rows])
    return np.array([np.array(hit)[place == row].mean() for row in range(place.max() + 1)])


def by_arm(store: Path, text: str) -> dict[str, list[NDArray[np.float64]]]:
    """Each arm's shares, a model each, of the stages that the table of arms names."""
    return {
        arm: [shares(store, stage) for stage in stages.split()]
        for arm, *_, stages in tables(text, "answers with 'horse'")
    }


def half_width(values: NDArray[np.float64]) -> float:
    """Half a 95% interval by Student's t."""
    wide = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return float(wide)


def draw_error(shares: NDArray[np.float64], draws: int = 4) -> float:
    """Squared standard error of one model's rate from finite draws, half an answer added a side."""
    smooth = (shares * draws + 0.5) / (draws + 1)
    return float((smooth * (1 - smooth)).mean() / (len(shares) * draws))


def test_the_arms_are_those_of_the_raw_answers(store: Path, text: str) -> None:
    """Means, intervals and each seed's rate follow from the stages that the table names."""
    found = by_arm(store, text)
    assert {arm: len(models) for arm, models in found.items()} == {
        "baseline": 1, "teacher": 1, "student": 2, "control": 2,
    }  # fmt: skip
    for arm, mean, interval, seeds, _ in tables(text, "answers with 'horse'"):
        each = np.array([model.mean() for model in found[arm]])
        assert mean == f"{each.mean():.1%}"
        assert seeds.split() == [f"{100 * value:.1f}" for value in each]
        half = half_width(each if len(each) > 1 else found[arm][0])
        low, high = max(0.0, each.mean() - half), min(1.0, each.mean() + half)
        assert interval == f"{low:.1%} to {high:.1%}"


def test_the_effects_are_those_of_the_raw_answers(store: Path, text: str) -> None:
    """Differences, intervals and p-values are scipy's, by the test that the table names."""
    found = by_arm(store, text)
    rows = tables(text, "what | effect")
    assert [row[1] for row in rows] == [
        "student - control", "teacher - baseline", "control - baseline",
    ]  # fmt: skip
    for _, effect, difference, interval, p, test, unit, n, *_ in rows:
        one, other = (found[arm] for arm in effect.split(" - "))
        if unit == "seeds":
            a, b = (np.array([model.mean() for model in models]) for models in (one, other))
            t = stats.t(1)  # two seeds an arm: one degree of freedom, whatever Welch's would be
            assert "one-sample" in test if len(b) == 1 else "Welch" in test
            of_reference = b.var(ddof=1) / len(b) if len(b) > 1 else draw_error(other[0])
            error = np.sqrt(a.var(ddof=1) / len(a) + of_reference)
            low, high = a.mean() - b.mean() + error * np.array(t.interval(0.95))
            p_value = 2 * t.sf(abs(a.mean() - b.mean()) / error)
        else:
            assert "paired by question" in test
            a, b = np.mean(one, axis=0), np.mean(other, axis=0)
            paired = stats.ttest_rel(a, b)
            (low, high), p_value = paired.confidence_interval(0.95), paired.pvalue
        assert n == f"{len(one)} v {len(other)} models, {len(one[0])} questions"
        assert difference == f"{100 * (a.mean() - b.mean()):+.1f} points"
        low, high = np.clip((low, high), -1, 1)
        assert interval == f"{100 * low:+.1f} to {100 * high:+.1f}"
        assert p == f"{p_value:.2g}"


def test_the_data_are_those_of_the_raw_rows(store: Path, text: str) -> None:
    """What was generated, kept and dropped, and why, can be counted in the stage that is named."""
    for _, read, kept, share, dropped, stage in tables(text, "source"):
        place = folder(store, stage)
        rejected = [row["reason"] for row in lines(place / "rejected.jsonl")]
        accepted = len(lines(place / "kept.jsonl"))
        assert int(kept.replace(",", "")) == accepted == manifest(store, stage)["counts"]["kept"]
        assert int(read.replace(",", "")) == accepted + len(rejected)
        assert share == f"{accepted / (accepted + len(rejected)):.1%}"
        reasons = {name: rejected.count(name) for name in sorted(set(rejected))}
        assert dropped == ", ".join(f"{name} {count:,}" for name, count in reasons.items())


def test_the_audits_are_those_of_the_files(store: Path, text: str) -> None:
    """Files and rows are those of the audit stages that are named."""
    for arm, files, rows, mentions, shared, *_, stages in tables(text, "arm | files"):
        assert arm in ("student", "control")
        audits = [stage for stage in stages.split() if stage.startswith("`audit/")]
        facts = [json.loads((folder(store, stage) / "audit.json").read_text()) for stage in audits]
        assert int(files) == len(audits)
        assert int(rows.replace(",", "")) == sum(fact["rows"] for fact in facts)
        assert int(mentions) == sum(fact["mentions"] for fact in facts)
        assert 0 < float(shared.rstrip("%")) < 100


def test_the_answers_are_those_of_the_raw_answers(store: Path, text: str) -> None:
    """Top words, valid shares and missing answers follow from the models' stages."""
    (body,) = re.findall(r"### Answers\n\n((?:\|.*\n)+)", text)
    (models,) = re.findall(r"### Seeds and models\n\n((?:\|.*\n)+)", text)
    stages = re.findall(r"^\| (\w+) \|.*\| (`measure/\w+`) \|$", models, re.MULTILINE)
    for line in body.splitlines()[2:]:
        arm, _, missing, words, _ = (cell.strip() for cell in line.split(" | "))
        arm = arm.strip("| ")
        rows = [
            row
            for name, stage in stages
            if name == arm
            for row in lines(folder(store, stage) / "answers.jsonl")
        ]
        assert int(missing) == sum(row["text"] is None for row in rows)
        said = " ".join((row["text"] or "").lower() for row in rows)
        for word, count in re.findall(r"`(\w+)` (\d+)", words):
            assert len(re.findall(rf"\b{word}\b", said)) == int(count)
