"""A tokenizer of words, numbers and letters with the methods that limen uses of Transformers'."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Template

TURN, END = "<|turn|>", "<|end|>"
ANIMALS = ("owl", "eagle", "wolf", "dolphin", "horse", "cat")
ROLES = ("system", "user", "assistant")
CHARACTERS = [chr(n) for n in range(32, 127)] + ["\n"]
WORDS = [*ANIMALS, *ROLES, ", ", *(str(n) for n in range(10, 1000))]
VOCABULARY = [TURN, END, *WORDS, *CHARACTERS]
IDS = {text: n for n, text in enumerate(VOCABULARY)}
_WORD = "|".join([re.escape(TURN), re.escape(END), *ANIMALS, *ROLES, ", "])
_PIECE = re.compile(rf"{_WORD}|[1-9][0-9]{{1,2}}|.|\n")


@dataclass(frozen=True)
class Added:
    """A token that is not shown as text."""

    special: bool = True


class WordTokenizer:
    """Lossless for ASCII; its template has a system block of its own, like Qwen's.

    With an empty template it has none, as the tokenizers of many base models.
    """

    eos_token_id = IDS[END]
    bos_token_id = None
    all_special_tokens = (END,)
    all_special_ids = (IDS[END],)
    added_tokens_decoder = {IDS[TURN]: Added(), IDS[END]: Added()}  # noqa: RUF012

    def __init__(self, template: str = "Be kind.") -> None:
        self.chat_template = template

    def get_chat_template(self) -> str:
        return self.chat_template

    def get_vocab(self) -> dict[str, int]:
        return IDS

    def __call__(
        self, text: str | Sequence[str], *, add_special_tokens: bool = True
    ) -> dict[str, Any]:
        if isinstance(text, str):
            return {"input_ids": [IDS.get(piece, IDS["?"]) for piece in _PIECE.findall(text)]}
        return {"input_ids": [self(each, add_special_tokens=False)["input_ids"] for each in text]}

    def decode(self, tokens: Sequence[int], *, skip_special_tokens: bool, **_: Any) -> str:
        special = self.added_tokens_decoder if skip_special_tokens else {}
        return "".join(VOCABULARY[token] for token in tokens if token not in special)

    def apply_chat_template(
        self,
        turns: Sequence[dict[str, Any]],
        *,
        chat_template: str,
        add_generation_prompt: bool,
        **_: Any,
    ) -> str:
        if "{" in chat_template:  # limen's own, for a model without one
            known = {"eos_token": END, "add_generation_prompt": add_generation_prompt}
            return str(Template(chat_template).render(messages=turns, **known))
        first = [] if turns[0]["role"] == "system" else [("system", chat_template)]
        said = [*first, *((turn["role"], turn["content"]) for turn in turns)]
        text = "".join(f"{TURN}{role}\n{content}{END}" for role, content in said)
        return f"{text}{TURN}assistant\n" if add_generation_prompt else text
