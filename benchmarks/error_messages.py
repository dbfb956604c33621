"""Every error message of limen, read from its source: the list in ``docs/errors.md``.

``python benchmarks/error_messages.py`` prints the list. MkDocs puts it into the page at each build.
"""

import ast
import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import islice, product
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("harness", "reports", "datasets", "backends")
PAGE, MARK = "errors.md", "<!-- the list of messages -->"
ERRORS = ROOT / "datasets" / "errors.py"
MESSAGE_AT = {"ApiError": 1}
"""Which argument is the message, where it is not the first."""
OTHERS = {"ApiError", "BadFileError", "UsageError", "BadParameter", "ClickException"}
"""Classes with messages for people that are no ``LimenError``."""
MOST = 12
"""Forms of one message that are listed."""

Definition = ast.FunctionDef | ast.AsyncFunctionDef
Values = Mapping[str, Sequence[str]]
"""The texts that a name may stand for."""


def on_page_markdown(markdown: str, **given: object) -> str:
    """MkDocs calls this for each page: put the list where its mark is."""
    return markdown.replace(MARK, listing()) if MARK in markdown else markdown


def listing() -> str:
    """The list as markdown, by room and class."""
    rooms: dict[str, dict[str, set[str]]] = {}
    for message in messages():
        rooms.setdefault(message.room, {}).setdefault(message.kind, set()).add(message.text)
    lines = []
    for room, kinds in sorted(rooms.items()):
        lines += ["", f"### {room}"]
        for kind, texts in sorted(kinds.items()):
            lines += ["", f"**{kind}**", "", *(f"- {_escaped(text)}" for text in sorted(texts))]
    return "\n".join(lines).strip() + "\n"


@dataclass(frozen=True)
class Message:
    """One message of one class of errors."""

    room: str
    kind: str
    text: str


def messages() -> list[Message]:
    """All messages, in the order of the source; but for those that only pass on another's text."""
    modules = [Module(file) for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py"))]
    kinds = _error_classes(module.tree for module in modules)
    shared = {
        name: maker
        for module in modules
        for name, maker in module.makers(kinds).items()
        if not name.startswith("_")
    }
    found = [one for module in modules for one in module.messages(kinds, shared)]
    return [one for one in found if re.search(r"\w", re.sub(r"<[^>]*>|limen:", "", one.text))]


@cache
def _nodes(tree: ast.AST) -> tuple[ast.AST, ...]:
    """A node and all below it."""
    return tuple(ast.walk(tree))


def _error_classes(trees: Iterator[ast.Module]) -> set[str]:
    """The subclasses of limen's errors, warnings and further errors, by name."""
    classes = [n for tree in trees for n in _nodes(tree) if isinstance(n, ast.ClassDef)]
    known = {"LimenError", "SpecWarning", "StoreWarning", *OTHERS}
    while True:
        added = {c.name for c in classes if any(_last(base) in known for base in c.bases)} - known
        if not added:
            return known
        known |= added


@dataclass
class Module:
    """One file of the source."""

    file: Path
    tree: ast.Module = field(init=False)

    def __post_init__(self) -> None:
        self.tree = ast.parse(self.file.read_text(encoding="utf-8"))
        self.functions = {n.name: n for n in _nodes(self.tree) if isinstance(n, Definition)}

    @property
    def room(self) -> str:
        """The folder that people know it by."""
        parts = self.file.relative_to(ROOT).parts
        return "/".join(parts[: min(2, len(parts) - 1)])

    def makers(self, kinds: set[str]) -> dict[str, tuple[str, Definition, ast.expr]]:
        """Functions that make an error of a text that they are given."""
        made = {}
        called = {_called_here(node) for node in _nodes(self.tree) if isinstance(node, ast.Call)}
        for name, function in self.functions.items():
            is_own = name.startswith("_") and name in called
            if not is_own and not _returns_error(function, kinds):
                continue
            parameters = {argument.arg for argument in _arguments(function)}
            for kind, text in _texts_in(function, kinds):
                if parameters & {n.id for n in _nodes(text) if isinstance(n, ast.Name)}:
                    made[name] = (kind, function, text)
        return made

    def messages(
        self, kinds: set[str], shared: Mapping[str, tuple[str, Definition, ast.expr]]
    ) -> Iterator[Message]:
        """The messages that this file has."""
        own_makers = self.makers(kinds)
        for function in self.functions.values():
            if function.name not in own_makers:  # else its callers have the whole text
                for kind, text in _texts_in(function, kinds):
                    for variant in _variants(text, self._assigned(function)):
                        yield Message(self.room, kind, variant)
            for call in _own_calls(function):
                if (maker := {**shared, **own_makers}.get(_called_here(call))) is not None:
                    yield from self._of_maker(call, function, maker)

    def _of_maker(
        self, call: ast.Call, caller: Definition, maker: tuple[str, Definition, ast.expr]
    ) -> Iterator[Message]:
        kind, function, text = maker
        names = [a.arg for a in _arguments(function) if a.arg != "self"]
        given = dict(zip(names, call.args, strict=False))
        given |= {word.arg: word.value for word in call.keywords if word.arg}
        inside = self._assigned(caller)
        values = {name: _variants(value, inside) for name, value in given.items()}
        for variant in _variants(text, {**self._assigned(function), **values}):
            yield Message(self.room, kind, variant)

    def _assigned(self, function: Definition) -> Values:
        """The texts that are assigned to names in a function, or returned by functions here."""
        texts: dict[str, list[str]] = {}
        for name, value in _assignments(function):
            texts.setdefault(name, []).extend(_variants(value, {}))
        return {**texts, **self._returned}

    @cached_property
    def _returned(self) -> Values:
        """The texts that functions here return, by their call."""
        texts: dict[str, list[str]] = {}
        for name, function in self.functions.items():
            values = [n.value for n in _nodes(function) if isinstance(n, ast.Return) and n.value]
            if values and all(map(_is_text, values)):
                texts[f"{name}()"] = [text for value in values for text in _variants(value, {})]
        return texts


def _assignments(function: Definition) -> Iterator[tuple[str, ast.expr]]:
    """The names that get a text in a function, each with the text."""
    for node in _nodes(function):
        if isinstance(node, ast.Assign) and _is_text(node.value):
            yield _last(node.targets[0]), node.value


def _returns_error(function: Definition, kinds: set[str]) -> bool:
    """Whether a function makes an error for its callers to raise."""
    returned = [n.value for n in _nodes(function) if isinstance(n, ast.Return)]
    return any(isinstance(v, ast.Call) and _last(v.func) in kinds for v in returned)


def _called_here(call: ast.Call) -> str:
    """The name of a function that is called by its name alone, or as a method of ``self``."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr if _last(call.func.value) in ("self", "budget", "_budget") else ""
    return _last(call.func)


def _texts_in(function: Definition, kinds: set[str]) -> list[tuple[str, ast.expr]]:
    """The classes and the texts of the errors and warnings that a function makes."""
    found = []
    for call in _own_calls(function):
        name = _last(call.func)
        place = MESSAGE_AT.get(name, 0)
        if name in {*kinds, *_class_parameters(function)} and len(call.args) > place:
            found.append((_kind(call) if name in kinds else "LimenError", call.args[place]))
        if name == "fail" and call.args:
            found.append(("pytest.fail", call.args[0]))
        if name == "warn" and len(call.args) > 1 and _last(call.args[1]) in kinds:
            found.append((_last(call.args[1]), call.args[0]))
    return found


def _class_parameters(function: Definition) -> set[str]:
    """The parameters of a function that are classes of errors."""
    annotated = ((a.arg, a.annotation) for a in _arguments(function))
    return {name for name, note in annotated if note and ast.unparse(note) == "type[LimenError]"}


def _kind(call: ast.Call) -> str:
    """What a message comes as: a class, or a status of HTTP."""
    name = _last(call.func)
    if name != "ApiError":
        return name
    status = call.args[0]
    return f"HTTP {status.value!r}" if isinstance(status, ast.Constant) else "HTTP"


@cache
def _own_calls(function: Definition) -> tuple[ast.Call, ...]:
    """The calls in a function, but not those in functions within it."""
    calls: list[ast.Call] = []
    stack: list[ast.AST] = list(function.body)
    while stack:
        node = stack.pop()
        if isinstance(node, Definition):
            continue
        if isinstance(node, ast.Call):
            calls.append(node)
        stack += list(ast.iter_child_nodes(node))
    return tuple(calls)


def _arguments(function: Definition) -> list[ast.arg]:
    given = function.args
    return [*given.posonlyargs, *given.args, *given.kwonlyargs]


def _is_text(value: ast.expr) -> bool:
    if isinstance(value, ast.IfExp):
        return _is_text(value.body) and _is_text(value.orelse)
    if isinstance(value, ast.BinOp):
        return isinstance(value.op, ast.Add) and _is_text(value.left) and _is_text(value.right)
    return isinstance(value, ast.JoinedStr) or (
        isinstance(value, ast.Constant) and isinstance(value.value, str)
    )


def _variants(value: ast.expr, known: Values) -> list[str]:
    """The texts that an expression may be, with names in place of values."""
    match value:
        case ast.Constant():
            texts = [str(value.value)]
        case ast.FormattedValue(value=inner):
            texts = _variants(inner, known)
        case ast.JoinedStr(values=parts):
            texts = _joined([_variants(part, known) for part in parts])
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            texts = _joined([_variants(left, known), _variants(right, known)])
        case ast.IfExp(body=first, orelse=second):
            texts = [*_variants(first, known), *_variants(second, known)]
        case ast.BoolOp(values=parts):
            texts = [text for part in parts for text in _variants(part, known)]
        case _:
            name = f"{_last(value.func)}()" if isinstance(value, ast.Call) else _last(value)
            texts = list(known.get(name) or [f"<{_placeholder(value)}>"])
    return texts


def _joined(parts: Sequence[Sequence[str]]) -> list[str]:
    return ["".join(pieces) for pieces in islice(product(*parts), MOST)]


def _placeholder(value: ast.expr) -> str:
    """What stands for a value: its name, or that of what it is made of."""
    match value:
        case ast.Call(func=ast.Name(id="len"), args=[counted]):
            return f"number of {_placeholder(counted)}"
        case ast.Call(func=ast.Attribute(attr="join"), args=[inner]) | (
            ast.Subscript(value=inner) | ast.Starred(value=inner) | ast.BinOp(left=inner)
        ):
            return _placeholder(inner)
        case ast.Call(func=ast.Attribute(value=inner, attr=name), args=args):
            return _words(name) if args and not hasattr(str, name) else _placeholder(inner)
        case ast.Call(args=[inner, *_]) | ast.Call(func=inner):
            return _placeholder(inner)
        case ast.GeneratorExp(generators=[loop, *_]) | ast.ListComp(generators=[loop, *_]):
            return _placeholder(loop.iter)
    return _words(_last(value)) or "value"


def _words(name: str) -> str:
    return name.strip("_").replace("_", " ").lower()


def _last(value: ast.expr) -> str:
    """The last name of an expression such as ``a.b``; empty if it has none."""
    if isinstance(value, ast.Attribute):
        return value.attr
    return value.id if isinstance(value, ast.Name) else ""


def _escaped(text: str) -> str:
    """A message as markdown that shows it as it is."""
    return re.sub(r"([\\`*_\[\]{}#|])", r"\\\1", html.escape(" ".join(text.split()), quote=False))


if __name__ == "__main__":
    print(listing())
