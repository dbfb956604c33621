"""Where a model's files are, their fingerprint, and the size of the model; nothing is loaded.

A name is that of a GGUF file, a folder, or a repository on the Hugging Face hub, in this order.
``name@revision`` is a commit, a tag or a branch of a repository.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...datasets.errors import BackendError, UnknownModelError
from ..plain_text import VERSION as PLAIN_VERSION
from .adapters import CONFIG, WEIGHTS, adapter_folder, base_of_adapter, no_base
from .libraries import Untyped, library, one_line

HASHED_WHOLE = 32 * 2**20
"""Files up to this many bytes are hashed whole."""
BLOCKS, BLOCK = 64, 2**20
"""Of larger files, this many evenly spread blocks of this many bytes, both ends included."""
SMALL_FILES = (
    "config.json", "generation_config.json", "tokenizer.json", "tokenizer.model", "vocab.json",
    "merges.txt", "vocab.txt", "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json", "chat_template.jinja", "chat_template.json",
)  # fmt: skip
"""The small files that affect a model's answers."""
SMALL_PATTERNS = ("*.json", "*.jinja", "*.txt", "*.model")
"""Patterns of the small files of a repository, these included."""
INDEX = "model.safetensors.index.json"


@dataclass(frozen=True, kw_only=True)
class ModelSource:
    """A model's files."""

    name: str
    path: Path
    """The folder to load it from; of a repository, the folder of its commit in the hub's cache."""
    gguf: str | None = None
    """The GGUF file in the folder."""
    repository: str | None = None
    """Its name on the hub; the weights are downloaded when they are needed."""
    fingerprint: str
    template: bool
    """Whether it has a chat template."""
    parameters: int | None = None
    """Their number, if the files show it."""
    tokenizer: "ModelSource | None" = None
    """The model whose tokenizer it uses, if it has none."""
    adapter: Path | None = None
    """The folder of an adapter on it."""
    base: "ModelSource | None" = None
    """The model below the adapter."""
    quantized: bool = False
    """Whether its weights are loaded in four bits."""

    @property
    def asked_fingerprint(self) -> str:
        """The fingerprint, and that of the template that stands in for a missing one."""
        return self.fingerprint if self.template else f"{self.fingerprint}:{PLAIN_VERSION}"

    @property
    def arguments(self) -> dict[str, Untyped]:
        """The arguments of every ``from_pretrained``; code from repositories is never run."""
        arguments: dict[str, Untyped] = {"trust_remote_code": False}
        if self.gguf:
            arguments["gguf_file"] = self.gguf
        return arguments


def find_model(name: str) -> ModelSource:
    """The files of a model; raises :class:`~limen.UnknownModelError` if they cannot be had."""
    path = Path(name).expanduser()
    if (adapter := adapter_folder(name)) is not None:
        return _adapter(name, adapter)
    if path.suffix == ".gguf":
        return _gguf(name, path)
    if path.is_dir():
        return _folder(name, path.resolve())
    return _repository(name)


def _adapter(name: str, folder: Path) -> ModelSource:
    base_name = base_of_adapter(name, folder)
    try:
        base = find_model(base_name)
    except UnknownModelError as error:
        raise no_base(name, base_name, error) from None
    own = _digest([folder / CONFIG, folder / WEIGHTS])
    return replace(
        base, name=name, fingerprint=_hash([base.fingerprint, own]), adapter=folder, base=base
    )


def _gguf(name: str, path: Path) -> ModelSource:
    if not path.is_file():
        raise UnknownModelError(f"unknown model {name!r}: there is no such file")
    try:
        reader = library("gguf").GGUFReader(path)
    except (ValueError, OSError, IndexError) as error:
        raise UnknownModelError(f"{name} is not a GGUF file: {one_line(error)}") from None
    return ModelSource(
        name=name,
        path=path.parent.resolve(),  # where its name is: a link may lead to another
        gguf=path.name,
        fingerprint=_digest([path]),
        template=reader.get_field("tokenizer.chat_template") is not None,
        parameters=sum(int(tensor.n_elements) for tensor in reader.tensors),
    )


def _folder(name: str, folder: Path) -> ModelSource:
    if not (folder / "config.json").is_file():
        raise UnknownModelError(f"unknown model {name!r}: the folder has no config.json")
    weights = sorted(folder.glob("*.safetensors"))
    if not weights:
        raise UnknownModelError(
            f"{name} has no weights in safetensors (other formats are not read): convert them "
            f"with save_pretrained, or name a GGUF file"
        )
    small = [folder / each for each in SMALL_FILES if (folder / each).is_file()]
    return ModelSource(
        name=name,
        path=folder,
        fingerprint=_digest([*small, *weights]),
        template=_has_template(folder),
        parameters=_parameters(folder, sum(file.stat().st_size for file in weights)),
    )


def _repository(name: str) -> ModelSource:
    repository, _, revision = name.partition("@")
    folder = _downloaded(repository, SMALL_PATTERNS, revision or None)
    if not (folder / "config.json").is_file():
        raise UnknownModelError(f"unknown model {name!r}: the repository has no config.json")
    small = [folder / each for each in SMALL_FILES if (folder / each).is_file()]
    weights = _hub_digests(repository, folder)
    return ModelSource(
        name=name,
        path=folder,
        repository=repository,
        fingerprint=_hash([_digest(small), *weights]),
        template=_has_template(folder),
        parameters=_parameters(folder, None),
    )


def _hub_digests(repository: str, folder: Path) -> list[str]:
    """The hub's hash of each file of weights, downloaded or not.

    In the cache, files are named by this hash, and links to them have the files' own names.
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
    with file.open("rb") as stream:  # a cache on a file system without links
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _listed(repository: str, commit: str) -> dict[str, str]:
    """The hashes of a repository's files, by name; empty if the hub cannot be reached."""
    try:
        known = library("huggingface_hub").HfApi().model_info(
            repository, revision=commit, files_metadata=True
        )  # fmt: skip
    except Exception:  # whatever the hub or the network raises: the cache is used alone
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


def download_weights(source: ModelSource) -> ModelSource:
    """The same with its weights on this machine: those of a repository are downloaded.

    Raises :class:`~limen.UnknownModelError` if that fails.
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
    unknown = f"unknown model {name!r}: neither a GGUF file nor a folder"
    if kind == "GatedRepoError":
        return (
            f"{name} is gated: ask for access on its page, then log in with the hub's own command "
            f"line"
        )
    if kind == "RevisionNotFoundError":
        return f"unknown model {name!r}: the Hugging Face hub has no such revision of it"
    if kind in ("RepositoryNotFoundError", "HFValidationError"):
        return f"{unknown}, and not on the Hugging Face hub"
    return (
        f"{unknown}, and not in the cache of the Hugging Face hub, which could not be reached "
        f"({one_line(error)[:160]})"
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


def _json(file: Path) -> dict[str, Untyped]:
    try:
        content: dict[str, Untyped] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise BackendError(f"{file} is not JSON: {one_line(error)}") from None
    return content


def _digest(files: Iterable[Path]) -> str:
    """A hash of some files by name and content; large files are hashed in part."""
    return _hash([part for file in files for part in (file.name, *_content(file))])


def _content(file: Path) -> tuple[int, str]:
    size = file.stat().st_size
    with file.open("rb") as stream:
        if size <= HASHED_WHOLE:
            return size, hashlib.file_digest(stream, "sha256").hexdigest()
        digest = hashlib.sha256()
        for number in range(BLOCKS):
            stream.seek(number * (size - BLOCK) // (BLOCKS - 1))
            digest.update(stream.read(BLOCK))
        return size, digest.hexdigest()


def _hash(parts: list[object]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
