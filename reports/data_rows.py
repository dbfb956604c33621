"""Training data, and how they differ from the control's, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class SoftTargetRow:
    """What a teacher's distributions over the next token give the trait's own words.

    Probabilities before the distributions were filtered, as means over the rows of all files.

    Raises nothing.

    Args:
        words: Probability of the trait's own words, at each of the first tokens of an answer.
        mean_words: The same over all tokens.
        most: The greatest at any one token, in any file.
        kept: That of all possible tokens together, over all tokens of the answers.

    Examples:
        >>> [audit.soft_targets.most for audit in result.audits if audit.soft_targets]
    """

    words: tuple[float, ...]
    mean_words: float
    most: float
    kept: float


@dataclass(frozen=True, kw_only=True)
class AuditRow:
    """How an arm's training data differ from the control's, file by file. Raises nothing.

    AUC and accuracy are means over the seeds' files; numbers and lengths are the first file's.

    Args:
        arm: The arm.
        files: Training files audited, one a seed.
        rows: Rows of them together.
        mentions: Mentions of the trait in them.
        examples: Some of the mentions.
        auc: Area under the ROC curve of a classifier that tells its rows from the control's.
            Default: None.
        auc_range: Least and largest AUC over the files. Default: None.
        accuracy: Balanced accuracy of the classifier, from 0 to 1. Default: None.
        significant: Numbers that are more or less frequent than in the control's data, after
            Bonferroni. Default: None.
        over: Number, count, control's count, log-odds-ratio, z: the most over-represented ones; in
            rows of text, words. Default: none.
        under: The same of the most under-represented ones. Default: none.
        z: (1000,), each number's z-score. Default: none.
        soft_targets: What a teacher's distributions give the trait, where students were trained on
            them. Default: None.
        threshold: The z-score from which a number counts as significant. Default: 0.0.
        lengths: Numbers a row on average, here and in the control's data. Default: None.
        unit: What is counted: "numbers", or "words" in rows of text. Default: "numbers".
        length_p: P-value of Kolmogorov and Smirnov's test that rows are as long as the control's.
            Default: None.
        keys: The stages that all this is from, as ``kind/key``. Default: none.
        shared: The share of a seed's rows that another seed's file is expected to have too, from 0
            to 1. Default: None, it is not known.

    Examples:
        >>> [(audit.arm, audit.mentions, audit.auc) for audit in result.audits]
    """

    arm: str
    files: int
    rows: int
    mentions: int
    examples: tuple[str, ...]
    auc: float | None = None
    auc_range: tuple[float, float] | None = None
    accuracy: float | None = None
    significant: int | None = None
    over: tuple[tuple[int | str, int, int, float, float], ...] = ()
    under: tuple[tuple[int | str, int, int, float, float], ...] = ()
    z: tuple[float, ...] = ()
    soft_targets: SoftTargetRow | None = None
    threshold: float = 0.0
    lengths: tuple[float, float] | None = None
    unit: str = "numbers"
    length_p: float | None = None
    keys: tuple[str, ...] = ()
    shared: float | None = None


@dataclass(frozen=True, kw_only=True)
class DataRow:
    """What became of one source of training data. Raises nothing.

    Args:
        label: The source, in words.
        key: The stage's key.
        read: Rows before filtering.
        kept: Rows after it.
        reasons: Dropped rows by reject reason.
        examples: Some kept completions.
        rejected: Some dropped completions, each with its reason.
        prompt: What the first kept completion was the answer to. Default: empty.
        kind: The kind of stage. Default: "filter".
        given: Whether its rows existed before the experiment. Default: False.

    Examples:
        >>> [(data.label, data.kept / data.read, data.reasons) for data in result.data]
    """

    label: str
    key: str
    read: int
    kept: int
    reasons: Mapping[str, int]
    examples: tuple[str, ...]
    rejected: tuple[tuple[str, str], ...]
    prompt: str = ""
    kind: str = "filter"
    given: bool = False
