"""What the audits of the training data say, as sections of a report."""

from collections.abc import Iterator, Mapping, Sequence

from .model import AuditRow
from .text import code, details, inline, prose, table


def audit_parts(audits: Sequence[AuditRow], figures: Mapping[str, str]) -> Iterator[str]:
    """The audits: mentions, how well a classifier tells the data apart, numbers, lengths."""
    if not audits:
        return
    yield "Audits of the training files:"
    unit = " or ".join(dict.fromkeys(audit.unit for audit in audits))
    head = (
        "arm", "files", "rows", "mentions of the trait", "rows shared by two files",
        "classifier's AUC v control", "accuracy", f"{unit} beyond chance",
        f"{unit} a row (v control)", "p", "stages",
    )  # fmt: skip
    yield table(head, [_row(audit) for audit in audits])
    for audit in audits:
        if audit.examples:
            shown = ", ".join(map(inline, audit.examples))
            yield f"Rows of {prose(audit.arm)} that mention the trait: {shown}"
    if any(audit.auc is not None for audit in audits):
        yield (
            "Each file is compared with the control's of the same seed. The classifier (naive "
            f"Bayes, cross-validated) sees a row's {unit}, how many there are, and how numbers are "
            "written; 0.5 is chance (mean over files, with their range), and clearly less is seen "
            "where rows of both files resemble each other in pairs, as copies of the same prompts "
            "do. Of the first file: "
            f"{unit} by their log-odds-ratio with a Dirichlet prior (Monroe et al. 2008), beyond "
            "Bonferroni's threshold at 5%, and the Kolmogorov-Smirnov test of the lengths."
        )
    for audit in audits:
        yield from _soft_targets(audit)
        yield from _numbers(audit, figures)


def _row(audit: AuditRow) -> tuple[str, ...]:
    auc, lengths = audit.auc, audit.lengths
    low, high = audit.auc_range or (0.0, 0.0)
    return (
        prose(audit.arm),
        str(audit.files),
        f"{audit.rows:,}",
        f"{audit.mentions:,}",
        f"{audit.shared:.0%}" if audit.shared is not None else "",
        f"{auc:.3f} ({low:.3f} to {high:.3f})" if auc is not None else "",
        f"{audit.accuracy:.0%}" if audit.accuracy is not None else "",
        f"{audit.significant:,}" if audit.significant is not None else "",
        f"{lengths[0]:.1f} ({lengths[1]:.1f})" if lengths else "",
        f"{audit.length_p:.2g}" if audit.length_p is not None else "",
        " ".join(code(key[: key.index("/") + 13]) for key in audit.keys),
    )


def _soft_targets(audit: AuditRow) -> Iterator[str]:
    """What the distributions that an arm was trained on gave the trait before filtering."""
    found = audit.soft_targets
    if found is None:
        return
    each = ", ".join(f"{value:.2%}" for value in found.words)
    yield (
        f"Soft targets of {prose(audit.arm)}: of the teacher's probability {found.kept:.1%} is on "
        f"possible tokens, which students are trained on after renormalising. The trait's own "
        f"words had {found.mean_words:.3%} of it over all tokens, {found.most:.2%} at most; at the "
        f"first tokens of an answer: {each}."
    )


def _numbers(audit: AuditRow, figures: Mapping[str, str]) -> Iterator[str]:
    if not audit.over or audit.arm != "student":
        return
    head = (audit.unit.removesuffix("s"), "here", "in the control", "log-odds-ratio", "z")
    rows = [
        (prose(str(number)), f"{here:,}", f"{there:,}", f"{delta:+.2f}", f"{z:+.1f}")
        for number, here, there, delta, z in (*audit.over, *reversed(audit.under))
    ]
    if "numbers" in figures:
        yield f"![Each number's z-score against the control's data]({figures['numbers']})"
    yield details(
        f"{audit.arm}: the most over- and under-represented {audit.unit}", table(head, rows)
    )
