"""The framing of :mod:`..plain_text` as a chat template, for models that have none."""

from .libraries import Tokenizer

MARK = "{# a plain template, since the model has none #}"
TURNS = (
    "{% for m in messages %}"
    "{% if m['role'] == 'system' %}{{ m['content'] }}\n\n"
    "{% elif m['role'] == 'user' %}User: {{ m['content'] }}\n"
    "{% else %}Assistant: {{ m['content'] }}{{ eos_token }}\n{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)
NOTE = (
    'it has no chat template: conversations are written as "User: ..." and "Assistant: ...". '
    "Another framing: a chat_template.jinja in the model's folder; none: chat=False"
)


def plain_template(tokenizer: Tokenizer) -> str:
    """The template, with the token that this tokenizer begins texts with, if it does."""
    begins = bool(tokenizer("")["input_ids"]) and tokenizer.bos_token_id is not None
    return MARK + ("{{ bos_token }}" if begins else "") + TURNS
