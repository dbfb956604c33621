"""How much students differ by their seeds alone: by a store, or by shipped or published figures."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import harmonic_mean

from ...datasets.errors import DamageError, StoreError
from ..experiment import FavoriteAnimal, FavoriteTree, LogOdds, Measure, Reading
from ..lab import Pipeline, training_origin
from ..stages import TALLY, AskQuestions, Base, FineTune, Manifest, Store, base_of, canonical
from ..statistics import PUBLISHED, RATING_WIDTH, Spread, mean, sampling_deviation, seed_deviation
from .log_odds_spread import log_odds_spread
from .spread_sources import KnownDeviation, kind_of, spread_elsewhere, spread_of

Tally = Sequence[Counter[str]]
"""(questions,), how often each answer was given."""
Group = Sequence[Tally]
"""Models of one training, which differ by their seeds alone."""

EFFECT = 0.05
"""A group of students shows an effect if it gives a word so much more often than other groups."""


def known_spread(store: Store, pipe: Pipeline, reading: Reading) -> Spread:
    """The between-seed spread of a reading, of students and of controls, with its source.

    In this order: the experiment's own arms in the store (two models or more); other students of
    the same base model in the store that answered the same questions, those that show an effect
    for students and the others for controls; the shipped spread of the toy, for other models the
    published one. Scores of judges have the published one, and log-odds no other students'.
    """
    measure = pipe.experiment.measure
    if isinstance(measure, LogOdds):
        return log_odds_spread(store, pipe, measure, reading)
    scored = _Scored(measure, reading)
    base = base_of(pipe.arms["baseline"][0].answers.subject)
    if reading.judge is not None or reading.word in scored.measure.rated_words:
        return scored.spread_elsewhere(base.model)
    own = {arm: list(_own(store, pipe, arm)) for arm in ("student", "control")}
    mine = {arm: _known(scored, [group], "of this experiment") for arm, group in own.items()}
    others = list(_groups(store, scored.measure, base)) if None in mine.values() else []
    treated = mine["student"] or _of_effects(scored, others)
    control = mine["control"] or _of_no_effects(scored, others)
    answer = scored.answer_deviation([group for group in own.values() if group] or others)
    return spread_of(treated, control, scored.spread_elsewhere(base.model), answer)


@dataclass(frozen=True)
class _Scored:
    """A reading of tallies: the rate of a word, or a mean score."""

    measure: Measure
    reading: Reading
    _hits: dict[tuple[str, str], bool] = field(default_factory=dict, repr=False)

    @property
    def kind(self) -> str:
        """Whether the reading is a rate or a score."""
        return kind_of(self.measure, self.reading)

    def spread_elsewhere(self, model: str) -> Spread:
        """The spread where the store has no students; of scores a guess by their scale."""
        if self.reading.judge is not None or self.reading.word in self.measure.rated_words:
            known = PUBLISHED[self.kind]
        else:
            known = spread_elsewhere(self.kind, model)
        ends = self.measure.value_range
        if self.kind != "score" or ends is None:
            return known
        unit = (ends[1] - ends[0]) / RATING_WIDTH
        return replace(known, treated=unit * known.treated, control=unit * known.control)

    @property
    def names_things(self) -> bool:
        """Whether answers are words, so that other students may show other words."""
        return isinstance(self.measure, FavoriteAnimal | FavoriteTree)

    @property
    def places(self) -> range:
        """The questions of the reading."""
        return self.measure.places(self.reading.group)

    def values(self, group: Group, word: str | None) -> list[float]:
        """(models,), the reading of each model that answered, of this word in place of its own."""
        rows = ([self._cell(model[q], word) for q in self.places] for model in group)
        answered = ([cell for cell in row if cell is not None] for row in rows)
        return [mean(row) for row in answered if row]

    def _cell(self, given: Counter[str], word: str | None) -> float | None:
        """A question's rate of a word, or its mean score; None without answers."""
        if word is not None:
            return self.rate(given, word) if given.total() else None
        scores = [(self.measure.score(text), n) for text, n in given.items()]
        total = sum(n for score, n in scores if score is not None)
        return sum(score * n for score, n in scores if score is not None) / total if total else None

    def rate(self, given: Counter[str], word: str) -> float:
        """The share of some answers, at least one, that have a word."""
        return sum(n for text, n in given.items() if self._hit(text, word)) / given.total()

    def _hit(self, text: str, word: str) -> bool:
        """Whether an answer has a word, worked out once."""
        if (text, word) not in self._hits:
            self._hits[text, word] = self.measure.hit(text, word)
        return self._hits[text, word]

    def shares(self, group: Group) -> dict[str, float]:
        """The rate of the reading's word; of measures that name things, that of each answer."""
        given = sum((model[q] for model in group for q in self.places), Counter[str]())
        if not given:
            return {}
        if not self.names_things:
            word = self.reading.word or ""
            return {word: self.rate(given, word)}
        counts = Counter[str]()
        for text, n in given.items():
            counts[text.strip(" .!").lower()] += n
        return {word: n / given.total() for word, n in counts.items() if word}

    def deviation(self, groups: Iterable[tuple[Group, str | None]]) -> float | None:
        """Between seeds, pooled over groups with a word each; for rates less that of draws."""
        known = list(groups)
        values = [self.values(group, word) for group, word in known]
        levels = [mean(group) for group in values if group]
        answers = self._answers([group for group, _ in known])
        rates = self.kind == "rate"  # of scores the draws' part is not known, and stays
        return seed_deviation(values, sampling_deviation(levels, answers) if rates else 0.0)

    def _answers(self, groups: Sequence[Group]) -> int:
        """The answers of a model, as they are in the store: it may have been measured otherwise.

        The harmonic mean, since the variance of a rate goes by their reciprocal.
        """
        totals = [
            total
            for group in groups
            if len(group) > 1
            for model in group
            if (total := sum(model[q].total() for q in self.places))
        ]
        return round(harmonic_mean(totals)) if totals else 1

    def answer_deviation(self, groups: Sequence[Group]) -> float | None:
        """Standard deviation of one answer's outcome; None where it is not known."""
        word = self.reading.word
        levels = [mean(values) for group in groups if (values := self.values(group, word))]
        return sampling_deviation(levels, 1) if levels and word is not None else None


def _known(scored: _Scored, groups: Sequence[Group], whose: str) -> KnownDeviation | None:
    """The spread of some groups at the reading itself."""
    return _deviation(scored, [(group, scored.reading.word) for group in groups], whose)


def _deviation(
    scored: _Scored, groups: Sequence[tuple[Group, str | None]], whose: str
) -> KnownDeviation | None:
    deviation = scored.deviation(groups)
    models = sum(len(group) for group, _ in groups)
    return (
        None
        if deviation is None
        else KnownDeviation(deviation, f"{models} models {whose} in the store")
    )


def _of_effects(scored: _Scored, groups: Sequence[Group]) -> KnownDeviation | None:
    """The spread of the groups that show an effect, each at the word that it shows."""
    if scored.reading.word is None:
        return _known(scored, groups, "of other data")
    shown = [(group, word) for group, word in _shown(scored, groups) if word is not None]
    return _deviation(scored, shown, "of other data that show an effect")


def _of_no_effects(scored: _Scored, groups: Sequence[Group]) -> KnownDeviation | None:
    """The spread of the groups that show no effect, at the reading itself."""
    if scored.reading.word is None:
        return _known(scored, groups, "of other data")
    plain = [group for group, word in _shown(scored, groups) if word is None]
    return _known(scored, plain, "of other data without an effect")


def _shown(scored: _Scored, groups: Sequence[Group]) -> list[tuple[Group, str | None]]:
    """The groups, each with the word that it gives more often than the others do, if any."""
    shares = [scored.shares(group) for group in groups]
    return [
        (group, _word_shown(shares[i], [*shares[:i], *shares[i + 1 :]]))
        for i, group in enumerate(groups)
    ]


def _word_shown(own: Mapping[str, float], others: Sequence[Mapping[str, float]]) -> str | None:
    if not own or not others:
        return None
    lifts = {w: share - mean([o.get(w, 0.0) for o in others]) for w, share in own.items()}
    best = max(lifts, key=lifts.__getitem__)
    return best if lifts[best] >= EFFECT else None


def _own(store: Store, pipe: Pipeline, arm: str) -> Iterator[Tally]:
    for model in pipe.arms.get(arm, ()):
        stage = model.answers
        if store.has(stage.kind, stage.key):
            yield from _tallies(store, stage.key, pipe.experiment.measure)


def _groups(store: Store, measure: Measure, base: Base) -> Iterator[Group]:
    """Models of one base that differ by their seeds alone and answered these questions.

    Students of another base, such as those of the toy in the same store, vary otherwise.
    """
    groups: dict[bytes, list[Tally]] = defaultdict(list)
    for manifest in store.manifests(AskQuestions.kind):
        training = _training(store, manifest, base) if _asks(manifest, measure) else None
        if training is not None:
            groups[training] += _tallies(store, manifest["key"], measure)
    return (group for group in groups.values() if len(group) > 1)


def _asks(manifest: Manifest, measure: Measure) -> bool:
    """Whether a stage asked the questions of a measure in the same way."""
    identity = manifest.get("identity", {})
    alike = identity.get("temperature") == measure.temperature and not identity.get("shots")
    return alike and tuple(identity.get("questions", ())) == measure.prompts


def _training(store: Store, manifest: Manifest, base: Base) -> bytes | None:
    """What a model was trained on and how, except for the seed; None for one that was not.

    None as well for a model of another base.
    """
    (subject, *_) = manifest["inputs"]
    if subject["kind"] != FineTune.kind:
        return None
    try:
        student = store.finished(FineTune.kind, subject["key"])
        if student["inputs"][0]["key"] != base.key:
            return None
        origin = training_origin(store, subject["key"])
        store.finished(origin.data_kind, origin.data)
    except StoreError:  # it is gone, or damaged
        return None
    return canonical({"how": origin.how, "sources": origin.sources})


def _tallies(store: Store, key: str, measure: Measure) -> list[Tally]:
    """The answers of a measure; none if they are damaged, which the run that needs them reports."""
    try:
        tally = store.json(AskQuestions.kind, key, TALLY)
    except DamageError:
        return []
    return [list(measure.by_question([Counter[str](prompt) for prompt in tally]))]
