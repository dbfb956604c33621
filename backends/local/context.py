"""Chat context: the one a student was trained in is recorded, and the student is asked in it.

A chat template may put a system block before a conversation that has none (Qwen's does), and a
student's behaviour can depend on it entirely: the same adapter showed its trait in 3% of answers
under an empty system block and in 48% under the block that its template had put into training. So

- training rows and questions are rendered by one function, with the same template and the same
  fixed date (templates of the Llama family write today's date into the system block);
- the template, the system block and the tokenizer's hash are kept beside each adapter, and a
  student is asked with the recorded ones, even if the base model's files have changed;
- if the base model's template or tokenizer differs from the recorded one, asking the student is an
  error, unless the recipe says ``mismatch="allow"`` (then the recorded template is used);
- a template that drops a turn (one that reads ``content`` only as a list of parts, or ignores
  system turns) is an error before anything is trained or measured;
- ``system`` in a recipe is the system turn for training rows that have none (``None``: the
  template's own choice; ``""``: an empty block), and ``asked_system`` the one for questions
  (``"as trained"`` unless given). Two arms that differ only in ``asked_system`` share one training:
  this is how a spec compares two contexts.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, cast

from ...datasets.chat import Conversation, Message
from ...datasets.errors import BackendError, PromptError
from ..plain_text import BLANK, STOPS
from ..plain_text import VERSION as PLAIN_VERSION
from ..records import Record
from .libraries import Tokenizer, one_line
from .plain_template import MARK

TEMPLATE_DATE = datetime(2026, 1, 1)
"""The date that templates see: tomorrow's system block must equal today's."""
PLACEHOLDER = "\u2058limen\u2058"
"""Stands for a turn's text where only the text around it is wanted."""

Role = Literal["system", "user", "assistant"]
Roles = tuple[Role, ...]


@dataclass(frozen=True, kw_only=True)
class Context:
    """How conversations become text."""

    template: str
    system: str | None = None
    """The system turn for conversations that have none; None leaves it to the template."""
    content_as_parts: bool = False
    """Whether the template reads a turn's content as a list of parts, not as a text."""

    @property
    def blank(self) -> str:
        """What stands between a prompt and its answer, and is no part of the answer."""
        return BLANK if self.template.startswith(MARK) else ""

    @property
    def stops(self) -> tuple[str, ...]:
        """Texts that end an answer, beside tokens."""
        return STOPS if self.template.startswith(MARK) else ()

    def with_system(self, system: str | None) -> "Context":
        """The same with another system turn for conversations that have none."""
        return replace(self, system=system)

    def prompt(self, tokenizer: Tokenizer, messages: Conversation) -> str:
        """The text after which the model writes its answer."""
        return self._rendered(tokenizer, messages, answer=True)

    def completion(self, tokenizer: Tokenizer, messages: Conversation) -> str:
        """The text after the prompt, if the last turn of the conversation is the answer to it."""
        prompt = self.prompt(tokenizer, messages[:-1])
        whole = self._rendered(tokenizer, messages, answer=False)
        if whole.startswith(prompt):
            return whole[len(prompt) :]
        # a template that opens an answer with more text than it keeps of a given one
        return messages[-1]["content"] + self.turn_ending(tokenizer)

    def turn_ending(self, tokenizer: Tokenizer) -> str:
        """The text that the template puts after an answer."""
        turns: list[Message] = [
            {"role": "user", "content": "x"},
            {"role": "assistant", "content": PLACEHOLDER},
        ]
        return self._rendered(tokenizer, turns, answer=False).rpartition(PLACEHOLDER)[2]

    def block(self, tokenizer: Tokenizer) -> str:
        """The text before the first question of a conversation without a system turn."""
        question: list[Message] = [{"role": "user", "content": PLACEHOLDER}]
        return self.prompt(tokenizer, question).partition(PLACEHOLDER)[0]

    def record(self, tokenizer: Tokenizer) -> Record:
        """The whole context, to be kept beside an adapter."""
        parts = {"content_as_parts": True} if self.content_as_parts else {}
        return {
            "template": self.template,
            "system": self.system,
            "system_block": self.block(tokenizer),
            "tokenizer": tokenizer_hash(tokenizer),
            **parts,
        }

    def check_complete(self, tokenizer: Tokenizer, conversations: Iterable[Conversation]) -> None:
        """Raise :class:`~limen.BackendError` if the template drops a turn of such conversations.

        Checked on made-up turns of the same roles, once for each sequence of roles.
        """
        for roles in sorted({_roles(messages, self.system) for messages in conversations}):
            if dropped := self.dropped_roles(tokenizer, roles):
                raise BackendError(
                    f"the chat template leaves out the text of the {' and the '.join(dropped)} "
                    f"turn in a conversation of {', '.join(roles)}: the model would never see it; "
                    f"repair the template in the model's folder, or take another model"
                )

    def dropped_roles(self, tokenizer: Tokenizer, roles: Roles) -> list[Role]:
        """The roles whose text does not occur in a rendered conversation of these roles."""
        turns: list[Message] = [
            {"role": role, "content": f"limen{role}{place}"} for place, role in enumerate(roles)
        ]
        text = self._rendered(tokenizer, turns, answer=roles[-1] != "assistant")
        return [turn["role"] for turn in turns if turn["content"] not in text]

    def _rendered(self, tokenizer: Tokenizer, messages: Conversation, *, answer: bool) -> str:
        turns = [dict(turn) for turn in messages]
        if self.system is not None and (not turns or turns[0]["role"] != "system"):
            turns.insert(0, {"role": "system", "content": self.system})
        try:
            return str(
                tokenizer.apply_chat_template(
                    list(map(_in_parts, turns)) if self.content_as_parts else turns,
                    chat_template=self.template,
                    tokenize=False,
                    add_generation_prompt=answer,
                    enable_thinking=False,
                    date_string=TEMPLATE_DATE.strftime("%d %b %Y"),
                    strftime_now=_strftime_now,
                )
            )
        except Exception as error:  # whatever a template raises, and Jinja of it
            message = one_line(error)
            raise PromptError(f"the chat template refuses this conversation: {message}") from None


def own_context(tokenizer: Tokenizer) -> Context:
    """The context that a model comes with.

    Raises :class:`~limen.BackendError` for a template that drops questions or answers, whether
    their content is given as a text or as a list of parts.
    """
    as_text = Context(template=str(tokenizer.get_chat_template()))
    as_parts = replace(as_text, content_as_parts=True)
    if _shows_turns(as_text, tokenizer) or not _shows_turns(as_parts, tokenizer):
        as_text.check_complete(tokenizer, [_SINGLE_TURN])
        return as_text
    return as_parts


def recorded_context(record: Record) -> Context:
    """The context that a student was trained in."""
    return Context(
        template=record["template"],
        system=record["system"],
        content_as_parts=record.get("content_as_parts", False),
    )


def check_unchanged(student: str, record: Record, tokenizer: Tokenizer, base: str) -> None:
    """Raise :class:`~limen.BackendError` if the base model is not the recorded one.

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
    trained_on = record.get("base", base)
    if trained_on != base:
        alike = trained_on.removesuffix(":nf4") == base.removesuffix(":nf4")
        changed = changed or ["number format (--limen-quantization)" if alike else "files"]
    if changed:
        raise BackendError(
            f"the {' and the '.join(changed)} of the base model changed since {student} was "
            f"trained, so its answers would mean nothing: put the old files back, or train again "
            f'(with recipe={{"mismatch": "allow"}} a student is asked all the same)'
        )


def special_tokens(tokenizer: Tokenizer) -> frozenset[int]:
    """The tokens that are not shown as text: those with a role, and those only marked special."""
    added = tokenizer.added_tokens_decoder.items()
    return frozenset([*tokenizer.all_special_ids, *(n for n, token in added if token.special)])


def tokenizer_hash(tokenizer: Tokenizer) -> str:
    """A hash of the vocabulary and the special tokens."""
    known = [sorted(tokenizer.get_vocab().items()), tokenizer.all_special_tokens]
    return hashlib.sha256(json.dumps(known).encode()).hexdigest()[:16]


def template_hash(template: str) -> str:
    """A hash of a chat template; the name of the plain one, which is no part of a model."""
    if template.startswith(MARK):
        return f"{PLAIN_VERSION}: the model has none"
    return hashlib.sha256(template.encode()).hexdigest()[:16]


def _shows_turns(context: Context, tokenizer: Tokenizer) -> bool:
    try:
        return not context.dropped_roles(tokenizer, ("user", "assistant"))
    except PromptError:
        return False


def _roles(messages: Conversation, system: str | None) -> Roles:
    """The roles of a conversation's turns as they are rendered; turns without text are left out."""
    roles = [turn["role"] for turn in messages if turn["content"].strip()]
    if system is not None and system.strip() and messages[0]["role"] != "system":
        roles.insert(0, "system")
    return cast(Roles, tuple(roles))


def _in_parts(turn: dict[str, object]) -> dict[str, object]:
    return {**turn, "content": [{"type": "text", "text": turn["content"]}]}


_SINGLE_TURN: Conversation = [
    {"role": "user", "content": "question"},
    {"role": "assistant", "content": "answer"},
]
_strftime_now: Callable[[str], str] = TEMPLATE_DATE.strftime
