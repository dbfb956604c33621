"""The checks of ``limen doctor``: each says what it saw, and what to do if that is a fault."""

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from ...backends import Backend, WorkRequest
from ...datasets.errors import LimenError
from ..lab import Settings, cores
from .steps import backend_for

GOOD, NOTE, BAD = "good", "note", "bad"
"""States of a check: in order, worth knowing, and a fault that ends runs."""

PACKAGES = ("pytest", "numpy", "scipy", "openai", "inspect-ai")
"""Packages whose versions help to understand a report of a fault."""
EXTRAS = {
    "local": ("torch", "transformers", "peft", "trl"),
    "quantization": ("bitsandbytes",),
    "vllm": ("vllm",),
    "tinker": ("tinker",),
    "ray": ("ray",),
    "dask": ("distributed",),
    "files": ("pyarrow", "zstandard"),
    "test": ("xdist", "hypothesis"),
}
"""By extra: the modules that it installs."""
SECRETS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "HF_TOKEN")
"""Environment variables that are said to be set or not, and never shown."""
SHARED_SYSTEMS = ("nfs", "cifs", "smb", "fuse", "9p", "lustre", "gpfs")
"""File systems on which locks may not hold between machines."""
GIB = 1024**3
LITTLE_SPACE = 5 * GIB
"""Free bytes below which a run with open weights may fill the disk."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check: its name, its state, what was seen, and what to do about it."""

    name: str
    value: str
    state: str = GOOD
    remedy: str = ""


def checks(settings: Settings) -> Iterator[Check]:
    """All checks, in the order in which they are shown."""
    yield from _installation()
    yield from _machine()
    yield from _store(settings.store)
    yield from _backend(settings)


def _installation() -> Iterator[Check]:
    yield Check(name="limen", value=version("limen"))
    yield Check(name="Python", value=f"{platform.python_version()} at {sys.prefix}")
    yield Check(name="packages", value=", ".join(f"{name} {version(name)}" for name in PACKAGES))
    for extra, modules in EXTRAS.items():
        missing = [name for name in modules if find_spec(name) is None]
        yield Check(
            name=f"extra {extra}",
            value=f"not installed ({', '.join(missing)})" if missing else "installed",
            state=NOTE if missing else GOOD,
            remedy=f"if you need it: pip install 'limen[{extra}]'" if missing else "",
        )
    for name in SECRETS:
        yield Check(name=name, value="set" if os.environ.get(name) else "not set")


def _machine() -> Iterator[Check]:
    yield Check(name="system", value=f"{platform.system()} {platform.release()}")
    yield Check(name="processor", value=f"{platform.machine()}, {cores()} cores for this process")
    yield from _load()
    yield Check(name="memory", value=_memory())
    yield Check(name="GPU", value=_gpu())


def _load() -> Iterator[Check]:
    """How busy the cores are, where the system counts it."""
    if sys.platform == "win32":
        return
    load = os.getloadavg()[0]
    busy = load > cores()
    yield Check(
        name="load",
        value=f"{load:.1f} programs at work in the last minute",
        state=NOTE if busy else GOOD,
        remedy="more programs than cores: a run takes longer, one with open weights perhaps by "
        "more than they take; there try OMP_NUM_THREADS=1"
        if busy
        else "",
    )


def _memory() -> str:
    if find_spec("psutil") is None:
        return "not checked: psutil is not installed (it comes with the extra local)"
    import psutil

    found = psutil.virtual_memory()
    return f"{found.available / GIB:.1f} of {found.total / GIB:.1f} GiB available"


def _gpu() -> str:
    if find_spec("torch") is None:
        return "not checked: PyTorch is not installed"
    if names := gpu_names():
        return ", ".join(names)
    import torch

    return f"none that PyTorch can use; it has {torch.get_num_threads()} threads on the processor"


def gpu_names() -> list[str]:
    """The GPUs that PyTorch sees, if it is installed; only PyTorch knows."""
    if find_spec("torch") is None:
        return []
    import torch

    if not torch.cuda.is_available():
        return []
    return [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]


def _store(store: Path) -> Iterator[Check]:
    folder = _existing(store.absolute())
    free = shutil.disk_usage(folder).free
    yield Check(
        name="store",
        value=f"{store} ({'there' if store.exists() else 'not made yet'}), "
        f"{free / GIB:.1f} GiB free",
        state=NOTE if free < LITTLE_SPACE else GOOD,
        remedy="free some space, or give --store on another disk" if free < LITTLE_SPACE else "",
    )
    yield _file_system(folder)
    yield _writing(folder)


def _existing(folder: Path) -> Path:
    """The nearest folder above that exists."""
    return next(path for path in (folder, *folder.parents) if path.is_dir())


def _file_system(folder: Path) -> Check:
    kind = _mounted_as(folder)
    shared = kind.startswith(SHARED_SYSTEMS)
    return Check(
        name="file system of the store",
        value=kind,
        state=NOTE if shared else GOOD,
        remedy="locks may not hold between machines: let one machine write to the store at a time"
        if shared
        else "",
    )


def _mounted_as(folder: Path) -> str:
    """The kind of file system that a folder is on, where the system has a table of them."""
    table = Path("/proc/mounts")
    if not table.is_file():
        return "not known on this system"
    mounts = (line.split()[1:3] for line in table.read_text(encoding="utf-8").splitlines())
    above = [(len(point), kind) for point, kind in mounts if folder.is_relative_to(point)]
    return max(above)[1] if above else "not known"


def _writing(folder: Path) -> Check:
    """Write, lock, flush and rename a file beside the store, as a run does."""
    from filelock import FileLock

    name = "writing, locking, renaming"
    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".limen-doctor-") as scratch:
            file = Path(scratch) / "file"
            with FileLock(f"{file}.lock", timeout=5), file.open("wb") as stream:
                stream.write(b"limen")
                stream.flush()
                os.fsync(stream.fileno())
            file.replace(file.with_name("renamed"))
    except (OSError, TimeoutError) as error:
        return Check(
            name=name,
            value=f"not possible in {folder}: {error}",
            state=BAD,
            remedy="give --store in a folder that you may write to",
        )
    return Check(name=name, value="possible")


def _backend(settings: Settings) -> Iterator[Check]:
    name = f"backend {settings.backend}"
    try:
        backend = backend_for(settings)
        model = backend.describe(settings.model or backend.default_model)
    except LimenError as error:
        first, _, rest = str(error).partition(": ")
        yield Check(name=name, value=first, state=BAD, remedy=rest)
        return
    trains = "can be fine-tuned" if model.can_fine_tune else f"no fine-tuning: {model.why_not}"
    note = f"; {model.note}" if model.note else ""
    yield Check(name=name, value=f"{model.name}; {trains}{note}")
    yield from _service(backend, model.name)


def _service(backend: Backend, model: str) -> Iterator[Check]:
    """What a service charges, allows and can do."""
    service = backend.capabilities.service
    if service is None:
        return
    known = service.quote(WorkRequest(model=model, completions=1, max_tokens=1)).usd is not None
    yield Check(
        name="prices",
        value=service.conditions(model),
        state=GOOD if known else NOTE,
        remedy="" if known else "give your own with --prices FILE, so that costs are known",
    )
    for name, fact in service.server_facts(model).items():
        yield Check(name=f"server, {name}", value=fact)
