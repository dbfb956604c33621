"""Sending files and a card to a hub, as one commit."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from ...datasets.errors import BackendError
from .cards import Card


@dataclass(frozen=True, kw_only=True)
class Upload:
    """What one repository gets."""

    repository: str
    kind: str
    """``model`` or ``dataset``."""
    folder: Path
    files: Sequence[Path]
    card: Card


def send(upload: Upload, *, hub: str | None, private: bool) -> str:
    """Create the repository if there is none, and commit the files; returns its address.

    Raises :class:`~limen.BackendError` if the hub refuses, or cannot be reached.
    """
    library = _library()
    api = library.HfApi(endpoint=hub)
    adding = library.CommitOperationAdd
    card = upload.card.text(upload.folder, upload.files).encode()
    operations = [adding(path_in_repo="README.md", path_or_fileobj=card)]
    operations += [
        adding(path_in_repo=file.relative_to(upload.folder).as_posix(), path_or_fileobj=file)
        for file in upload.files
    ]
    try:
        where = api.create_repo(
            upload.repository, repo_type=upload.kind, private=private or None, exist_ok=True
        )
        api.create_commit(
            upload.repository,
            operations,
            repo_type=upload.kind,
            commit_message=f"{upload.card.contents['title']}, exported by limen",
        )
    except Exception as error:
        message = " ".join(str(error).split())[:300]
        raise BackendError(
            f"the hub did not take {upload.repository}: {type(error).__name__}: {message}; check "
            f"the name and the token (HF_TOKEN), and run the command again: what was sent is kept"
        ) from error
    return str(where)


def _library() -> Any:
    try:
        return import_module("huggingface_hub")
    except ModuleNotFoundError:
        raise BackendError(
            "limen push needs huggingface_hub: pip install huggingface_hub, or 'limen[local]'"
        ) from None
