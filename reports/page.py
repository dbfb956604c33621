"""A report as one HTML page, for light and dark screens.

Texts of models, servers and files are in it. HTML in markdown is therefore shown and not obeyed
(but for ``<details>``, which the report itself has), links have a known scheme, and a policy in
the page forbids all scripts but the page's own, and whatever is loaded from elsewhere.
"""

import re
from base64 import b64encode
from hashlib import sha256
from html import escape, unescape
from itertools import pairwise
from typing import TYPE_CHECKING

from .browse import SCRIPT
from .text import anchor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.rules_block import StateBlock
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
h1, h2, h3, p, li, summary { overflow-wrap: anywhere; }
td { min-width: 4rem; overflow-wrap: break-word; }
@media (max-width: 40rem) { body { margin: .5rem auto; padding: 0 .6rem; font-size: 15px; }
  h1 { font-size: 1.5rem; } h2 { font-size: 1.25rem; margin-top: 2rem; }
  table { font-size: .8rem; } th, td { padding: .2rem .4rem; } }
details { margin: .6rem 0; } summary { cursor: pointer; color: var(--soft); }
[hidden] { display: none !important; }
.filter { display: flex; flex-wrap: wrap; gap: .3rem .9rem; align-items: center;
  font-size: .875rem; }
.filter select, .filter input { max-width: 16rem; font: inherit; color: inherit;
  background: var(--page); border: 1px solid var(--soft); border-radius: 4px;
  padding: .1rem .3rem; }
@media print { :root { color-scheme: light; --ink: #000; --soft: #333; --line: #999;
  --shade: #f6f8fa; --link: #000; --page: #fff; }
  .filter { display: none; } body { max-width: none; margin: 0; font-size: 10pt; }
  table { display: table; width: 100%; font-size: 8pt; } tr, img { break-inside: avoid; }
  h2 { break-before: page; } h1, h2, h3 { break-after: avoid; } }
"""


SAFE_LINK = re.compile(r"(https?://|#|data:image/png;base64,|[\w.%-]+(/[\w.%-]+)*(#.*)?$)")
"""Links that a page may have: to the web, within it, its figures, and files beside it."""
SUMMARY = re.compile(r"<details><summary>(.*)</summary>")
END = "</details>"


def page(text: str) -> str:
    """The page of a report's markdown; whatever it shows is in it, or linked to by a whole URL."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.disable("html_block").disable("html_inline")
    parser.block.ruler.before("paragraph", "details", _details, {"alt": ["paragraph"]})
    parser.validateLink = _is_safe_link  # type: ignore[method-assign]  # data: is refused else
    tokens = parser.parse(text)
    title = _give_anchors(tokens)
    body = parser.renderer.render(tokens, parser.options, {})
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy()}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n"
        f"<style>{CSS}</style>\n<script>{SCRIPT}</script>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )


def _policy() -> str:
    """No frames, nothing from elsewhere: only the page's own style, script and figures."""
    return (
        f"default-src 'none'; img-src data:; style-src {_hash(CSS)}; script-src {_hash(SCRIPT)}; "
        f"base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    """What allows one inline style or script in a policy, and no other."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _is_safe_link(url: str) -> bool:
    return SAFE_LINK.match(url) is not None


def _details(state: "StateBlock", start: int, end: int, silent: bool) -> bool:
    """A line that opens or closes a part of the report that is folded; its words are escaped."""
    line = state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]]
    opening = SUMMARY.fullmatch(line)
    if opening is None and line != END:
        return False
    if not silent:
        token = state.push("html_block", "", 0)
        summary = escape(unescape(opening[1]), quote=False) if opening else ""
        token.content = f"<details><summary>{summary}</summary>\n" if opening else f"{END}\n"
        token.map = [start, start + 1]
        state.line = start + 1
    return True


def _give_anchors(tokens: "Sequence[Token]") -> str:
    """Give headings the anchors that they have on GitHub; returns the first heading."""
    first = ""
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            words = "".join(child.content for child in inline.children or ())
            opening.attrSet("id", anchor(words))
            first = first or words
    return first
