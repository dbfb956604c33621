"""The plan of stages that were cut: what has arrived is not counted as still to come."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from limen.backends.token_estimates import TOKENS_PER_TURN, estimate
from limen.datasets import chat
from limen.harness import Rows
from limen.harness.cli.steps import done
from limen.harness.lab import Lab, Settings, estimated_time
from limen.harness.plugin.run_effort import RunEffort
from limen.harness.reporting import plan_as_data, plan_lines, result_of
from limen.harness.stages import (
    ANSWERS,
    ROWS,
    TRAINING,
    AskQuestions,
    FineTune,
    Generate,
    GenerateEnough,
    MixRows,
    Stage,
    usage_in_store,
)
from limen.reports import Effort

from ..testing.specs import tiny_experiment
from ..testing.wire import Proxy, error

ARMS = ["student"]
ROW = '{"row": 0}\n'


def cut(lab: Lab, stage: Stage, answers: Sequence[str], *, file: str = ROWS) -> None:
    """Leave a stage as a run does that ended after some answers."""
    folder = lab.store.root / "work" / stage.key
    folder.mkdir(parents=True)
    (folder / file).write_text("".join(answers))


def stage_of(lab: Lab, kind: type[Stage]) -> Stage:
    """The one stage of a kind in the plan."""
    (stage,) = (s for s in lab.plan([(tiny_experiment(), ARMS)]).stages if type(s) is kind)
    return stage


def test_answers_that_have_arrived_are_not_planned_again(store: Path) -> None:
    """Completions, time and JSON are of what is left; the line says how many are there."""
    lab = Lab(Settings(store=store))
    stage = stage_of(lab, Generate)
    (before,) = estimated_time(lab.store, [stage], 1).by_stage.values()
    cut(lab, stage, [ROW] * 180)
    plan = lab.plan([(tiny_experiment(), dict.fromkeys(ARMS))])
    assert plan.completions(stage) == 60  # of 240
    (after,) = estimated_time(lab.store, [stage], 1).by_stage.values()
    assert after == pytest.approx(before / 4)
    (line,) = (each for each in plan_lines(lab, plan) if "180 are there" in each)
    assert line.split()[-4] == "60"
    data = plan_as_data(lab, plan, [("test_x.py", tiny_experiment(), dict.fromkeys(ARMS))])
    stages = data["stages"]
    assert isinstance(stages, list)
    assert {each["answers_kept"] for each in stages} == {0, 180}


def test_a_service_is_quoted_for_the_rest(wired: Proxy, tmp_path: Path) -> None:
    """Calls and tokens are those of the answers that have not come."""
    lab = Lab(Settings(store=tmp_path, backend="openai", model="toy-1"))
    stage = stage_of(lab, Generate)
    whole = lab.plan([(tiny_experiment(), ARMS)]).quotes[stage.key]
    cut(lab, stage, [ROW] * 180)
    rest = lab.plan([(tiny_experiment(), ARMS)]).quotes[stage.key]
    assert (whole.calls, rest.calls) == (240, 60)
    assert rest.tokens == pytest.approx(whole.tokens / 4, rel=0.01)


def test_of_a_collection_the_rest_of_its_cap_is_planned(store: Path) -> None:
    """Also where more has arrived than the first round was to have."""
    lab = Lab(Settings(store=store))
    first = tiny_experiment()
    collected = first.but(data=first.data.but(at_most=1_000))
    (stage,) = (s for s in lab.plan([(collected, ARMS)]).stages if isinstance(s, GenerateEnough))
    cut(lab, stage, [ROW] * 300)
    assert lab.plan([(collected, ARMS)]).completions(stage) == 700
    assert estimated_time(lab.store, [stage], 1).by_stage[stage.key] > 0


def test_what_an_earlier_run_spent_is_not_spent_again(wired: Proxy, tmp_path: Path) -> None:
    """Of a stage that was cut, the run that ends it counts its own requests, tokens and dollars."""
    prices = tmp_path / "prices.toml"
    prices.write_text('[[model]]\nname = "toy-1"\ninput = 1.0\noutput = 2.0\n')
    wanted = [(tiny_experiment(), ["baseline"])]

    def lab_of(name: str) -> tuple[Lab, Stage]:
        settings = Settings(store=tmp_path / name, backend="openai", model="toy-1", prices=prices)
        (asked,) = (s for s in Lab(settings).plan(wanted).stages if isinstance(s, AskQuestions))
        return Lab(settings), asked

    def spent(lab: Lab) -> Effort:
        effort = RunEffort(lab)
        effort.begin(wanted)
        lab.run(wanted)
        effort.end()
        assert effort.spent is not None
        return effort.spent

    first, asked = lab_of("first")
    whole = spent(first)
    rows = first.store.artifact(asked.kind, asked.key) / ANSWERS
    first_rows = rows.read_text().splitlines(keepends=True)[:40]
    second, asked = lab_of("second")
    cut(second, asked, first_rows, file=ANSWERS)
    usage = usage_in_store(second.store, asked)
    rest = spent(second)
    assert (whole.requests, usage.calls, rest.requests) == (50, 20, 30)  # two draws each
    assert whole.usd is not None
    assert rest.usd is not None
    paid = (usage.input_tokens + 2 * usage.output_tokens) / 1e6
    assert rest.usd == pytest.approx(whole.usd - paid)
    assert rest.tokens == whole.tokens - usage.input_tokens - usage.output_tokens


def test_the_cost_of_an_unfinished_experiment_has_all_that_was_paid(
    wired: Proxy, tmp_path: Path
) -> None:
    """Data that a student is still to be trained on was paid for, too."""
    prices = tmp_path / "prices.toml"
    prices.write_text('[[model]]\nname = "toy-1"\ninput = 1.0\noutput = 2.0\n')
    refused = error(400, "no_training")
    wired.script = lambda asked: refused if asked.path.endswith("fine_tuning/jobs") else None
    lab = Lab(Settings(store=tmp_path, backend="openai", model="toy-1", prices=prices))
    experiment = tiny_experiment()
    lab.run([(experiment, ["baseline", *ARMS])])
    result = result_of(lab, "test_x.py", experiment, ["baseline", *ARMS])
    assert [arm.name for reading in result.readings for arm in reading.arms] == ["baseline"]
    assert result.cost is not None
    assert result.cost.calls == 50 + 240  # answers of the baseline, the teacher's rows


def test_a_training_is_quoted_by_its_file_once_that_is_there(wired: Proxy, tmp_path: Path) -> None:
    """Before, half of the longest answer allowed is assumed for each row; then rows are read."""
    lab = Lab(Settings(store=tmp_path, backend="openai", model="toy-1"))
    wanted = [(tiny_experiment(), ARMS)]
    data, training = stage_of(lab, MixRows), stage_of(lab, FineTune)
    assumed = lab.plan(wanted).quotes[training.key].tokens
    done(lab.settings, data)
    file = lab.store.artifact(data.kind, data.key) / TRAINING
    said = [turn["content"] for turns in chat.read(file) for turn in turns]
    known = lab.plan(wanted).quotes[training.key].tokens
    one_epoch = sum(map(estimate, said)) + TOKENS_PER_TURN * len(said)
    assert known == pytest.approx(3 * one_epoch, rel=0.01)  # as many as are assumed of a service
    assert known < assumed


def test_rows_that_a_spec_gives_are_quoted_by_their_answers(wired: Proxy, tmp_path: Path) -> None:
    """One long answer does not make all of them long."""
    lab = Lab(Settings(store=tmp_path, backend="openai", model="toy-1"))

    def tokens(longest: str) -> int:
        rows = Rows([("Go on.", "1, 2, 3")] * 99 + [("Go on.", longest)], keep=100)
        plan = lab.plan([(tiny_experiment().but(data=rows), ARMS)])
        (training,) = (stage for stage in plan.stages if isinstance(stage, FineTune))
        return plan.quotes[training.key].tokens

    assert tokens("1, " * 300) < 3 * tokens("1, 2, 3")
