"""Pieces of GitHub-flavoured markdown."""

import json
import re
from collections.abc import Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; cells keep their text as it is. Columns that are empty throughout are left out."""
    from tabulate import tabulate

    full = [place for place in range(len(head)) if any(row[place] for row in rows)]
    escaped = [[row[place].replace("|", "\\|") for place in full] for row in rows]
    shown = [head[place] for place in full]
    return tabulate(escaped, headers=shown, tablefmt="github", disable_numparse=True)


def inline(text: str) -> str:
    """A completion as inline code on one line, long ones cut."""
    shown = json.dumps(text, ensure_ascii=False)[1:-1]
    shown = shown if len(shown) <= 300 else shown[:300] + "…"
    fence = "``" if "`" in shown else "`"
    return f"{fence}{shown}{fence}" if shown else "(empty)"


def slug(title: str) -> str:
    """A title as part of a file's name."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "experiment"
