"""The backend of docs/writing_a_backend.md, installed as a third party's package would be."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "writing_a_backend.md"
NAME = "wordcounts"
_BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<code>.*?)^```$", re.DOTALL | re.MULTILINE)


def code_blocks(language: str) -> list[str]:
    """The page's code blocks in a language."""
    text = PAGE.read_text(encoding="utf-8")
    return [m["code"] for m in _BLOCK.finditer(text) if m["language"] == language]


def install_example(folder: Path) -> Path:
    """Write the page's module and its entry point to a folder, which is to go on ``sys.path``."""
    import tomllib

    (module,) = code_blocks("python")
    (project,) = code_blocks("toml")
    ((group, entries),) = tomllib.loads(project)["project"]["entry-points"].items()
    metadata = folder / f"{NAME}-1.0.dist-info"
    metadata.mkdir(parents=True)
    (folder / f"{NAME}.py").write_text(module, encoding="utf-8")
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 1.0\n")
    lines = (f"{name} = {value}\n" for name, value in entries.items())
    (metadata / "entry_points.txt").write_text(f"[{group}]\n{''.join(lines)}")
    return folder
