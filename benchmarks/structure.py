"""The structure of the code in figures, read from its source: rooms, arrows, circles, sizes, types.

    python benchmarks/structure.py            # today's figures
    python benchmarks/structure.py --of DIR   # those of another checkout

A room is a folder of ``harness/``, or one of ``backends``, ``datasets``, ``reports``. An arrow is
an import from one room into another, those in functions and for type checking included; the names
that ``harness/__init__.py`` hands on are no arrows. Exit code 1 past a limit.
"""

import argparse
import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
FOLDERS = ("harness", "backends", "datasets", "reports")
FLOORS = (
    ("harness.plugin",),
    ("harness.reporting", "harness.inspect", "harness.cli"),
    ("harness.collection",),
    ("harness.lab",),
    ("harness.experiment", "harness.executors"),
    ("harness.stages", "harness.statistics"),
    ("backends", "reports"),
    ("datasets",),
)
LIMITS = {
    "rooms of harness/": 10,
    "files beside them": 1,
    "arrows between rooms of harness/": 30,
    "arrows that run upward": 0,
    "circles of modules": 0,
    "files over 400 lines": 0,
    "function bodies over 40 lines": 0,
    "public class names used twice": 0,
    "Any a thousand lines": 3.0,
    "getattr or hasattr on backends": 0,
    "test modules that import from another": 0,
}
ON_BACKENDS = re.compile(r"\b(?:getattr|hasattr)\((?:self\.)?_?(?:backend|engine|service)\b")
Arrow = tuple[str, str]


@dataclass(frozen=True)
class Module:
    """One source file."""

    name: str
    """Dotted, below ``limen``."""
    path: Path
    tree: ast.Module
    text: str

    @property
    def package(self) -> list[str]:
        """The parts of the package that relative imports start from."""
        parts = self.name.split(".")
        return parts if self.path.name == "__init__.py" else parts[:-1]

    @property
    def lines(self) -> int:
        """Lines of the file."""
        return len(self.text.splitlines())


def modules(root: Path, folders: Iterable[str]) -> dict[str, Module]:
    """The modules below some folders, by name."""
    made: dict[str, Module] = {}
    for path in sorted(path for folder in folders for path in (root / folder).rglob("*.py")):
        name = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        text = path.read_text(encoding="utf-8")
        made[name] = Module(name, path, ast.parse(text), text)
    return made


def imports(module: Module, known: Mapping[str, Module]) -> Iterator[str]:
    """The known modules that a module imports, those in functions included."""
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.ImportFrom):
            continue
        above = module.package[: len(module.package) + 1 - node.level] if node.level else []
        parts = [*above, *(node.module or "").split(".")] if node.module else above
        target = ".".join(parts).removeprefix("limen.")
        for alias in node.names:
            full = f"{target}.{alias.name}"
            if full in known:
                yield full
            elif target in known:
                yield target


def room(name: str) -> str:
    """The room that a module stands in; the facade is one of its own."""
    parts = name.split(".")
    return ".".join(parts[:2]) if parts[0] == "harness" else parts[0]


def arrows(known: Mapping[str, Module]) -> set[Arrow]:
    """The arrows between rooms, without those of the facade."""
    pairs = (
        (room(name), room(target))
        for name, module in known.items()
        if name != "harness"
        for target in imports(module, known)
    )
    return {(a, b) for a, b in pairs if b not in (a, "harness")}


def upward(pairs: Iterable[Arrow]) -> set[Arrow]:
    """The arrows that run up, or along a floor."""
    floor = {name: level for level, names in enumerate(FLOORS) for name in names}
    return {(a, b) for a, b in pairs if floor.get(a, 0) >= floor.get(b, 0)}


def circles(known: Mapping[str, Module]) -> list[set[str]]:
    """The groups of modules that import each other in a circle (Tarjan's algorithm)."""
    edges = {
        name: {t for t in imports(m, known) if t != name and not name.startswith(f"{t}.")}
        for name, m in known.items()
    }
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    groups: list[set[str]] = []

    def visit(name: str) -> None:
        order[name] = low[name] = len(order)
        stack.append(name)
        for target in edges[name]:
            if target not in order:
                visit(target)
            if target in stack:
                low[name] = min(low[name], low[target])
        if low[name] == order[name]:
            place = stack.index(name)
            groups.append(set(stack[place:]))
            del stack[place:]

    for name in edges:
        if name not in order:
            visit(name)
    return [group for group in groups if len(group) > 1]


def long_bodies(known: Mapping[str, Module]) -> list[str]:
    """The functions whose body, its docstring left out, has more than 40 lines."""
    return [
        f"{name}.{node.name}"
        for name, module in known.items()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and _lines_of(node.body[1:] if ast.get_docstring(node) else node.body) > 40
    ]


def _lines_of(body: list[ast.stmt]) -> int:
    return ((body[-1].end_lineno or 0) - body[0].lineno + 1) if body else 0


def public_classes(known: Mapping[str, Module], folders: tuple[str, ...]) -> dict[str, list[str]]:
    """The modules that define each public class name more than once."""
    homes: dict[str, list[str]] = defaultdict(list)
    for name, module in known.items():
        if name.split(".")[0] in folders:
            for node in module.tree.body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    homes[node.name].append(name)
    return {name: places for name, places in homes.items() if len(places) > 1}


def uses_of_any(known: Mapping[str, Module]) -> float:
    """How often ``Any`` is used, a thousand lines; imports of it are not counted."""
    uses = sum(
        isinstance(node, ast.Name) and node.id == "Any"
        for module in known.values()
        for node in ast.walk(module.tree)
    )
    texts = sum(len(re.findall(r"\"[^\"\n]*\bAny\b[^\"\n]*\"", m.text)) for m in known.values())
    return 1000 * (uses + texts) / sum(module.lines for module in known.values())


def test_imports(root: Path) -> list[str]:
    """The test modules that import from another test module."""
    known = modules(root, ["tests"])
    return [
        f"{name} <- {target}"
        for name, module in known.items()
        for target in imports(module, known)
        if target.rpartition(".")[2].startswith("test_")
    ]


def figures(root: Path) -> dict[str, tuple[float, list[str]]]:
    """Every figure by name, with what it counts."""
    known = modules(root, FOLDERS)
    pairs = arrows(known)
    inside = {(a, b) for a, b in pairs if "." in a and "." in b}
    rooms = {room(name) for name in known if name.startswith("harness.") and name.count(".") > 1}
    beside = [path.name for path in (root / "harness").glob("*.py")]
    twice = public_classes(known, ("harness", "datasets", "reports"))
    asked = [n for n, m in known.items() for _ in ON_BACKENDS.findall(m.text)]
    lists = {
        "rooms of harness/": sorted(rooms),
        "files beside them": beside,
        "arrows between rooms of harness/": sorted(f"{a} -> {b}" for a, b in inside),
        "arrows between all rooms": sorted(f"{a} -> {b}" for a, b in pairs),
        "arrows that run upward": sorted(f"{a} -> {b}" for a, b in upward(pairs)),
        "circles of modules": [" ".join(sorted(group)) for group in circles(known)],
        "files over 400 lines": [name for name, m in known.items() if m.lines > 400],
        "function bodies over 40 lines": long_bodies(known),
        "public class names used twice": [f"{n}: {' '.join(p)}" for n, p in twice.items()],
        "getattr or hasattr on backends": asked,
        "test modules that import from another": test_imports(root),
    }
    counted: dict[str, tuple[float, list[str]]] = {n: (len(v), v) for n, v in lists.items()}
    return counted | {"Any a thousand lines": (round(uses_of_any(known), 1), [])}


def main() -> int:
    """Print the figures; 1 if one is past its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--of", type=Path, default=HERE, help="the checkout to read")
    parser.add_argument("-v", action="store_true", help="list what is counted")
    given = parser.parse_args()
    over = 0
    for name, (value, what) in figures(given.of).items():
        limit = LIMITS.get(name)
        past = limit is not None and value > limit
        over += past
        bound = "" if limit is None else f"  (at most {limit:g})"
        print(f"{value:>6g}  {name}{bound}{'  <- too many' if past else ''}")
        if given.v or past:
            print("".join(f"          {line}\n" for line in what), end="")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
