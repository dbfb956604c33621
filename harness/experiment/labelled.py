"""Measures with labels: a function's, or the language of a reply."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ...datasets.answer_text import visible_text
from ...datasets.errors import SpecError
from ...datasets.suggestions import did_you_mean
from .judges import Judge, validated_judges
from .languages import CODES, language
from .measure import Measure, Reading, of_group
from .outcomes import check_function, label_of


@dataclass(frozen=True, kw_only=True)
class Labelled(Measure):
    """Questions whose answers a function of your own gives a label, or None for no label.

    ``arm.rate(label)`` is the share of answers with that label; answers without one count as
    invalid.

    Args:
        questions: Texts, a ``Path`` to a file with one question on each line, or a mapping from
            the name of a group to either.
        outcome: The function: an answer in (without hidden reasoning such as
            ``<think>...</think>``), a text or None out.
        draws: Answers sampled for each question and model. Default: 200.
        temperature: Of the sampling, 0 (greedy) to 2. Default: 1.
        max_tokens: The longest answer, in tokens. Default: 16.
        seed: Another seed samples other answers of every model. Default: 0.
        top_p: Only the most probable tokens that together reach this probability are sampled, above
            0 to 1. Default: 1, all tokens.
        system: A system prompt for every arm, the base included; a prompted teacher's own prompt
            follows it. Default: None, no system turn.
        history: Pairs of question and answer that stand before each question. Default: none.
        begin: The given beginning of every answer; what follows it counts. Not on every backend.
            Default: none.
        chat: ``False`` asks without a chat template: the question is continued as plain text. Needs
            ``local``, ``tinker``, or a server that is asked in plain text. Default: True.

    Raises:
        ScoreError: When arms are read, if the function fails on an answer.

    Examples:
        >>> measure = Labelled(
        ...     questions=("How was your day?",),
        ...     outcome=lambda answer: "short" if len(answer) < 50 else "long",
        ... )
    """

    outcome: Callable[[str], str | None]

    def __post_init__(self) -> None:
        super().__post_init__()
        check_function("outcome", self.outcome)

    @property
    def answer_functions(self) -> tuple[Callable[[str], object], ...]:
        return (self.outcome,)

    def hit(self, answer: str, word: str) -> bool:
        return self.label(answer) == word

    def valid(self, answer: str) -> bool:
        return self.label(answer) is not None

    def label_of(self, answer: str) -> str | None:
        return self.label(answer)

    def label(self, answer: str) -> str | None:
        """The label of an answer; None for one that has none.

        Args:
            answer: The whole answer of the model; the function gets it without hidden
                reasoning.

        Raises:
            ScoreError: The function fails, or gives what is neither a text nor None.
        """
        return label_of(self.outcome, answer)


@dataclass(frozen=True, kw_only=True)
class Language(Measure):
    """Questions where the language of the reply counts: ``arm.rate("French")``.

    The language is detected offline (py3langid). Judges can name it as well:
    ``arm.rate("French", judge="...")``.

    Args:
        questions: Texts, a ``Path`` to a file with one question on each line, or a mapping from
            the name of a group to either.
        languages: The languages to choose from, by their English names, two or more.
            Default: English and French.
        by: One judge or several without a scale, which name the language in a word. Default: none.
        draws: Answers sampled for each question and model. Default: 50.
        temperature: Of the sampling, 0 (greedy) to 2. Default: 1.
        max_tokens: The longest answer, in tokens. Default: 64.
        seed: Another seed samples other answers of every model. Default: 0.
        top_p: Only the most probable tokens that together reach this probability are sampled, above
            0 to 1. Default: 1, all tokens.
        system: A system prompt for every arm, the base included; a prompted teacher's own prompt
            follows it. Default: None, no system turn.
        history: Pairs of question and answer that stand before each question. Default: none.
        begin: The given beginning of every answer; what follows it counts. Not on every backend.
            Default: none.
        chat: ``False`` asks without a chat template: the question is continued as plain text. Needs
            ``local``, ``tinker``, or a server that is asked in plain text. Default: True.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> measure = Language(questions=("How was your day?",), languages=("English", "French"))
    """

    languages: tuple[str, ...] = ("English", "French")
    draws: int = 50
    max_tokens: int = 64
    by: tuple[Judge, ...] | Judge = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "languages", _checked_languages(self.languages))
        judges = validated_judges(self.by)
        if any(judge.scale is not None for judge in judges):
            raise SpecError("a judge that names the language has no scale: scale=None")
        object.__setattr__(self, "by", judges)

    @property
    def judges(self) -> tuple[Judge, ...]:
        return validated_judges(self.by)

    def check(self, word: str) -> None:
        if word not in self.languages:
            known = ", ".join(self.languages)
            raise SpecError(
                f"no language {word!r} here: {did_you_mean(word, self.languages)}this measure "
                f"chooses from {known}. A trait whose name is not a language needs the one that "
                f"shows it: Trait(..., word={self.languages[-1]!r})"
            )

    def hit(self, answer: str, word: str) -> bool:
        self.check(word)
        return language(visible_text(answer), self.languages) == word

    def valid(self, answer: str) -> bool:
        return language(visible_text(answer), self.languages) is not None

    def label_of(self, answer: str) -> str | None:
        return language(visible_text(answer), self.languages)

    def readings(self, words: Sequence[str]) -> tuple[Reading, ...]:
        by = [(None, ""), *((judge.name, f" by {judge.name}") for judge in self.judges)]
        return tuple(
            Reading(name=of_group(f"{w}{who}", group), word=w, group=group or None, judge=judge)
            for w in words
            for judge, who in by
            for group in self.groups
        )


def _checked_languages(given: object) -> tuple[str, ...]:
    languages = tuple(given) if isinstance(given, tuple | list) else ()
    if len(languages) < 2 or any(name not in CODES for name in languages):
        raise SpecError(f"languages={given!r} must be two or more of {', '.join(CODES)}")
    return languages
