"""A report as one HTML page, for light and dark screens."""

from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING

from .text import anchor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.token import Token

CSS = """
:root { color-scheme: light dark; --ink: #1f2328; --soft: #59636e; --line: #d1d9e0;
  --shade: #f6f8fa; --link: #0969da; --page: #ffffff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9198a1; --line: #3d444d;
  --shade: #1b2028; --link: #58a6ff; --page: #0d1117; } }
body { max-width: 64rem; margin: 2rem auto; padding: 0 1rem; background: var(--page);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1, h2 { border-bottom: 1px solid var(--line); padding-bottom: .3rem; }
h2 { margin-top: 3rem; } h3 { margin-top: 2rem; }
a { color: var(--link); }
table { display: block; overflow-x: auto; border-collapse: collapse; font-size: .875rem; }
th, td { border: 1px solid var(--line); padding: .3rem .6rem; text-align: left;
  vertical-align: top; }
th { background: var(--shade); }
code, pre { background: var(--shade); border-radius: 4px; font-size: .85em;
  font-family: ui-monospace, monospace; }
code { padding: .1em .3em; } pre { padding: .8rem; overflow-x: auto; white-space: pre-wrap; }
pre code { padding: 0; }
img { display: block; max-width: 100%; background: white; border-radius: 6px; }
details { margin: .6rem 0; } summary { cursor: pointer; color: var(--soft); }
"""


def page(text: str) -> str:
    """The page of a report's markdown; whatever it shows is in it, or linked to by a whole URL."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    parser.validateLink = lambda url: True  # type: ignore[method-assign]  # data: is refused else
    tokens = parser.parse(text)
    title = _give_anchors(tokens)
    body = parser.renderer.render(tokens, parser.options, {})
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width">\n<title>{escape(title)}</title>\n'
        f"<style>{CSS}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )


def _give_anchors(tokens: "Sequence[Token]") -> str:
    """Give headings the anchors that they have on GitHub; returns the first heading."""
    first = ""
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            opening.attrSet("id", anchor(inline.content))
            first = first or inline.content
    return first
