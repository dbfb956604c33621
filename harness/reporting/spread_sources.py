"""Standard deviations between seeds, and where they are from."""

from dataclasses import dataclass, replace

from ..experiment import LogOdds, Measure, Reading
from ..statistics import PUBLISHED, TOY, TOY_LOG_ODDS, Spread

TOYS = "toy-"
"""How the names of the toy's models begin."""
OF_TOYS = {"rate": TOY, "log-odds": TOY_LOG_ODDS}
PUBLISHED_MODEL = {"rate": "Qwen2.5-7B", "log-odds": "SmolLM2-135M"}
"""The model of the published figures."""


@dataclass(frozen=True)
class KnownDeviation:
    """A standard deviation between seeds, and where it is from."""

    deviation: float
    source: str


def kind_of(measure: Measure, reading: Reading) -> str:
    """What a reading's values are: log-odds, scores or rates."""
    if isinstance(measure, LogOdds):
        return "log-odds"
    return "score" if reading.word is None else "rate"


def spread_of(
    treated: KnownDeviation | None,
    control: KnownDeviation | None,
    elsewhere: Spread,
    answer: float | None,
) -> Spread:
    """The spread of students and of controls; what is not known is as elsewhere."""
    return Spread(
        treated=treated.deviation if treated else elsewhere.treated,
        control=control.deviation if control else elsewhere.control,
        answer=answer,
        source=_source(treated, control, elsewhere.source),
    )


def spread_elsewhere(kind: str, model: str) -> Spread:
    """The spread of a model without students in the store: of its own kind, or of another."""
    published = PUBLISHED[kind]
    if model.startswith(TOYS):
        return OF_TOYS.get(kind, published)
    if kind in PUBLISHED_MODEL and PUBLISHED_MODEL[kind] not in model:
        return replace(published, source=f"not known of {model}; {published.source}")
    return published


def _source(treated: KnownDeviation | None, control: KnownDeviation | None, elsewhere: str) -> str:
    sources = [known.source if known else elsewhere for known in (treated, control)]
    if sources[0] == sources[1]:
        return sources[0]
    return f"students: {sources[0]}; controls: {sources[1]}"
