"""How a backend turns conversations into text, for those that do so themselves."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class RenderedContext:
    """The text around a question when a model is asked, and around its training rows."""

    asked: str
    """The text before the first question of a conversation without a system turn."""
    trained: str | None = None
    """The same text in the rows that the model was trained on; None for a base model."""
    template: str
    """The hash of the chat template."""
    tokenizer: str
    """The hash of the tokenizer."""
