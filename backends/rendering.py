"""How a backend turns conversations into text, for those that do so themselves."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class RenderedContext:
    """The text around a question when a model is asked, and around its rows. Raises nothing.

    Args:
        asked: The text before the first question of a conversation without a system turn.
        trained: The same text in the rows that the model was trained on. Default: None, a base
            model.
        template: The hash of the chat template.
        tokenizer: The hash of the tokenizer.

    Examples:
        >>> RenderedContext(asked="<|user|>", template="9c1e", tokenizer="77ab")
    """

    asked: str
    trained: str | None = None
    template: str
    tokenizer: str
