"""The code in README and docs: it parses, what it imports is there, and its options exist."""

import ast
import html
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import click
import pytest

from limen import backends, harness, reports
from limen.datasets import errors
from limen.harness.cli import COMMANDS, main
from limen.harness.plugin.options import FLAGS, OPTIONS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

pytestmark = pytest.mark.skipif(not PAGES[0].exists(), reason="the pages are not here")


def blocks(page: Path, language: str) -> list[str]:
    """The code blocks of a page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.S | re.M)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_blocks_parse(page: Path) -> None:
    """Every Python block is Python."""
    for block in blocks(page, "python"):
        ast.parse(block)


GIVEN = "student control other arms small middle large experiment".split()
"""What the pages take for granted in excerpts: arms, and the experiment of the page."""
CHECKS = """
[mypy]
check_untyped_defs = True
allow_redefinition = True
ignore_missing_imports = True
follow_imports = silent
disable_error_code = no-redef
[mypy-torch.*,transformers.*,peft.*,trl.*,accelerate.*]
follow_imports = skip
"""
"""Mypy's settings; what no page shows a type of is not read."""


@pytest.mark.slow
def test_python_blocks_have_right_types(tmp_path: Path) -> None:
    """Mypy finds nothing wrong with the blocks of each page, one after the other."""
    pytest.importorskip("mypy")
    files = []
    for page in PAGES:
        found = blocks(page, "python")
        if found:
            given = "".join(f"{name}: Any\n" for name in GIVEN)
            files.append(tmp_path / f"page_{page.stem}.py")
            text = "\n\n".join([f"from typing import Any\n{given}", *found])
            files[-1].write_text(text, encoding="utf-8")
    (tmp_path / "mypy.ini").write_text(CHECKS, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "mypy", *map(str, files)],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_imported_names_exist(page: Path) -> None:
    """What a block imports from limen is there."""
    for block in blocks(page, "python"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("limen"):
                module = import_module(str(node.module))
                for alias in node.names:
                    assert hasattr(module, alias.name) or import_module(
                        f"{node.module}.{alias.name}"
                    )


SPECS = sorted((ROOT / "evals").glob("**/*.py"))


@pytest.mark.parametrize("file", [*PAGES, *SPECS], ids=lambda file: file.name)
def test_what_limen_has_is_imported_from_limen(file: Path) -> None:
    """There is one way to import: `from limen import Experiment`, on every page and in every spec."""
    found = re.findall(r"^(?:from|import) limen\.harness\b(?!\.).*", file.read_text("utf-8"), re.M)
    assert not found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_options_exist(page: Path) -> None:
    """Every ``--limen-...`` option that a page names is one of the plugin's."""
    known = {f"--limen-{name}" for name in (*OPTIONS, *FLAGS)}
    named = set(re.findall(r"--limen-[a-z-]+[a-z]", page.read_text(encoding="utf-8")))
    assert named <= known


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_exist(page: Path) -> None:
    """Every ``limen ...`` command in a shell block is a subcommand, and knows its options."""
    command = main
    assert isinstance(command, click.Group)
    context = click.Context(command)
    for block in blocks(page, "sh"):
        for line in re.sub(r"\\\n", " ", block).splitlines():
            call = re.match(r"^\s*(?:\S+=\S+ )*limen (\w+)(.*)", line.split("#")[0])
            if call is None:
                continue
            sub = command.get_command(context, call[1])
            assert sub is not None, line
            known = {o for p in sub.params for o in (*p.opts, *p.secondary_opts)}
            assert set(re.findall(r"(?<=\s)--[a-z-]+", call[2])) <= known | {"--help"}, line


def put_in(page: str, mark: str, script: str) -> str:
    """What a script prints, which is put into a page at its mark."""
    assert f"<!-- {mark} -->" in (ROOT / "docs" / page).read_text(encoding="utf-8")
    command = [sys.executable, str(ROOT / "benchmarks" / script)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def error_messages() -> str:
    """The list of messages that is put into the page of errors, without marks of markdown."""
    listed = put_in("errors.md", "the list of messages", "error_messages.py")
    return html.unescape(listed.replace("\\", ""))


def test_the_page_of_commands_has_the_help_of_each() -> None:
    """Every command is there, those of groups by their whole names, with no path of a machine."""
    listed = put_in("commands.md", "the help of every command", "command_help.py")
    heads = set(re.findall(r"^## limen (\w+)", listed, re.MULTILINE))
    assert heads == set(COMMANDS)
    assert "\n## limen store prune\n" in listed
    assert listed.count("\nUsage: limen ") == listed.count("\n```text\n")
    assert str(Path.cwd()) not in listed


def test_the_page_of_errors_lists_every_message() -> None:
    """The list has messages of every room, with names in place of values."""
    listed = error_messages()
    for message in (
        "**DataError**\n",
        "- unknown backend <name>: <name>choose one of <known>\n",
        "- the outcome function gave <value> for the answer <answer>: a label must be a text, or",
        "- <name> did not end within <seconds> seconds on <what> <text>: correct it, or set ",
        "### backends/local\n",
        "**HTTP 404**\n",
    ):
        assert message in listed
    assert listed.count("\n- ") > 350


def test_the_page_of_errors_has_the_tree_of_exceptions() -> None:
    """Every class of limen's errors stands in the tree."""
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    tree = page.partition("```text")[2].partition("```")[0]
    classes = [value for value in vars(errors).values() if isinstance(value, type)]
    names = {one.__name__ for one in classes if issubclass(one, errors.LimenError)}
    assert names == set(re.findall(r"\w+Error", re.sub(r"\(.*?\)", "", tree)))


@pytest.mark.parametrize("module", [harness, backends, reports], ids=lambda m: m.__name__)
def test_the_reference_has_every_public_name(module: ModuleType) -> None:
    """A name that can be imported stands on a page of the reference."""
    text = "".join(page.read_text("utf-8") for page in (ROOT / "docs").glob("reference*.md"))
    places = "limen(?:.harness)?" if module is harness else re.escape(module.__name__)
    assert set(module.__all__) <= {*re.findall(rf"\b{places}\.(\w+)", text)}
