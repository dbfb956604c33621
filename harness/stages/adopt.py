"""Artifacts that older versions of limen left: what they did not record is recorded now.

Their manifests have no checksum, and those of models do not describe the model's files. Such parts
are read unchecked. Adopting an artifact takes them as they are now, and says in the manifest when.
"""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

from ...backends import ServiceTerms
from ...datasets.artifacts import CHECKSUM, Manifest, check_files, checksum_of
from ...datasets.errors import DamageError, LimenError
from ...datasets.store_layout import MANIFEST
from .models import WEIGHTS, Base, FineTune, recorded_weights
from .stage import backend_of
from .store import Store
from .transfer import StoredArtifact, artifacts_of

ADOPTED = "adopted"
"""The field of a manifest that says what was recorded later, and when."""


def unchecked(store: Store) -> Iterator[StoredArtifact]:
    """The artifacts of which something is read without a check."""
    return (artifact for artifact in artifacts_of(store) if _lacks(artifact.manifest))


def adopt(artifact: StoredArtifact) -> list[str]:
    """Record what an artifact's manifest lacks; returns the names of its model files.

    Raises :class:`~limen.DamageError` if a file that the manifest describes is not as described, or
    if a model's file is missing.
    """
    manifest = dict(artifact.manifest)
    check_files(artifact.folder, manifest["files"])
    lacking = _lacks(manifest)
    if WEIGHTS in lacking and (files := _model_files(artifact)):
        name = _backend_name(artifact)
        manifest[WEIGHTS] = recorded_weights(artifact.store, name, files)
    manifest.pop(CHECKSUM, None)
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    manifest[ADOPTED] = {"at": when, "recorded": lacking}
    _write(artifact.folder / MANIFEST, {**manifest, CHECKSUM: checksum_of(manifest)})
    return list(manifest.get(WEIGHTS, {})) if WEIGHTS in lacking else []


def _lacks(manifest: Manifest) -> list[str]:
    """What a manifest does not record, by field."""
    is_model = manifest["kind"] in (Base.kind, FineTune.kind)
    recorded = {WEIGHTS, CHECKSUM, ADOPTED}.intersection(manifest)
    elsewhere = "job" in manifest  # a service has the model
    lacking = [] if recorded or elsewhere or not is_model else [WEIGHTS]
    return lacking if CHECKSUM in manifest else [CHECKSUM, *lacking]


def _model_files(artifact: StoredArtifact) -> list[Path]:
    """The files of the model, and of its checkpoints, as its backend knows them."""
    manifest = artifact.manifest
    name = _backend_name(artifact)
    try:
        capabilities = backend_of(name, artifact.store, ServiceTerms()).capabilities
    except LimenError as error:
        raise DamageError(f"{artifact.folder}: its backend cannot be asked: {error}") from None
    if capabilities.model_files is None:
        return []
    models = [manifest["model"], *(each["model"] for each in manifest.get("checkpoints", []))]
    files = {file: None for model in models for file in capabilities.model_files(model)}
    for file in files:
        if not file.is_file():
            raise DamageError(f"{file} is missing")
    return sorted(files)


def _backend_name(artifact: StoredArtifact) -> str:
    manifest = artifact.manifest
    if manifest["kind"] == FineTune.kind:
        base = manifest["inputs"][0]
        manifest = artifact.store.finished(base["kind"], base["key"])
    return str(manifest["identity"]["backend"])


def _write(file: Path, manifest: Manifest) -> None:
    """Put a manifest in the place of another one, in one step."""
    scratch = file.with_name(f".{file.name}.part")
    with scratch.open("w", encoding="utf-8") as out:
        json.dump(manifest, out, indent=2, ensure_ascii=False)
        out.write("\n")
        out.flush()
        os.fsync(out.fileno())
    scratch.replace(file)
