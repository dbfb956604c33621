"""Rows that a spec gives as values."""

import hashlib
import json
from dataclasses import dataclass

from ...datasets.artifacts import Manifest
from ...datasets.store_layout import ROWS
from .input_files import sample_of
from .row_log import write_rows
from .row_stages import PromptedStage, PromptSample
from .stage import Workspace


@dataclass(frozen=True, kw_only=True)
class GivenRows(PromptedStage):
    """Rows of a spec, each as JSON text."""

    kind = "given rows"
    rows: tuple[str, ...]

    def identity(self) -> dict[str, object]:
        content = "\n".join(self.rows).encode("utf-8", "surrogatepass")
        return {"sha256": hashlib.sha256(content).hexdigest()}

    def prompt_sample(self) -> PromptSample:
        return sample_of(map(json.loads, self.rows))[1]

    def run(self, workspace: Workspace) -> Manifest:
        count = write_rows(workspace.folder / ROWS, map(json.loads, self.rows))
        return {"counts": {"rows": count}}
