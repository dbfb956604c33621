"""Pieces of GitHub-flavoured markdown."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import chain, count

LONGEST = 300
"""Characters of a completion that are shown on one line."""
_FOLDERS = re.compile(r"(?:(?<=:)|^)(?:[A-Za-z]:)?[/\\](?:[^/\\:]+[/\\])+(?=[^/\\:])")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; cells keep their text as it is. Columns that are empty throughout are left out.

    Cells are not padded: one that changes would change every line.
    """
    full = [place for place in range(len(head)) if any(row[place] for row in rows)]
    lines = [[head[place] for place in full], ["---"] * len(full)]
    lines += [[_cell(row[place]) for place in full] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def inline(text: str) -> str:
    """A completion as inline code on one line, long ones cut."""
    shown = json.dumps(text, ensure_ascii=False)[1:-1]
    return code(shown if len(shown) <= LONGEST else shown[:LONGEST] + "…") or "(empty)"


def code(text: str) -> str:
    """A text of one line as inline code, whatever backticks it has; an empty one stays empty."""
    text = text.replace("\n", "\\n")
    fence = "`" * (_longest_fence(text) + 1)
    gap = " " if text.startswith("`") or text.endswith("`") or not text.strip() else ""
    return f"{fence}{gap}{text}{gap}{fence}" if text else ""


def model_name(name: str) -> str:
    """A model's name without the folders of its file: "ft:/data/m.gguf:1f" is "ft:m.gguf:1f"."""
    return _FOLDERS.sub("", name)


def verbatim(text: str) -> str:
    """A text of any lines, as it is."""
    fence = "`" * max(3, _longest_fence(text) + 1)
    return f"{fence}text\n{text}\n{fence}"


def _longest_fence(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def prose(text: str) -> str:
    """Somebody's sentence between ours: nothing in it is taken for HTML, a link or emphasis.

    What stands between backticks stays code.
    """
    parts = re.split(r"((?<![`\\])`[^`]+`(?!`))", " ".join(text.split()))
    return "".join(part if place % 2 else _escaped(part) for place, part in enumerate(parts))


def _escaped(text: str) -> str:
    return re.sub(r"([\[\]*\\`])", r"\\\1", text.replace("&", "&amp;").replace("<", "&lt;"))


def details(summary: str, body: str) -> str:
    """Something that opens when it is clicked on."""
    summary = escape(" ".join(summary.split()), quote=False)
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def heading(text: str) -> str:
    """A text of others as a heading: nothing in it is taken for HTML, code or a link."""
    safe = text.replace("\\", "\\\\").replace("&", "&amp;").replace("<", "&lt;")
    safe = re.sub(r"([`*])", r"\\\1", " ".join(safe.split()))
    return safe.replace("](", "]\\(").replace("][", "]\\[")


def anchor(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def slug(title: str) -> str:
    """A title as part of a file's name."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "experiment"


def slugs(titles: Iterable[str]) -> Iterator[str]:
    """A name of its own for each title."""
    return distinct(map(slug, titles))


def distinct(names: Iterable[str]) -> Iterator[str]:
    """Names of files, those that are taken already with a number; case does not tell them apart."""
    taken = set[str]()
    for name in names:
        numbered = (f"{name}-{number}" for number in count(2))
        free = next(one for one in chain([name], numbered) if one.casefold() not in taken)
        taken.add(free.casefold())
        yield free
