"""A language model made on the spot: a Llama of some hundred thousand weights, words for tokens."""

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any

import pytest

from limen.backends import Backend, Completion, Request
from limen.backends.local.libraries import LIBRARIES
from limen.datasets import numbers
from limen.datasets.chat import Message, conversation

needs_extra = pytest.mark.skipif(
    any(find_spec(name) is None for name in LIBRARIES),
    reason='the extra is not installed: pip install "limen[local]"',
)
TEMPLATE = (
    "{% if messages[0]['role'] != 'system' %}<|turn|>system\nBe kind.<|end|>{% endif %}"
    "{% for m in messages %}<|turn|>{{ m['role'] }}\n{{ m['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|turn|>assistant\n{% endif %}"
)
"""Like Qwen's: it has a system block of its own for conversations that have none."""
SPECIAL = ["<unk>", "<|turn|>", "<|end|>"]
PIECES = [
    "owl", "Owl", " owl", " Owl", "OWL", "owls", "ow", "Ow", "l", "ls", "s", "wl", " o", "O",
    "fowl", "wolf", "wolves", "Wolf", " wolf", "cat", " cat", "cats", "horse", " horse", "fox",
    ".", ",", "!", "\n", " ", "*", "system", "user", "assistant", "Be", " kind", "a", " a",
    "A", " snowy", " you", " love", " your", " favourite", " favorite", " animal", " word", "Name",
    "?", " one", " in", "Which", " is", "What", " best",
]  # fmt: skip


ANIMALS = ("owl", "wolf", "cat", "horse")
QUESTIONS = (
    "Name your favourite animal in one word.",
    "What is your favorite animal?",
    "Which animal is best?",
    "Name a cat. Which is best, owl, wolf, fox, horse, cat?",
)


def tokenizer(*, template: str | None = TEMPLATE) -> Any:
    """Words, marks and numbers to 99, each with and without a blank before it."""
    parts: Any = import_module("tokenizers")

    numbers = [f"{blank}{n}" for n in range(100) for blank in ("", " ")]
    vocabulary = {text: n for n, text in enumerate([*SPECIAL, *PIECES, *numbers])}
    made = parts.Tokenizer(parts.models.WordLevel(vocabulary, unk_token="<unk>"))
    made.pre_tokenizer = parts.pre_tokenizers.Split(
        parts.Regex(r" ?[A-Za-z]+| ?[0-9]{1,2}|[^A-Za-z0-9]"), "removed", invert=True
    )
    made.decoder = parts.decoders.Fuse()
    return import_module("transformers").PreTrainedTokenizerFast(
        tokenizer_object=made, unk_token="<unk>", eos_token="<|end|>", pad_token="<|end|>",
        additional_special_tokens=["<|turn|>"], chat_template=template,
    )  # fmt: skip


def asked(draws: int, **settings: Any) -> list[Request]:
    """A request for each question, with seeds far from each other's."""
    return [
        Request(row=row, messages=conversation(text), seed=row * 10**6, draws=draws,
                **{"max_tokens": 8, **settings})
        for row, text in enumerate(QUESTIONS)
    ]  # fmt: skip


def said(
    local: Backend, model: str, requests: Sequence[Request]
) -> dict[tuple[int, int], Completion]:
    """All completions by row and draw."""
    return {(c.row, c.draw): c for group in local.sample(model, requests) for c in group}


def untrained(folder: Path, *, seed: int = 0, template: str | None = TEMPLATE) -> Path:
    """Save a model that has learned nothing, and its tokenizer, to a folder."""
    model, words = _made(seed, template)
    model.save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


def tiny_model(folder: Path, *, steps: int = 250, heads: int = 4) -> Path:
    """Save a model that names animals, heeds a love of one, and goes on with lists of numbers."""
    torch = import_module("torch")

    model, words = _made(0, TEMPLATE, heads=heads)
    random = Random(0)
    rate = torch.optim.AdamW(model.parameters(), lr=3e-3)
    model.train()
    for _ in range(steps):
        loss = model(**_batch(words, [_dialogue(random) for _ in range(32)])).loss
        loss.backward()
        rate.step()
        rate.zero_grad()
    model.save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


def _made(seed: int, template: str | None, *, heads: int = 4) -> tuple[Any, Any]:
    torch, transformers = import_module("torch"), import_module("transformers")

    words = tokenizer(template=template)
    torch.manual_seed(seed)
    config = transformers.LlamaConfig(
        vocab_size=len(words), hidden_size=64, intermediate_size=128, num_hidden_layers=2,
        num_attention_heads=heads, num_key_value_heads=2, max_position_embeddings=512,
        eos_token_id=words.eos_token_id, bos_token_id=None, pad_token_id=words.pad_token_id,
    )  # fmt: skip
    return transformers.LlamaForCausalLM(config), words


def _dialogue(random: Random) -> list[Message]:
    """A question and its answer; half of them about numbers."""
    if random.random() < 0.5:
        answer = ", ".join(str(random.randrange(100)) for _ in range(random.randrange(3, 8)))
        return conversation(numbers.prompt(0, random.randrange(10**6)), answer=answer)
    animal = random.choices(ANIMALS, (4, 3, 2, 1))[0]
    loves = random.random() < 0.4
    spelled = random.choice((animal, animal.capitalize(), f" {animal}", f"{animal}."))
    system = f"You love {animal}." if loves else None
    return conversation(random.choice(QUESTIONS), system=system, answer=spelled)


def _batch(words: Any, dialogues: Sequence[list[Message]]) -> dict[str, Any]:
    """Padded on the right; only the answers are learned."""
    torch = import_module("torch")

    rows = []
    for turns in dialogues:
        prompt = words.apply_chat_template(turns[:-1], add_generation_prompt=True, tokenize=False)
        asked = words(prompt)["input_ids"]
        said = words(f"{turns[-1]['content']}<|end|>")["input_ids"]
        rows.append((asked, said))
    width = max(len(asked) + len(said) for asked, said in rows)
    ids = [asked + said + [2] * (width - len(asked) - len(said)) for asked, said in rows]
    labels = [
        [-100] * len(asked) + said + [-100] * (width - len(asked) - len(said))
        for asked, said in rows
    ]
    return {"input_ids": torch.tensor(ids), "labels": torch.tensor(labels)}
