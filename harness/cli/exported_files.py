"""An experiment's finished work as plain files, for work outside of limen."""

import json
import re
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...datasets.artifacts import check_files
from ...datasets.store_layout import CHANCES, PROVENANCE, RATINGS, VALUES
from ..experiment import Experiment
from ..lab import ModelStages, Pipeline, in_order
from ..stages import (
    ANSWERS,
    KEPT,
    REJECTED,
    TRAINING,
    WEIGHTS,
    Base,
    Checkpoint,
    FineTune,
    Manifest,
    RowsStage,
    Stage,
    Store,
)

CONTENTS = "contents.json"
README = """\
# {title}

Exported by limen. `contents.json` is the table of contents: for each arm its models, one a seed,
with their files below this folder.

- `models/ARM-SEED/`: the weights of a trained model, as its backend wrote them. An adapter
  (`adapter_model.safetensors`) belongs to the base model that `contents.json` names, and lies in
  the `folder` named there; other epochs lie beside it. The toy's weights are whole, as NumPy
  arrays (`.npz`). Services keep theirs; then there is the model's id.
- `merged/ARM-SEED/`: with `--merged`, adapter and base as one model, with its tokenizer.
- `training/ARM-SEED.jsonl`: what it was trained on, chat JSONL; `provenance/` has each line's
  origin.
- `rows/`: the rows of every source, kept and rejected, with the reasons.
- `answers/ARM-SEED.jsonl`: every answer to a question (`row` is its place in `prompts.json`).
- `ratings/`, `log-probabilities/`: what judges said, and what was computed without sampling.
- `prompts.json`: the questions of the measure, and the system prompts of the traits.
"""

Entry = dict[str, Any]


@dataclass(frozen=True)
class Exporter:
    """Copies the finished stages of one experiment into a folder; each file is checked first."""

    store: Store
    folder: Path
    weights: bool = True
    """Whether the weights of trained models are copied."""
    merge: Callable[[str, Path], None] | None = None
    """Writes a trained model as one, adapter and base, to a folder."""

    def export(self, title: str, file: str, pipe: Pipeline, arms: Collection[str]) -> Entry:
        """Write the files; returns the table of contents. ``file`` is the path of the spec."""
        self.folder.mkdir(parents=True, exist_ok=True)
        models = [entry for arm in arms for entry in self._arm(pipe, arm)]
        contents: Entry = {
            "title": title,
            "file": file,
            "trait": pipe.experiment.trait.name,
            "models": models,
            "rows": list(self._rows(pipe, arms)),
            "missing": sorted({one["arm"] for one in models if not one["finished"]}),
        }
        self._write(CONTENTS, contents)
        self._write("prompts.json", _prompts(pipe.experiment))
        (self.folder / "README.md").write_text(README.format(title=title), encoding="utf-8")
        return contents

    def _arm(self, pipe: Pipeline, arm: str) -> Iterator[Entry]:
        files = pipe.data.get(arm, ())
        for seed, model in enumerate(pipe.arms[arm]):
            name = f"{plain_name(arm)}-{seed + 1}"
            training = files[seed] if seed < len(files) else None
            yield {
                "arm": arm,
                "seed": seed,
                "finished": all(map(self._has, model.targets)),
                **self._model(model.answers.subject, name),
                **self._answers(model, name),
                **(self._copied({"training": (training, TRAINING)}, name) if training else {}),
                **(self._copied({"provenance": (training, PROVENANCE)}, name) if training else {}),
            }

    def _model(self, subject: Stage, name: str) -> Entry:
        """Which model it is, with its weights if they are on this machine."""
        if isinstance(subject, Checkpoint):
            kept = self.store.manifest(subject.kind, subject.key) or {}
            return {
                "base": subject.base.model,
                "epoch": subject.epoch,
                "step": subject.step,
                "model": kept.get("model"),
            }
        if not isinstance(subject, FineTune):
            return {"base": subject.model} if isinstance(subject, Base) else {}
        manifest = self.store.manifest(subject.kind, subject.key) or {}
        entry: Entry = {"base": subject.base.model, "recipe": dict(subject.recipe)}
        if not manifest:
            return entry
        files = manifest.get(WEIGHTS, {}) if self.weights else {}
        return {
            **entry,
            "model": manifest["model"],
            **self._weights(files, name),
            **self._merged(manifest, name),
        }

    def _merged(self, manifest: Manifest, name: str) -> Entry:
        if self.merge is None:
            return {}
        target = Path("merged") / name
        self.merge(manifest["model"], self.folder / target)
        return {"merged": target.as_posix()}

    def _weights(self, files: Mapping[str, Mapping[str, Any]], name: str) -> Entry:
        """The copies of a training's files, and the folder of the model: that of its last epoch.

        A backend's own records beside the training's folder are left out.
        """
        root = self.store.root.resolve()
        check_files(root, files)
        if not files:
            return {"weights": []}
        target, copies = Path("models") / name, [Path(file) for file in files]
        last = max(copies, key=lambda file: (files[file.as_posix()]["bytes"], *_moment(file)))
        above = {file.parent for file in copies if last.is_relative_to(file.parent)}
        top = min(above, key=lambda parent: len(parent.parts))
        copies = [file for file in copies if file.is_relative_to(top)]
        for file in copies:
            self._copy(root / file, target / file.relative_to(top))
        return {
            "weights": [(target / file.relative_to(top)).as_posix() for file in copies],
            "folder": (target / last.parent.relative_to(top)).as_posix(),
        }

    def _answers(self, model: ModelStages, name: str) -> Entry:
        judged = {
            f"ratings {number + 1}": (stage, RATINGS) for number, stage in enumerate(model.judged)
        }
        exact = {"log-probabilities": (model.exact, CHANCES)} if model.exact else {}
        answers = {
            "answers": (model.answers, ANSWERS),
            "log-probabilities": (model.answers, VALUES),
        }
        given = {**answers, **judged, **exact}
        return self._copied({key: value for key, value in given.items() if value[0]}, name)

    def _copied(self, wanted: Mapping[str, tuple[Stage, str]], name: str) -> Entry:
        """Copies of those files that finished stages have, by what they are."""
        entry: Entry = {}
        for what, (stage, file) in wanted.items():
            manifest = self.store.manifest(stage.kind, stage.key) or {}
            if file in manifest.get("files", {}):
                kind = what.split()[0]
                target = Path(kind) / f"{name}{what.removeprefix(kind).replace(' ', '-')}"
                target = target.with_name(target.name + Path(file).suffix)
                self._copy(self.store.file(stage.kind, stage.key, file), target)
                entry[what] = target.as_posix()
        return entry

    def _rows(self, pipe: Pipeline, arms: Iterable[str]) -> Iterator[Entry]:
        """The rows of every finished source."""
        stages = in_order(mix for arm in arms for mix in pipe.data.get(arm, ()))
        for stage in stages:
            if isinstance(stage, RowsStage) and self._has(stage):
                name = f"{plain_name(stage.label)}-{stage.key[:8]}"
                files = {"kept": (stage, KEPT), "rejected": (stage, REJECTED)}
                copied = {
                    what: self._copied({"rows": source}, f"{name}-{what}").get("rows")
                    for what, source in files.items()
                }
                found = {what: file for what, file in copied.items() if file}
                yield {"source": stage.label, "stage": f"{stage.kind}/{stage.key}", **found}

    def _has(self, stage: Stage) -> bool:
        return self.store.has(stage.kind, stage.key)

    def _copy(self, file: Path, target: Path) -> None:
        (self.folder / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, self.folder / target)

    def _write(self, name: str, value: object) -> None:
        text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
        (self.folder / name).write_text(text, encoding="utf-8")


def _prompts(experiment: Experiment) -> Entry:
    measure = experiment.measure
    return {
        "questions": list(measure.asked),
        "temperature": measure.temperature,
        "draws": measure.draws,
        "traits": {
            trait.name: [prompt for prompt in (*trait.systems, trait.system) if prompt]
            for trait in experiment.traits
        },
    }


def _moment(file: Path) -> tuple[bool, list[int]]:
    """When in a training a file was written, by its folder's name; the last epoch is the latest."""
    folder = file.parent.name
    return not folder.startswith("step"), [int(n) for n in re.findall(r"\d+", folder)]


def plain_name(name: str) -> str:
    """A name that can be a file's."""
    return "".join(char if char.isalnum() or char in "-_." else "-" for char in name)[:80]
