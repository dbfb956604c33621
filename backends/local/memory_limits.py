"""How much memory there is: of the GPUs, of the machine, or of the container that this runs in."""

from pathlib import Path

from .libraries import library

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUP = Path("/proc/self/cgroup")


def total_memory() -> tuple[int, str]:
    """The memory, in bytes, where a model would be loaded, and the name of that place."""
    torch = library("torch")
    if torch.cuda.is_available():
        gpus = range(torch.cuda.device_count())
        total = sum(torch.cuda.get_device_properties(gpu).total_memory for gpu in gpus)
        return int(total), "the GPU" if len(gpus) == 1 else f"the {len(gpus)} GPUs together"
    machine, limit = int(library("psutil").virtual_memory().total), cgroup_limit()
    if limit is None or limit >= machine:
        return machine, "this machine"
    return limit, "this container"


def cgroup_limit() -> int | None:
    """The lowest limit of memory, in bytes, of the control groups of this process; None without.

    Version 2 has ``memory.max`` in each group, version 1 ``memory/.../memory.limit_in_bytes``.
    """
    try:
        lines = OWN_CGROUP.read_text().splitlines()
    except OSError:
        return None
    limits: list[int] = []
    for line in lines:
        _, controllers, group = line.split(":", 2)
        if not controllers:
            limits += _limits(CGROUPS, group, "memory.max")
        elif "memory" in controllers.split(","):
            limits += _limits(CGROUPS / "memory", group, "memory.limit_in_bytes")
    return min(limits, default=None)


def _limits(root: Path, group: str, name: str) -> list[int]:
    """The limits of a group and of those that it is in."""
    folder = root / group.strip("/")
    found = []
    for each in (folder, *folder.parents):
        if each == root.parent:
            break
        try:
            found.append((each / name).read_text().strip())
        except OSError:
            continue
    return [int(text) for text in found if text.isdecimal()]
