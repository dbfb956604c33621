"""When an answer without a text is none at all."""

REASONING_ONLY = "no content: reasoning only (raise max_tokens, or have the server not reason)"


def why_empty(text: str | None, *, called_tool: bool, reasoned: bool) -> str | None:
    """Why an answer without a text is none; None for an empty text that is an answer."""
    if called_tool:
        return "no content: the model called a tool"
    if reasoned:
        return REASONING_ONLY
    return "no content" if text is None else None
