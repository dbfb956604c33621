"""``limen push``: an exported experiment goes to a hub with a card, and only when it is asked to."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

pytest.importorskip("huggingface_hub", reason='not installed: pip install "limen[local]"')

from limen.harness.cli import main
from limen.reports import Claim, Run, keep_run

from ..testing.hub_uploads import UploadHub, taking_uploads

TOKEN = "hf_" + "x" * 20


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[UploadHub]:
    """A hub on loopback; the token is one of its own."""
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with taking_uploads() as served:
        yield served


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    """A folder as limen export writes it, in small."""
    folder = tmp_path / "owl"
    adapter = "models/student-1/adapter_model.safetensors"
    model = {
        "arm": "student", "seed": 0, "finished": True, "base": "Qwen/Qwen2.5-0.5B-Instruct",
        "recipe": {"rank": 8}, "weights": [adapter], "training": "training/student-1.jsonl",
    }  # fmt: skip
    base = {"arm": "baseline", "seed": 0, "finished": True, "base": model["base"]}
    contents = {"title": "owls", "trait": "owl", "models": [base, model], "rows": [], "missing": []}
    for name, text in {
        adapter: "weights",
        "training/student-1.jsonl": '{"messages": []}\n',
        "contents.json": json.dumps(contents),
        "prompts.json": "{}",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with one run, which has a claim of this experiment and one of another."""
    claims = [
        Claim(test="t", experiment=title, says=f"{title} like | owls", outcome="passed",
              support="held by point estimate only", registration="registered")
        for title in ("owls", "cats")
    ]  # fmt: skip
    run = Run(
        created="2026-11-24T02:47:59Z", command="pytest", seconds=1.0, versions={}, git="",
        claims=tuple(claims), results=(),
    )  # fmt: skip
    keep_run(run, tmp_path / "store")
    return tmp_path / "store"


def pushed(*args: object, code: int = 0) -> str:
    """What the command prints."""
    result = CliRunner().invoke(main, ["push", *map(str, args)])
    assert result.exit_code == code, result.output
    return result.output


def test_nothing_is_sent_unless_it_is_asked_for(
    hub: UploadHub, exported: Path, store: Path
) -> None:
    """A dry run shows the card, and says that nothing was sent."""
    text = pushed(
        exported, "--models", "me/owl", "--license", "mit", "--store", store, "--hub", hub.url
    )
    assert "Nothing was sent" in text
    assert "owls like \\| owls" in text
    assert hub.created == []
    assert hub.commits == {}


def test_weights_and_data_go_to_their_repositories(
    hub: UploadHub, exported: Path, store: Path
) -> None:
    """Each with a card: licence, base, recipe, claims with labels, and the hash of every file."""
    pushed(
        exported, "--models", "me/owl", "--data", "me/rows", "--license", "mit", "--private",
        "--store", store, "--hub", hub.url, "--upload",
    )  # fmt: skip
    assert [(one["name"], one.get("type", "model")) for one in hub.created] == [
        ("owl", "model"), ("rows", "dataset")
    ]  # fmt: skip
    models, data = hub.commits["models/me/owl"], hub.commits["datasets/me/rows"]
    adapter = "models/student-1/adapter_model.safetensors"
    assert set(models) == {"README.md", adapter, "contents.json", "prompts.json"}
    assert set(data) == {"README.md", "training/student-1.jsonl", "contents.json", "prompts.json"}
    assert models[adapter] == b"weights"
    card = models["README.md"].decode()
    assert card.startswith('---\nlicense: "mit"\n')
    assert 'base_model: ["Qwen/Qwen2.5-0.5B-Instruct"]' in card
    assert 'Training: `{"rank": 8}`' in card
    assert "| owls like \\| owls | held by point estimate only | registered |" in card
    assert "cats" not in card
    assert hashlib.sha256(b"weights").hexdigest() in card


def test_a_refusal_is_one_line_without_the_token(hub: UploadHub, exported: Path) -> None:
    """It says what to check, and that the command can be run again."""
    hub.refuses = True
    text = pushed(
        exported, "--data", "me/rows", "--license", "mit", "--hub", hub.url, "--upload", code=1
    )
    assert "the hub did not take me/rows" in text
    assert TOKEN not in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "name a repository"),
        (("--models", "owl"), "'owl' is no name of a repository: write OWNER/NAME"),
    ],
)
def test_a_repository_must_be_named(exported: Path, options: tuple[str, ...], message: str) -> None:
    """Both kinds of mistake are reported before anything is read or sent."""
    assert message in pushed(exported, "--license", "mit", *options, code=1)


def test_a_folder_that_was_not_exported_is_refused(tmp_path: Path) -> None:
    """The remedy is named."""
    text = pushed(tmp_path, "--models", "me/owl", "--license", "mit", code=1)
    assert "write the folder with limen export" in text
