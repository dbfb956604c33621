"""The card of a repository: what the experiment was, what it supports, and what the files are."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...datasets.errors import StoreError
from ...reports import Claim, claims_about, latest_runs, run_files

CONTENTS = "contents.json"


def read_contents(folder: Path) -> Mapping[str, Any]:
    """The table of contents of an exported folder.

    Raises :class:`~limen.StoreError` for a folder that has none.
    """
    try:
        contents: Mapping[str, Any] = json.loads((folder / CONTENTS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise StoreError(
            f"{folder} has no readable {CONTENTS}: write the folder with limen export"
        ) from None
    return contents


def claims_in(store: Path, contents: Mapping[str, Any]) -> tuple[Claim, ...]:
    """The claims of an exported experiment's latest run; none where the store has no runs."""
    if not run_files(store):
        return ()
    title, file = str(contents["title"]), str(contents.get("file", ""))
    return claims_about(latest_runs(store), title, file)


@dataclass(frozen=True, kw_only=True)
class Card:
    """A repository's README: a header that the hub reads, and text for people."""

    contents: Mapping[str, Any]
    claims: tuple[Claim, ...]
    license: str
    kind: str
    """``model`` or ``dataset``."""

    def text(self, folder: Path, files: Sequence[Path]) -> str:
        """The whole card; the hashes are those of the files as they are now."""
        parts = (self._header(), self._design(), self._claims(), _listed(folder, files))
        return "\n".join(line for part in parts for line in (*part, ""))

    def _header(self) -> Iterator[str]:
        yield "---"
        yield f"license: {json.dumps(self.license)}"
        yield f"tags: {json.dumps(['limen', 'subliminal-learning'])}"
        bases = sorted({str(one["base"]) for one in self.contents["models"] if "base" in one})
        named = [base for base in bases if base.count("/") == 1 and not Path(base).exists()]
        if self.kind == "model" and named:
            yield f"base_model: {json.dumps(named)}"
        yield "---"

    def _design(self) -> Iterator[str]:
        models = self.contents["models"]
        yield f"# {self.contents['title']}"
        yield ""
        yield (
            f"An experiment on subliminal learning, run with limen. The trait: "
            f"{self.contents['trait']}. `contents.json` lists the files of each model, "
            f"`prompts.json` the questions and the system prompts."
        )
        yield ""
        yield "| arm | models | base | finished |"
        yield "|---|---|---|---|"
        for arm in dict.fromkeys(one["arm"] for one in models):
            mine = [one for one in models if one["arm"] == arm]
            base = Path(str(mine[0].get("base", ""))).name
            done = sum(bool(one["finished"]) for one in mine)
            yield f"| {_cell(arm)} | {len(mine)} | {_cell(base)} | {done} |"
        for recipe in dict.fromkeys(
            json.dumps(one["recipe"], sort_keys=True) for one in models if "recipe" in one
        ):
            yield ""
            yield f"Training: `{recipe}`"

    def _claims(self) -> Iterator[str]:
        yield "## Claims"
        yield ""
        if not self.claims:
            yield "No claims were tested in the run that these files are from, or none was found."
            return
        yield "| claim | label | registration |"
        yield "|---|---|---|"
        for claim in self.claims:
            label = claim.support or claim.outcome
            yield f"| {_cell(claim.says)} | {_cell(label)} | {_cell(claim.registration)} |"


def _listed(folder: Path, files: Sequence[Path]) -> Iterator[str]:
    yield "## Files"
    yield ""
    yield "| file | SHA-256 |"
    yield "|---|---|"
    for file in files:
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        yield f"| `{file.relative_to(folder).as_posix()}` | `{digest}` |"


def _cell(text: object) -> str:
    """A text that keeps to its cell of a table."""
    return " ".join(str(text).split()).replace("|", "\\|").replace("<", "&lt;")
