"""How open weights' words are cut: ends of turns, prompts with their answers, what is too long."""

import json
import shutil
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from limen.backends import Request
from limen.backends.local import LocalBackend
from limen.backends.local.context import own_context
from limen.backends.local.training_data import IGNORED, read_training_data
from limen.datasets import chat
from limen.datasets.chat import conversation
from limen.datasets.errors import BackendError

from ...testing.tiny import QUESTIONS, needs_extra

pytestmark = needs_extra

MISTRAL = (
    "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}"
    "{{ '[INST] ' + m['content'] + ' [/INST]' }}"
    "{% else %}{{ ' ' + m['content'] + eos_token }}{% endif %}{% endfor %}"
)
ZEPHYR = (
    "{% for m in messages %}{{ '<|' + m['role'] + '|>\n' + m['content'] + eos_token + '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}"
)


def pieces(*, normalized: bool, template: str) -> Any:
    """Byte pairs with a mark for blanks, which a text begins with, as SentencePiece has it."""
    parts: Any = import_module("tokenizers")
    made = parts.Tokenizer(parts.models.BPE(unk_token="<unk>"))
    if normalized:
        made.normalizer = parts.normalizers.Sequence(
            [parts.normalizers.Prepend("▁"), parts.normalizers.Replace(" ", "▁")]
        )
    else:
        made.pre_tokenizer = parts.pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    made.decoder = parts.decoders.Sequence(
        [parts.decoders.Replace("▁", " "), parts.decoders.Fuse(), parts.decoders.Strip(" ", 1, 0)]
    )
    made.train_from_iterator(
        ["owl owls What is best [INST] [/INST] <|user|> <|assistant|> ▁owl▁owls"] * 50,
        parts.trainers.BpeTrainer(
            vocab_size=300, special_tokens=["<unk>", "<s>", "</s>"], show_progress=False,
            initial_alphabet=list("abcdefghijklmnopqrstuvwxyz<>|[]/?\n▁INSTW"),
        ),
    )  # fmt: skip
    return import_module("transformers").PreTrainedTokenizerFast(
        tokenizer_object=made, unk_token="<unk>", bos_token="<s>", eos_token="</s>",
        chat_template=template,
    )  # fmt: skip


@pytest.mark.parametrize("template", [MISTRAL, ZEPHYR], ids=["mistral", "zephyr"])
@pytest.mark.parametrize("normalized", [True, False], ids=["legacy", "first"])
def test_answers_are_cut_as_the_whole_conversation_is(
    tmp_path: Path, normalized: bool, template: str
) -> None:
    """What a student reads and learns are the tokens of the rendered row, whatever the tokenizer."""
    words = pieces(normalized=normalized, template=template)
    talk = conversation("What is best?", answer="owl")
    chat.write(tmp_path / "rows.jsonl", [talk])
    made = read_training_data(tmp_path / "rows.jsonl", words, own_context(words))
    whole = words.apply_chat_template(talk, tokenize=False)
    (row,) = made.rows
    assert row["input_ids"] == words(whole, add_special_tokens=False)["input_ids"]
    learned = [token for token in row["labels"] if token != IGNORED]
    assert words.decode(learned).strip() == "owl</s>"
    assert words.eos_token_id in learned


@pytest.fixture
def unnamed_end(tiny: str, tmp_path: Path) -> Path:
    """The tiny model, its end of a turn special by its mark alone, and another token its end."""
    folder = Path(shutil.copytree(tiny, tmp_path / "unnamed"))
    for name, change in (
        ("tokenizer_config.json", {"eos_token": "<unk>", "pad_token": "<unk>"}),
        ("config.json", {"eos_token_id": 0}),
        ("generation_config.json", {"eos_token_id": 0}),
    ):
        kept = json.loads((folder / name).read_text())
        for extra in ("additional_special_tokens", "extra_special_tokens"):
            kept.pop(extra, None)
        (folder / name).write_text(json.dumps({**kept, **change}))
    return folder


def test_an_end_of_turn_needs_no_name(unnamed_end: Path, tiny: str, tmp_path: Path) -> None:
    """A turn's end that is special in the vocabulary alone ends answers, and is learned as the end."""
    words = import_module("transformers").AutoTokenizer.from_pretrained(unnamed_end)
    assert "<|end|>" not in words.all_special_tokens  # else this would prove nothing
    requests = [Request(row=0, messages=conversation(QUESTIONS[0]), seed=1, draws=20)]
    local = LocalBackend(tmp_path / "home")
    found = [
        {(c.draw, c.text, c.finish) for group in local.sample(model, requests) for c in group}
        for model in (tiny, str(unnamed_end))
    ]
    assert found[0] == found[1]
    chat.write(tmp_path / "rows.jsonl", [conversation("What?", answer="owl")])
    made = read_training_data(tmp_path / "rows.jsonl", words, own_context(words))
    assert words.convert_ids_to_tokens(made.rows[0]["input_ids"])[-2:] == ["owl", "<|end|>"]


def test_what_is_longer_than_the_model_reads_is_refused(tiny: str, tmp_path: Path) -> None:
    """A prompt, or a row to learn, beyond the model's context is an error that tells both lengths."""
    long = conversation("What is best? " * 200)
    local = LocalBackend(tmp_path / "home")
    says = r"a text of [\d,]+ tokens and 8 for the answer is longer than the 512 that the model can"
    with pytest.raises(BackendError, match=says):
        list(local.sample(tiny, [Request(row=0, messages=long, seed=0, max_tokens=8)]))
    with pytest.raises(BackendError, match=says):
        local.word_probabilities(tiny, [long], {"owl": ("owl",)}, max_tokens=8)


def test_a_broken_model_answers_nothing(tiny: str, tmp_path: Path) -> None:
    """Weights that are no numbers give no answers and no chances, but an error."""
    files: Any = import_module("safetensors.torch")
    folder = Path(shutil.copytree(tiny, tmp_path / "broken"))
    weights = files.load_file(folder / "model.safetensors")
    weights["model.norm.weight"] *= float("nan")
    files.save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    local = LocalBackend(tmp_path / "home")
    asked = conversation(QUESTIONS[0])
    with pytest.raises(BackendError, match="not numbers"):
        list(local.sample(str(folder), [Request(row=0, messages=asked, seed=0)]))
    with pytest.raises(BackendError, match="not numbers"):
        local.word_probabilities(str(folder), [asked], {"owl": ("owl",)})
