"""Small pieces of HTML that notebooks show for a value; every text in them is escaped."""

from collections.abc import Iterable
from html import escape

from .visible import visible


def lines_as_html(lines: Iterable[str]) -> str:
    """The first line as a title, the others below it."""
    title, *rest = (escape(visible(line.strip())) for line in lines)
    items = "".join(f"<li>{line}</li>" for line in rest)
    return f"<div><b>{title}</b>{f'<ul>{items}</ul>' if items else ''}</div>"


def table_as_html(title: str, rows: Iterable[tuple[str, object]]) -> str:
    """A table of names and values under a title."""
    body = "".join(
        f"<tr><th style='text-align:left'>{escape(visible(name))}</th>"
        f"<td style='text-align:left'>{escape(visible(str(value)))}</td></tr>"
        for name, value in rows
    )
    return f"<div><b>{escape(visible(title))}</b><table>{body}</table></div>"
