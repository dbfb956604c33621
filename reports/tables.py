"""Every table of a report as plain rows with unrounded values: for CSV and for data frames."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from .amounts import known_end
from .model import AuditRow, Claim, Result
from .several import trait_comparisons

Record = Mapping[str, object]


def claims(rows: Sequence[Claim]) -> Iterator[Record]:
    """What was claimed: a test a row."""
    for claim in rows:
        yield {
            "experiment": claim.experiment, "test": claim.test, "claim": claim.says,
            "outcome": claim.outcome, "support": claim.support,
            "registration": claim.registration, "registration_note": claim.registration_note,
            "reason": claim.reason, "found": claim.finding,
        }  # fmt: skip


def effects(results: Sequence[Result]) -> Iterator[Record]:
    """The difference of two arms in one reading: a row each. Of rates it is a share."""
    for result in results:
        for reading, effect in result.comparisons:
            yield {
                "experiment": result.title, "trait": result.trait, "reading": reading.name,
                "kind": reading.kind, "effect": effect.name, "difference": effect.difference,
                "low": known_end(effect.interval[0]), "high": known_end(effect.interval[1]),
                "p_value": effect.p_value, "raw_p_value": effect.raw_p_value,
                "test": effect.test, "unit": effect.unit,
                "seeds": effect.seeds[0], "seeds_reference": effect.seeds[1],
                "questions": effect.questions[0], "questions_reference": effect.questions[1],
                "claim": effect.claim, "note": effect.note, "ranks": effect.ranks,
            }  # fmt: skip


def arms(results: Sequence[Result]) -> Iterator[Record]:
    """What an arm's answers come to in one reading: a row a seed, with the stage it is from."""
    for result in results:
        for reading in result.readings:
            for arm in reading.arms:
                for seed, value in enumerate(arm.by_seed):
                    yield {
                        "experiment": result.title, "trait": result.trait,
                        "reading": reading.name, "kind": reading.kind, "arm": arm.name,
                        "seed": seed, "value": value, "mean": arm.value,
                        "low": known_end(arm.interval[0]), "high": known_end(arm.interval[1]),
                        "unrated": arm.unrated,
                        "stage": arm.keys[seed] if seed < len(arm.keys) else "",
                    }  # fmt: skip


def data(results: Sequence[Result]) -> Iterator[Record]:
    """What the filter did to each source of training data: a row a reason; kept rows have none."""
    for result in results:
        for row in result.data:
            for reason, count in (("", row.kept), *row.reasons.items()):
                yield {
                    "experiment": result.title, "source": row.label, "read": row.read,
                    "reject_reason": reason, "rows": count, "stage": f"{row.kind}/{row.key}",
                }  # fmt: skip


def audits(results: Sequence[Result]) -> Iterator[Record]:
    """How an arm's training data differ from the control's: a row an arm."""
    for result in results:
        for audit in result.audits:
            yield {"experiment": result.title, **_audit(audit)}


def _audit(audit: AuditRow) -> Record:
    low, high = audit.auc_range or (None, None)
    here, there = audit.lengths or (None, None)
    return {
        "arm": audit.arm, "files": audit.files, "rows": audit.rows, "mentions": audit.mentions,
        "auc": audit.auc, "auc_low": low, "auc_high": high, "accuracy": audit.accuracy,
        "numbers_beyond_chance": audit.significant, "numbers_a_row": here,
        "numbers_a_row_control": there, "length_p_value": audit.length_p,
        "stages": " ".join(audit.keys),
    }  # fmt: skip


def numbers(results: Sequence[Result]) -> Iterator[Record]:
    """The most over- and under-represented numbers of an arm's data: a row a number."""
    names = ("number", "count", "count_control", "log_odds_ratio", "z")
    for result in results:
        for audit in result.audits:
            for row in (*audit.over, *reversed(audit.under)):
                yield {
                    "experiment": result.title, "arm": audit.arm,
                    **dict(zip(names, row, strict=True)),
                }  # fmt: skip


def answers(results: Sequence[Result]) -> Iterator[Record]:
    """The most frequent answers and words of an arm: a row each, with the arm's valid share."""
    for result in results:
        for arm in result.arms:
            for kind, counts in (("answer", arm.answers), ("word", arm.words)):
                for text, count in counts:
                    yield {
                        "experiment": result.title, "arm": arm.arm, "valid": arm.valid,
                        "missing": arm.missing, "kind": kind, "text": text, "count": count,
                    }  # fmt: skip


def models(results: Sequence[Result]) -> Iterator[Record]:
    """The models that answered: a row each, with the measure stage of its answers."""
    for result in results:
        for arm in result.arms:
            for seed, (model, key) in enumerate(zip(arm.models, arm.keys, strict=True)):
                base, fingerprint = arm.base_of(seed)
                steps = arm.steps[seed] if arm.steps else None
                loss = arm.losses[seed] if arm.losses else None
                yield {
                    "experiment": result.title, "arm": arm.arm, "seed": seed, "model": model,
                    "base": base, "fingerprint": fingerprint, "steps": steps, "loss": loss,
                    "stage": f"{arm.kind}/{key}",
                }  # fmt: skip


def traits(results: Sequence[Result]) -> Iterator[Record]:
    """Traits that one parametrized test tries, corrected for each other: a row each."""
    for one in trait_comparisons(results):
        yield {
            "spec": one.spec, "experiment": one.result.title, "trait": one.result.trait,
            "reading": one.reading.name, "effect": one.effect.name,
            "difference": one.effect.difference, "p_value_raw": one.p.raw,
            "p_value_holm": one.p.holm, "q_value_bh": one.p.q,
        }  # fmt: skip


def costs(results: Sequence[Result]) -> Iterator[Record]:
    """What an experiment's stages took, whenever they were done: a row an experiment."""
    for result in results:
        paid = result.cost
        yield {
            "experiment": result.title, "stages": result.times.stages,
            "seconds": result.times.seconds, "usd": 0.0 if paid is None else paid.usd,
            "calls": paid.calls if paid else 0,
            "input_tokens": paid.input_tokens if paid else 0,
            "output_tokens": paid.output_tokens if paid else 0,
            "trained_tokens": paid.trained_tokens if paid else 0,
            "lost_calls": paid.lost if paid else 0,
        }  # fmt: skip


def grids(results: Sequence[Result]) -> Iterator[Record]:
    """What the students of a grid give of each trait: a row a cell."""
    for result in results:
        for grid in result.grids:
            for one in grid.cells:
                yield {
                    "experiment": result.title, "base": grid.base, "student": one.student,
                    "trait": one.word, "own": one.own, "value": one.value, "beyond": one.beyond,
                    "low": known_end(one.interval[0]), "high": known_end(one.interval[1]),
                    "p_value_holm": one.p_value, "raw_p_value": one.raw_p_value,
                    "claim": one.claim,
                }  # fmt: skip


def trajectories(results: Sequence[Result]) -> Iterator[Record]:
    """What arms give along their trainings: a row an epoch and seed."""
    for result in results:
        for row in result.trajectories:
            for point in row.points:
                for seed, value in enumerate(point.by_seed):
                    yield {
                        "experiment": result.title, "reading": row.reading.name,
                        "arm": point.arm, "epoch": point.epoch, "seed": seed, "value": value,
                        "mean": point.value,
                        "low": known_end(point.interval[0]), "high": known_end(point.interval[1]),
                    }  # fmt: skip


def generations(results: Sequence[Result]) -> Iterator[Record]:
    """Students that teach the next ones: a row a generation."""
    for result in results:
        for row in result.generations:
            yield {
                "experiment": result.title, "reading": result.readings[0].name,
                "generation": row.generation, "teacher": row.teacher, "student": row.student,
                "student_low": known_end(row.student_interval[0]),
                "student_high": known_end(row.student_interval[1]),
                "control": row.control, "difference": row.difference,
                "low": known_end(row.interval[0]), "high": known_end(row.interval[1]),
                "p_value": row.p_value, "claim": row.claim,
            }  # fmt: skip


TABLES: Mapping[str, Callable[[Sequence[Result]], Iterator[Record]]] = {
    "effects": effects, "arms": arms, "data": data, "audits": audits, "numbers": numbers,
    "answers": answers, "models": models, "traits": traits, "costs": costs,
    "grids": grids, "trajectories": trajectories, "generations": generations,
}  # fmt: skip
"""The tables by name, but for the claims."""
