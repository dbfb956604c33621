"""``--model limen/...``: toys by name, students by their model id or by a key of the store."""

import os
import re
from pathlib import Path

from inspect_ai.model import GenerateConfig

from ...backends import ENGINES, Backend, open_backend
from ...backends.asked_model import BackendModel
from ...backends.inspect.provider import BackendAPI
from ...datasets.errors import BackendError, SpecError, StoreError, UnknownModelError
from ...datasets.store_layout import DEFAULT_FOLDER
from ..stages import Manifest, Store, check_student

STORE = "LIMEN_STORE"
"""The environment variable that names the store."""
SHORTEST = 6
"""Characters of a key that are enough, if there is one such key only."""


class LimenAPI(BackendAPI):
    """limen's models in Inspect; ``-M store=DIR`` or ``LIMEN_STORE`` says where they are kept."""

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig | None = None,
        store: str | None = None,
    ) -> None:
        root = Path(store or os.environ.get(STORE) or DEFAULT_FOLDER).resolve()
        backend, model = resolve_model(Store(root), model_name)
        check_student(Store(root), model)
        asked = BackendModel(backend, model)
        super().__init__(model_name, asked, config or GenerateConfig())


def resolve_model(store: Store, name: str) -> tuple[Backend, str]:
    """The backend and the id of a model; raises :class:`~limen.UnknownModelError`."""
    if re.fullmatch(rf"[0-9a-f]{{{SHORTEST},32}}", name):
        engine, model = _of_key(store, name)
        return open_backend(engine, store.models(engine)), model
    faults = []
    for engine in ENGINES:
        try:
            backend = open_backend(engine, store.models(engine))
            return backend, backend.describe(name).name
        except (BackendError, SpecError) as fault:
            faults.append(str(fault))
    raise UnknownModelError(
        f"limen has no model {name!r} in {store.root}: {'; '.join(faults)}. A student is named by "
        f"its model id or its key; the store by -M store=DIR, or {STORE}"
    )


def _of_key(store: Store, key: str) -> tuple[str, str]:
    """The backend and the model that a stage of this key trained or asked."""
    for kind in ("fine-tune", "measure", "base"):
        matching = store.keys(kind, key)
        if len(matching) > 1:
            count = len(matching)
            raise UnknownModelError(f"{count} keys begin with {key!r}: give more of the key")
        if matching:
            manifest = _manifest(store, kind, matching[0])
            return _backend_of(store, kind, manifest), str(manifest["model"])
    raise UnknownModelError(f"no model or measure in {store.root} has a key {key}")


def _backend_of(store: Store, kind: str, manifest: Manifest) -> str:
    """The backend of the base that a stage rests on: its first input, or that one's."""
    while kind != "base":
        first = manifest["inputs"][0]
        kind, manifest = first["kind"], _manifest(store, first["kind"], first["key"])
    return str(manifest["identity"]["backend"])


def _manifest(store: Store, kind: str, key: str) -> Manifest:
    manifest = store.manifest(kind, key)
    if manifest is None:
        raise StoreError(
            f"the {kind} {key} is not finished in the store {store.root}: run its experiment "
            f"first, or name another store"
        )
    return manifest
