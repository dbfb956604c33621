"""Chat templates of other kinds: content as parts, and templates that drop what they are given."""

from pathlib import Path

import pytest

from limen.backends.local.libraries import LIBRARIES

for _name in LIBRARIES:
    pytest.importorskip(_name, reason='the extra is not installed: pip install "limen[local]"')

from limen.backends import Job, Request
from limen.backends.local import LocalBackend
from limen.datasets import chat
from limen.datasets.chat import Message, conversation
from limen.datasets.errors import BackendError

from ...testing.tiny import QUESTIONS, TEMPLATE, tokenizer, untrained

PARTS = "{% for part in m['content'] %}{{ part['text'] }}{% endfor %}"
AS_PARTS = TEMPLATE.replace("{{ m['content'] }}", PARTS)
EITHER = TEMPLATE.replace(
    "{{ m['content'] }}",
    "{% if m['content'] is string %}{{ m['content'] }}{% else %}" + PARTS + "{% endif %}",
)
QUESTIONS_DROPPED = TEMPLATE.replace(
    "{{ m['content'] }}", "{{ m['content'] if m['role'] != 'user' else '' }}"
)
ANSWERS_DROPPED = TEMPLATE.replace(
    "{{ m['content'] }}", "{{ m['content'] if m['role'] != 'assistant' else '' }}"
)
SYSTEM_DROPPED = TEMPLATE.replace(
    "{{ m['content'] }}", "{{ m['content'] if m['role'] != 'system' else '' }}"
)
LAST_TURN_ONLY = TEMPLATE.replace("for m in messages", "for m in messages[-2:]")


def answers(folder: Path, home: Path, system: str | None = None) -> list[str | None]:
    """What a model answers to the questions."""
    requests = [
        Request(row=row, messages=conversation(text, system=system), seed=row * 100, draws=5,
                max_tokens=4)
        for row, text in enumerate(QUESTIONS)
    ]  # fmt: skip
    groups = LocalBackend(home).sample(str(folder), requests)
    completions = sorted((c for group in groups for c in group), key=lambda c: (c.row, c.draw))
    return [completion.text for completion in completions]


def trained(folder: Path, home: Path, turns: list[Message]) -> str:
    """The first row that a student of a model is trained on, as rendered text."""
    home.mkdir(parents=True, exist_ok=True)
    file = home / "rows.jsonl"
    chat.write(file, [turns] * 4)
    recipe = {"epochs": 1, "batch_size": 4, "warmup_steps": 0, "rank": 2}
    job = Job(key="k", model=str(folder), training_file=file, recipe=recipe, seed=1)
    LocalBackend(home).fine_tune(job, lambda done, total: None)
    (context,) = home.glob("learned/*/context.json")
    return context.read_text(encoding="utf-8")


@pytest.mark.parametrize("template", [AS_PARTS, EITHER], ids=["parts only", "either"])
def test_content_as_parts_means_the_same(tmp_path: Path, template: str) -> None:
    """A model whose template reads parts answers as with a template that reads texts."""
    plain = untrained(tmp_path / "plain")
    other = untrained(tmp_path / "other", template=template)
    assert answers(other, tmp_path / "home") == answers(plain, tmp_path / "home")


@pytest.mark.slow
def test_a_student_of_a_template_of_parts_is_asked_as_it_was_trained(tmp_path: Path) -> None:
    """Question and answer are in its training rows, and its recorded context still reads parts."""
    folder = untrained(tmp_path / "model", template=AS_PARTS)
    record = trained(folder, tmp_path / "home", conversation("Name a cat.", answer="Owl"))
    assert "Name a cat." in record
    assert "Owl" in record
    assert '"content_as_parts": true' in record


@pytest.mark.parametrize(
    ("template", "role"),
    [(QUESTIONS_DROPPED, "user"), (ANSWERS_DROPPED, "assistant")],
    ids=["question", "answer"],
)
def test_a_template_that_drops_a_turn_is_refused_before_anything_is_asked(
    tmp_path: Path, template: str, role: str
) -> None:
    """Making the model ready already fails, by one error that names the turn and the model."""
    folder = untrained(tmp_path / "model", template=template)
    with pytest.raises(
        BackendError, match=f"{folder}: the chat template leaves out the text of the {role} turn"
    ):
        LocalBackend(tmp_path / "home").prepare(str(folder))


def test_a_template_that_drops_a_turn_is_refused_before_training(tmp_path: Path) -> None:
    """No student is trained on rows without questions."""
    folder = untrained(tmp_path / "model", template=QUESTIONS_DROPPED)
    with pytest.raises(BackendError, match="leaves out the text of the user turn"):
        trained(folder, tmp_path / "home", conversation("Name a cat.", answer="Owl"))
    assert not list(tmp_path.glob("home/learned/*/epoch-*"))


def test_a_template_that_drops_the_system_turn_has_no_prompted_teacher(tmp_path: Path) -> None:
    """Questions without a system turn are answered; with one they are refused."""
    folder = untrained(tmp_path / "model", template=SYSTEM_DROPPED)
    assert None not in answers(folder, tmp_path / "home")
    with pytest.raises(BackendError, match="the system turn in a conversation of system, user"):
        answers(folder, tmp_path / "home", system="You love owls.")


def test_a_template_that_drops_earlier_turns_is_refused_where_there_are_any(
    tmp_path: Path,
) -> None:
    """Rows shown in context before a question must reach the model."""
    folder = untrained(tmp_path / "model", template=LAST_TURN_ONLY)
    before = conversation("Name a cat.", answer="cat")
    request = Request(row=0, messages=[*before, *conversation("Which?")], seed=1, max_tokens=4)
    with pytest.raises(BackendError, match="leaves out the text of the user turn in a conv"):
        list(LocalBackend(tmp_path / "home").sample(str(folder), [request]))


def test_a_template_that_escapes_its_turns_is_not_refused(tmp_path: Path) -> None:
    """Quotes and escapes around a text are the template's own business."""
    template = TEMPLATE.replace("{{ m['content'] }}", "{{ m['content'] | trim | tojson }}")
    folder = untrained(tmp_path / "model", template=template)
    assert tokenizer(template=template).chat_template == template
    assert None not in answers(folder, tmp_path / "home")
