"""The context trap, shut: what a student was trained under is recorded, and used to ask it.

A chat template may put a system block before a conversation that has none (Qwen's does), and what
a student shows can depend on it entirely: the same adapter read 3% under an empty system block and
48% under the block that its template had put into training. So

- training rows and questions are rendered by one function, with the same template and the same
  pinned date (templates of the Llama family write today's date into the system block);
- the template, the system block and the tokenizer's hash are kept beside each adapter, and a
  student is asked with the recorded ones, whatever the base's files say by then;
- where the base's template or tokenizer is no longer the recorded one, asking the student is an
  error, unless the recipe says ``mismatch="allow"`` (then the recorded template is used);
- ``system`` in a recipe is the system turn for training rows that have none (``None``: the
  template's own choice; ``""``: an empty block), and ``asked_system`` the one for questions
  (``"as trained"`` unless given). Two arms that differ in ``asked_system`` alone are one training,
  asked under two contexts: that is how a spec compares them.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ...datasets.chat import Conversation, Message
from ...datasets.errors import BackendError, PromptError
from .extra import one_line

TODAY = datetime(2026, 1, 1)
"""The date that templates are told: a student of yesterday must not see another system block."""
MARK = "\u2058limen\u2058"
"""Stands for a turn's text where only what surrounds it is wanted."""


@dataclass(frozen=True, kw_only=True)
class Context:
    """How conversations become text."""

    template: str
    system: str | None = None
    """The system turn for conversations that have none; None leaves it to the template."""

    def prompt(self, tokenizer: Any, messages: Conversation) -> str:
        """The text that a model goes on from with its answer."""
        return self._rendered(tokenizer, messages, answer=True)

    def completion(self, tokenizer: Any, messages: Conversation) -> str:
        """What follows the prompt if the last turn of a conversation is the answer to it."""
        prompt = self.prompt(tokenizer, messages[:-1])
        whole = self._rendered(tokenizer, messages, answer=False)
        if whole.startswith(prompt):
            return whole[len(prompt) :]
        # a template that adds more for an answer to come than it keeps of one that was given
        return messages[-1]["content"] + self.ending(tokenizer)

    def ending(self, tokenizer: Any) -> str:
        """What the template puts behind an answer."""
        turns: list[Message] = [
            {"role": "user", "content": "x"},
            {"role": "assistant", "content": MARK},
        ]
        return self._rendered(tokenizer, turns, answer=False).rpartition(MARK)[2]

    def block(self, tokenizer: Any) -> str:
        """What stands before the first question of a conversation without a system turn."""
        return self.prompt(tokenizer, [{"role": "user", "content": MARK}]).partition(MARK)[0]

    def record(self, tokenizer: Any) -> dict[str, Any]:
        """All of it, to be kept beside an adapter."""
        return {
            "template": self.template,
            "system": self.system,
            "system_block": self.block(tokenizer),
            "tokenizer": tokenizer_hash(tokenizer),
        }

    def _rendered(self, tokenizer: Any, messages: Conversation, *, answer: bool) -> str:
        turns = [dict(turn) for turn in messages]
        if self.system is not None and (not turns or turns[0]["role"] != "system"):
            turns.insert(0, {"role": "system", "content": self.system})
        try:
            return str(
                tokenizer.apply_chat_template(
                    turns,
                    chat_template=self.template,
                    tokenize=False,
                    add_generation_prompt=answer,
                    enable_thinking=False,
                    date_string=TODAY.strftime("%d %b %Y"),
                    strftime_now=_strftime_now,
                )
            )
        except Exception as error:  # whatever a template raises, and Jinja of it
            says = one_line(error)
            raise PromptError(f"the chat template refuses this conversation: {says}") from None


def own_context(tokenizer: Any) -> Context:
    """The context that a model comes with."""
    return Context(template=str(tokenizer.get_chat_template()))


def recorded(record: dict[str, Any]) -> Context:
    """The context that a student was trained under."""
    return Context(template=record["template"], system=record["system"])


def check_same(student: str, record: dict[str, Any], tokenizer: Any, base: str) -> None:
    """Raise :class:`~limen.BackendError` where the base is not the recorded one.

    ``base`` is the fingerprint of its files: template, tokenizer, weights.
    """
    now = own_context(tokenizer)
    changed = [
        name
        for name, was, now in (
            ("chat template", record["template"], now.template),
            ("tokenizer", record["tokenizer"], tokenizer_hash(tokenizer)),
        )
        if was != now
    ]
    if record.get("base", base) != base:
        changed = changed or ["files"]
    if changed:
        raise BackendError(
            f"the {' and the '.join(changed)} of the base model changed since {student} was "
            f"trained, so its answers would mean nothing: put the old files back, or train again "
            f'(with recipe={{"mismatch": "allow"}} a student is asked all the same)'
        )


def special_tokens(tokenizer: Any) -> frozenset[int]:
    """The tokens that no text is shown of: those with a name, and those only marked so."""
    added = tokenizer.added_tokens_decoder.items()
    return frozenset([*tokenizer.all_special_ids, *(n for n, token in added if token.special)])


def tokenizer_hash(tokenizer: Any) -> str:
    """A hash of the vocabulary and the special tokens."""
    known = [sorted(tokenizer.get_vocab().items()), tokenizer.all_special_tokens]
    return hashlib.sha256(json.dumps(known).encode()).hexdigest()[:16]


_strftime_now: Callable[[str], str] = TODAY.strftime
