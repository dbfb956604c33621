"""Audits of numbers: how training data with a trait differs from data without.

Three questions about finished rows: which numbers does the teacher overuse (:func:`log_odds`)? Can
a simple classifier tell whose rows they are (:func:`separability`)? Do the rows differ in length
(:func:`length_difference`)? Answers are frozen dataclasses of plain values, ready to travel as
JSON; none holds a NaN or an infinity.
"""

import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING

from .errors import SpecError
from .filters import MOST_NUMBERS
from .overuse import LEVEL
from .seeds import derive
from .text_audits import word_places

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

NUMBERS = 1000
"""Rows are made of the numbers below this one."""
FOLDS = 5
FEATURES = ("numbers", "length", "form")
"""What :func:`separability` looks at: which numbers, how many, and what is written around."""
KNOWN_FEATURES = (*FEATURES, "words")
"""What it may look at; which words, in rows of text."""

_RUN = re.compile(r"[0-9]+")
_GAP = re.compile(r"[0-9]([^0-9]+)[0-9]")
_LONGEST = 100
"""Rows of so many numbers and more are of one length to the classifier."""


# Numbers


def number_counts(texts: Iterable[str]) -> "NDArray[np.int64]":
    """How often each number from 0 to 999 stands in the rows, shape (1000,).

    A number is a run of ASCII digits ("007" is 7); larger ones are left out.
    """
    import numpy as np

    _, values = _numbers(tuple(texts))
    return np.bincount(values[values >= 0], minlength=NUMBERS).astype(np.int64)


def lengths(texts: Iterable[str]) -> "NDArray[np.int64]":
    """How many numbers each row has, shape (rows,); numbers above 999 count too."""
    import numpy as np

    every = tuple(texts)
    rows, _ = _numbers(every)
    return np.bincount(rows, minlength=len(every)).astype(np.int64)


@lru_cache(maxsize=4)  # every set is asked three times, and the control's for each student
def _numbers(texts: tuple[str, ...]) -> "tuple[NDArray[np.int64], NDArray[np.int64]]":
    """The row and the value of every number in order; the value is -1 for one above 999."""
    import numpy as np

    runs = [_RUN.findall(text) for text in texts]
    flat = list(chain.from_iterable(runs))
    value = {run: _value(run) for run in set(flat)}
    rows = np.repeat(np.arange(len(runs)), np.array([len(run) for run in runs], dtype=np.int64))
    return rows, np.array([value[run] for run in flat], dtype=np.int64)


def _value(run: str) -> int:
    digits = run.lstrip("0")
    return int(digits or "0") if len(digits) <= 3 else -1


# Separability


@dataclass(frozen=True, kw_only=True)
class Separability:
    """How well a simple classifier tells trait rows from control rows that it has not seen."""

    auc: float
    """The chance that it finds a trait row more likely of the trait than a control row; 0.5: it
    cannot tell, 1: always."""
    standard_error: float
    interval: tuple[float, float]
    """For the AUC, at 95%."""
    accuracy: float
    """The mean of the shares of trait rows and of control rows that it gets right: 0.5 is chance,
    however many there are of each."""
    features: tuple[str, ...]
    folds: int
    rows: tuple[int, int]
    """Trait rows and control rows."""


def separability(
    trait_texts: Iterable[str],
    control_texts: Iterable[str],
    *,
    seed: int,
    features: Sequence[str] = FEATURES,
    folds: int = FOLDS,
) -> Separability | None:
    """Cross-validate a multinomial naive Bayes classifier of the rows by scikit-learn.

    It counts a row's numbers, and looks at how many there are and at the form: the character
    before them, the text between the first two, the character after them; or at some of these
    ``features``. All rows of the same text, of either set, lie in the same fold: a text in both
    sets tells nothing, and no text is recognised. None where either set has fewer different texts
    than ``folds``.

    The standard error is over folds, corrected for what their training rows have in common
    (Nadeau & Bengio 2003, "Inference for the Generalization Error"); without that, an interval
    missed 0.5 in 13% of equal pairs of sets, with it in 3 to 7%. Where every fold is told apart
    without a fault, it is 0. Raises :class:`~limen.SpecError` for an unknown feature or one fold.
    """
    import numpy as np

    trait, control = list(trait_texts), list(control_texts)
    if unknown := sorted(set(features) - set(KNOWN_FEATURES)):
        raise SpecError(f"unknown features {unknown}: choose from {', '.join(KNOWN_FEATURES)}")
    if not features or folds < 2:
        raise SpecError(f"features={features!r}, folds={folds}: give at least one and two")
    if min(len(set(trait)), len(set(control))) < folds:
        return None
    counts = _features(trait, control, features)
    label = np.repeat([1, 0], [len(trait), len(control)])
    fold = _folds(trait, control, folds, seed)
    tested = [_separated(counts, label, fold == place) for place in range(folds)]
    auc, error, interval = _over_folds([auc for auc, _ in tested])
    return Separability(
        auc=auc,
        standard_error=error,
        interval=interval,
        accuracy=float(np.mean([accuracy for _, accuracy in tested])),
        features=tuple(features),
        folds=folds,
        rows=(len(trait), len(control)),
    )


def _separated(
    counts: "csr_array", label: "NDArray[np.int64]", held: "NDArray[np.bool_]"
) -> tuple[float, float]:
    """The AUC and the balanced accuracy on held-out rows of a classifier of the others."""
    import numpy as np
    from sklearn.metrics import roc_auc_score
    from sklearn.naive_bayes import MultinomialNB

    model = MultinomialNB(fit_prior=False).fit(counts[~held], label[~held])
    logs = model.predict_log_proba(counts[held])
    score, truth = logs[:, 1] - logs[:, 0], label[held]
    right = np.sign(score) / 2 + 0.5
    accuracy = float(right[truth == 1].mean() + 1 - right[truth == 0].mean()) / 2
    return float(roc_auc_score(truth, score)), accuracy


def _folds(
    trait: Sequence[str], control: Sequence[str], folds: int, seed: int
) -> "NDArray[np.int64]":
    """The fold of every row, shape (rows,): one for all rows of a text, dealt at random.

    Texts of the trait alone are dealt first, then those of both, then those of the control alone:
    every fold gets an even share of each.
    """
    import numpy as np

    in_trait, in_control = set(trait), set(control)
    texts = list(dict.fromkeys(chain(trait, control)))
    side = np.array([(text in in_control) - (text in in_trait) for text in texts])
    mixed = np.random.default_rng(derive("folds", seed)).permutation(len(texts))
    order = mixed[np.argsort(side[mixed], kind="stable")]
    dealt = {texts[text]: place % folds for place, text in enumerate(order.tolist())}
    return np.array([dealt[text] for text in chain(trait, control)])


def _over_folds(aucs: Sequence[float]) -> tuple[float, float, tuple[float, float]]:
    import numpy as np
    from scipy.special import stdtrit

    folds = len(aucs)
    auc = float(np.mean(aucs))
    error = float(np.std(aucs, ddof=1) * (1 / folds + 1 / (folds - 1)) ** 0.5)
    reach = error * float(stdtrit(folds - 1, 1 - LEVEL / 2))
    return auc, error, (max(0.0, auc - reach), min(1.0, auc + reach))


def _features(trait: Sequence[str], control: Sequence[str], names: Sequence[str]) -> "csr_array":
    """What the classifier sees: shape (rows, columns), how often each feature is in each row."""
    import numpy as np
    from scipy.sparse import csr_array

    texts = [*trait, *control]
    trait_numbers, control_numbers = _numbers(tuple(trait)), _numbers(tuple(control))
    number_rows = np.concatenate([trait_numbers[0], control_numbers[0] + len(trait)])
    values = np.concatenate([trait_numbers[1], control_numbers[1]])
    every = np.arange(len(texts))
    many = np.bincount(number_rows, minlength=len(texts))
    fits = values >= 0
    forms = [_form(text) for text in texts]
    form = {name: place for place, name in enumerate(dict.fromkeys(forms))}
    blocks = {
        "numbers": (number_rows[fits], values[fits], NUMBERS),
        "length": (every, np.minimum(many, _LONGEST), _LONGEST + 1),
        "form": (every, np.array([form[name] for name in forms]), len(form)),
    }
    if "words" in names:
        blocks["words"] = word_places(texts)
    rows, columns, width = [], [], 0
    for block_rows, block_columns, block_width in (blocks[name] for name in names):
        rows.append(block_rows)
        columns.append(block_columns + width)
        width += block_width
    places = (np.concatenate(rows), np.concatenate(columns))
    return csr_array((np.ones(len(places[0])), places), shape=(len(texts), width))


def _form(text: str) -> tuple[str, str, str]:
    gap = _GAP.search(text)
    first, last = text[:1], text[-1:]
    return ("" if first.isdigit() else first, gap[1] if gap else "", "" if last.isdigit() else last)


# Lengths


@dataclass(frozen=True, kw_only=True)
class Lengths:
    """How many numbers the rows of a set have."""

    rows: int
    mean: float
    quartiles: tuple[float, float, float]
    longer: float
    """The share of rows with more than 10 numbers."""
    histogram: tuple[tuple[int, int], ...]
    """Each length that occurs, from the shortest, with how many rows have it."""


@dataclass(frozen=True, kw_only=True)
class LengthDifference:
    """The lengths of trait rows and control rows, and Kolmogorov and Smirnov's test of them."""

    trait: Lengths
    control: Lengths
    statistic: float
    """The largest difference between the shares of rows up to a length."""
    p_value: float
    """Two-sided. Lengths are often equal, so it is rather too large than too small."""


def length_difference(
    trait_texts: Iterable[str],
    control_texts: Iterable[str],
    *,
    measured: "Callable[[Iterable[str]], NDArray[np.int64]]" = lengths,
) -> LengthDifference | None:
    """Compare the lengths of trait rows and control rows; None if either has no rows.

    ``measured`` gives the length of each row; without it, how many numbers it has.
    """
    from scipy.stats import ks_2samp

    trait, control = measured(trait_texts), measured(control_texts)
    if not len(trait) or not len(control):
        return None
    with warnings.catch_warnings():  # where its exact p-value rounds to above 1, it says so
        warnings.simplefilter("ignore", RuntimeWarning)
        test = ks_2samp(trait, control)
    return LengthDifference(
        trait=_described(trait),
        control=_described(control),
        statistic=float(test.statistic),
        p_value=float(test.pvalue),
    )


def _described(found: "NDArray[np.int64]") -> Lengths:
    import numpy as np

    low, middle, high = np.quantile(found, (0.25, 0.5, 0.75)).tolist()
    return Lengths(
        rows=len(found),
        mean=float(found.mean()),
        quartiles=(low, middle, high),
        longer=float((found > MOST_NUMBERS).mean()),
        histogram=tuple(sorted(Counter(found.tolist()).items())),
    )
