"""What training waits for, as lines of a plan."""

from collections import Counter
from collections.abc import Iterable, Iterator

from ..experiment import Experiment


def gate_lines(experiments: Iterable[Experiment]) -> Iterator[str]:
    """One line on the gates of some experiments; none where no experiment has one."""
    gates = Counter(gate for one in experiments for gate in gate_texts(one))
    if not gates:
        return
    counted = (f"{gate} ({count})" if len(gates) > 1 else gate for gate, count in gates.items())
    yield f"limen: training waits until the teacher differs from its base by {', '.join(counted)}"


def gate_texts(experiment: Experiment) -> Iterator[str]:
    """What the teachers of an experiment must show, each in the unit of its measure."""
    if not experiment.has_gate:
        return
    for gate in dict.fromkeys(map(experiment.gate_threshold, experiment.traits)):
        if gate is None:
            continue
        first = experiment.measure.readings([experiment.trait.shown_by])[0]
        is_rate = first.word is not None and not experiment.measure.computed
        where = f" on {first.group!r} questions" if first.group else ""
        unit = f" {experiment.measure.unit}" if experiment.measure.unit else ""
        yield (f"{100 * gate:+.1f} points" if is_rate else f"{gate:+.2f}{unit}") + where
