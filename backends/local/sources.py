"""Where a model's files are, what identifies them, and how large it is; nothing is loaded.

A name is a GGUF file, a folder, or a repository of the Hugging Face hub, in this order; of a
repository ``name@revision`` is a commit, a tag or a branch.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...datasets.errors import BackendError, UnknownModelError
from .extra import library, one_line

WHOLE = 32 * 2**20
"""Files up to this many bytes are hashed whole."""
BLOCKS, BLOCK = 64, 2**20
"""Of larger files so many blocks of so many bytes are, evenly spread, the ends among them."""
DESCRIBING = (
    "config.json", "generation_config.json", "tokenizer.json", "tokenizer.model", "vocab.json",
    "merges.txt", "vocab.txt", "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json", "chat_template.jinja", "chat_template.json",
)  # fmt: skip
"""The small files that decide what a model answers."""
DESCRIBING_ALL = ("*.json", "*.jinja", "*.txt", "*.model")
"""The same, and what else of a repository is small, as patterns."""
INDEX = "model.safetensors.index.json"


@dataclass(frozen=True, kw_only=True)
class Source:
    """A model's files."""

    name: str
    path: Path
    """The folder that the libraries load it from; of a repository, its commit's in the cache."""
    gguf: str | None = None
    """The GGUF file in the folder."""
    repository: str | None = None
    """The hub's name of it; its weights are downloaded when they are needed."""
    fingerprint: str
    template: bool
    """Whether it has a chat template."""
    parameters: int | None = None
    """How many, where the files tell."""
    tokenizer: "Source | None" = None
    """Where its tokenizer is, if not there."""

    @property
    def arguments(self) -> dict[str, Any]:
        """What every ``from_pretrained`` is to be given; code of others is never run."""
        given: dict[str, Any] = {"trust_remote_code": False}
        if self.gguf:
            given["gguf_file"] = self.gguf
        return given


def find(name: str) -> Source:
    """The files of a model; raises :class:`~limen.UnknownModelError` if they cannot be had."""
    path = Path(name).expanduser()
    if path.suffix == ".gguf":
        return _gguf(name, path)
    if path.is_dir():
        return _folder(name, path.resolve())
    return _repository(name)


def _gguf(name: str, path: Path) -> Source:
    if not path.is_file():
        raise UnknownModelError(f"unknown model {name!r}: there is no such file")
    try:
        reader = library("gguf").GGUFReader(path)
    except (ValueError, OSError, IndexError) as error:
        raise UnknownModelError(f"{name} is no GGUF file: {one_line(error)}") from None
    return Source(
        name=name,
        path=path.parent.resolve(),  # where its name is: a link may lead to another
        gguf=path.name,
        fingerprint=_digest([path]),
        template=reader.get_field("tokenizer.chat_template") is not None,
        parameters=sum(int(tensor.n_elements) for tensor in reader.tensors),
    )


def _folder(name: str, folder: Path) -> Source:
    if not (folder / "config.json").is_file():
        raise UnknownModelError(f"unknown model {name!r}: the folder has no config.json")
    weights = sorted(folder.glob("*.safetensors"))
    if not weights:
        raise UnknownModelError(
            f"{name} has no weights in safetensors (other formats are not read): convert them "
            f"with save_pretrained, or name a GGUF file"
        )
    small = [folder / each for each in DESCRIBING if (folder / each).is_file()]
    return Source(
        name=name,
        path=folder,
        fingerprint=_digest([*small, *weights]),
        template=_has_template(folder),
        parameters=_parameters(folder, sum(file.stat().st_size for file in weights)),
    )


def _repository(name: str) -> Source:
    repository, _, asked = name.partition("@")
    folder = _downloaded(repository, DESCRIBING_ALL, asked or None)
    if not (folder / "config.json").is_file():
        raise UnknownModelError(f"unknown model {name!r}: the repository has no config.json")
    small = [folder / each for each in DESCRIBING if (folder / each).is_file()]
    weights = _hub_digests(repository, folder)
    return Source(
        name=name,
        path=folder,
        repository=repository,
        fingerprint=_hash([_digest(small), *weights]),
        template=_has_template(folder),
        parameters=_parameters(folder, None),
    )


def _hub_digests(repository: str, folder: Path) -> list[str]:
    """What the hub knows each file of weights by: its hash, downloaded or not.

    The cache has files of that name, and links to them by their own.
    """
    wanted = _wanted(folder)
    if all((folder / name).is_file() for name in wanted):
        return [_cached_digest(folder / name) for name in wanted]
    listed = _listed(repository, folder.name)
    if missing := [name for name in wanted if name not in listed]:
        raise _no_weights(repository, missing[0])
    return [listed[name] for name in wanted]


def _cached_digest(file: Path) -> str:
    if file.is_symlink():
        return file.resolve().name
    with file.open("rb") as stream:  # a cache on a disk that has no links
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _listed(repository: str, commit: str) -> dict[str, str]:
    """The hashes of a repository's files, by name; none where the hub cannot be reached."""
    try:
        known = library("huggingface_hub").HfApi().model_info(
            repository, revision=commit, files_metadata=True
        )  # fmt: skip
    except Exception:  # whatever the hub or the network raises: then the cache is all there is
        return {}
    return {
        each.rfilename: each.lfs.sha256 if each.lfs else str(each.blob_id)
        for each in known.siblings
    }


def _wanted(folder: Path) -> list[str]:
    """The files of weights that a repository's index names."""
    indexed = _json(folder / INDEX).get("weight_map", {}).values()
    return sorted(set(indexed)) or ["model.safetensors"]


def _no_weights(name: str, missing: str) -> UnknownModelError:
    return UnknownModelError(
        f"{name} has no weights in safetensors on the hub, or the hub could not be reached and not "
        f"all of them are in its cache: {missing} is missing (other formats are not read)"
    )


def fetched(source: Source) -> Source:
    """The same with its weights on this machine: those of a repository are downloaded.

    Raises :class:`~limen.UnknownModelError` if they cannot be.
    """
    if source.repository is None:
        return source
    folder = source.path
    wanted = _wanted(folder)
    _downloaded(source.repository, wanted, folder.name)
    if missing := [name for name in wanted if not (folder / name).is_file()]:
        raise _no_weights(source.name, missing[0])
    size = sum((folder / name).stat().st_size for name in wanted)
    return replace(source, parameters=_parameters(folder, size))


def _downloaded(name: str, files: Sequence[str], revision: str | None = None) -> Path:
    """The folder of some files of a repository."""
    try:
        return Path(
            library("huggingface_hub").snapshot_download(
                name, revision=revision, allow_patterns=list(files)
            )
        )
    except Exception as error:  # whatever the hub, the network or the cache raises
        raise UnknownModelError(_refusal(name, error)) from None


def _refusal(name: str, error: Exception) -> str:
    kind = type(error).__name__
    if kind == "GatedRepoError":
        return (
            f"{name} is gated: ask for access on its page, then log in with the hub's own command "
            f"line"
        )
    if kind == "RevisionNotFoundError":
        return f"unknown model {name!r}: the Hugging Face hub has it, and not that revision"
    if kind in ("RepositoryNotFoundError", "HFValidationError"):
        return f"unknown model {name!r}: no GGUF file, no folder, and not on the Hugging Face hub"
    return (
        f"unknown model {name!r}: no GGUF file, no folder, and the Hugging Face hub could not be "
        f"reached, nor is it in its cache ({one_line(error)[:160]})"
    )


def _has_template(folder: Path) -> bool:
    if (folder / "chat_template.jinja").is_file() or (folder / "chat_template.json").is_file():
        return True
    return bool(_json(folder / "tokenizer_config.json").get("chat_template"))


def _parameters(folder: Path, size: int | None) -> int | None:
    """How many parameters there are, by the index or the size of the weights."""
    size = _json(folder / INDEX).get("metadata", {}).get("total_size", size)
    config = _json(folder / "config.json")
    kept = config.get("dtype") or config.get("torch_dtype") or "float32"
    return None if size is None else int(size) // (4 if kept == "float32" else 2)


def _json(file: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise BackendError(f"{file} is not JSON: {one_line(error)}") from None
    return found


def _digest(files: Iterable[Path]) -> str:
    """A hash of some files by name and content, cheap however large they are."""
    return _hash([part for file in files for part in (file.name, *_content(file))])


def _content(file: Path) -> tuple[int, str]:
    size = file.stat().st_size
    with file.open("rb") as stream:
        if size <= WHOLE:
            return size, hashlib.file_digest(stream, "sha256").hexdigest()
        digest = hashlib.sha256()
        for number in range(BLOCKS):
            stream.seek(number * (size - BLOCK) // (BLOCKS - 1))
            digest.update(stream.read(BLOCK))
        return size, digest.hexdigest()


def _hash(parts: list[Any]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
