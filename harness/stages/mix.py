"""Training files: rows sampled from what was kept, in given proportions."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from typing import Any

from ...datasets.artifacts import Manifest
from ...datasets.errors import NotEnoughRowsError
from ...datasets.store_layout import KEPT, PROVENANCE, TRAINING
from .row_log import Row, count_rows, read_some_rows, write_rows
from .row_stages import PromptSample, RowsStage, TrainingFileStage
from .stage import Stage, Workspace
from .training_rows import write_training_rows


@dataclass(frozen=True, kw_only=True)
class MixRows(TrainingFileStage):
    """A training file: rows sampled from what was kept, without replacement, shuffled.

    ``provenance.jsonl`` has the origin of each row, line by line; the training file has not.
    """

    kind = "mix"
    sources: tuple[tuple[RowsStage, Fraction], ...]
    """Each source with its share of the rows; sorted by key, each once, shares adding up to 1."""
    keep: int
    seed: int
    take_all: bool = False
    """Take all rows of one source, up to ``keep``: some answers may be missing."""

    def inputs(self) -> tuple[Stage, ...]:
        return tuple(source for source, _ in self.sources)

    def identity(self) -> dict[str, object]:
        shares = [str(share) for _, share in self.sources]
        take_all = {"whole": True} if self.take_all else {}
        return {"keep": self.keep, "seed": self.seed, "shares": shares, **take_all}

    @property
    def count(self) -> int:
        return self.keep

    def prompt_sample(self) -> PromptSample:
        samples = [source.prompt_sample() for source, _ in self.sources]
        prompts = tuple(prompt for sample in samples for prompt in sample.prompts)
        return PromptSample(
            prompts,
            max(sample.answer_tokens for sample in samples),
            any(sample.histories_differ for sample in samples),
            any(sample.numbers_repeat for sample in samples),
            self._known_answers(samples),
        )

    def _known_answers(self, samples: Sequence[PromptSample]) -> tuple[str, ...]:
        """Some answers of all sources; none where those of one are not known."""
        if not all(sample.answers for sample in samples):
            return ()
        return tuple(chain.from_iterable(sample.answers for sample in samples))

    def run(self, workspace: Workspace) -> Manifest:
        chosen, taken = self._chosen(workspace)
        write_training_rows(workspace.folder / TRAINING, [row for _, row in chosen])
        write_rows(workspace.folder / PROVENANCE, self._provenance(chosen))
        return {"counts": {"rows": len(chosen)}, "sources": taken}

    def rows(self, workspace: Workspace) -> list[Row]:
        """The rows of the training file in its order, with all of their fields.

        They are chosen anew as the file's were: the numbers in ``provenance.jsonl`` may repeat.
        """
        return [row for _, row in self._chosen(workspace)[0]]

    def _chosen(self, workspace: Workspace) -> tuple[list[tuple[int, Row]], list[dict[str, Any]]]:
        """The rows, each with the place of its source, and what was taken of each source."""
        from ...datasets.seeds import derive

        chosen: list[tuple[int, Row]] = []
        taken: list[dict[str, Any]] = []
        wanted = split_by_shares(self.keep, [share for _, share in self.sources])
        for place, ((source, _), asked) in enumerate(zip(self.sources, wanted, strict=True)):
            file = workspace.file(source, KEPT)
            left = count_rows(file)
            count = min(asked, left) if self.take_all and left else asked
            if left < count:
                raise NotEnoughRowsError(self._shortage(workspace, source, left, count))
            draw = random.Random(derive("mix", self.seed, place))
            numbers = draw.sample(range(left), count)
            rows = read_some_rows(file, set(numbers))
            chosen += ((place, rows[number]) for number in numbers)
            taken.append({"source": source.key, "available": left, "rows": count})
        random.Random(derive("mix order", self.seed)).shuffle(chosen)
        return chosen, taken

    def _provenance(self, chosen: Sequence[tuple[int, Row]]) -> Iterator[Row]:
        for place, row in chosen:
            source = self.sources[place][0].key
            yield {"source": source, "row": row["row"], "draw": row["draw"]}

    def _shortage(self, workspace: Workspace, source: RowsStage, left: int, wanted: int) -> str:
        part = "" if len(self.sources) == 1 else f" from {source.label!r}"
        manifest = workspace.manifest(source)
        read = manifest["counts"].get("read")
        enough = -(-wanted * (read or 0) // max(left, 1))
        remedy = f"raise generate to about {enough + enough // 20:,}, or " if left and read else ""
        why = source.shortage(workspace)
        return (
            f"{self.label}: {wanted:,} rows are wanted{part}, and only {left:,} are left"
            f"{': ' + why if why else ''}; {remedy}lower keep"
        )


def split_by_shares(total: int, shares: Sequence[Fraction]) -> list[int]:
    """Whole numbers that add up to ``total``, each as near its share as can be.

    Largest remainders (Hamilton's method); of equal ones the first.
    """
    exact = [total * share for share in shares]
    counts = [int(part) for part in exact]
    by_rest = sorted(range(len(exact)), key=lambda place: (counts[place] - exact[place], place))
    for place in by_rest[: total - sum(counts)]:
        counts[place] += 1
    return counts
