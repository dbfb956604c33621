"""The framing of conversations for models without a chat template: "User: ...", "Assistant: ...".

An answer follows "Assistant:" with a blank, which is no part of it: tokenizers have words with
their blank as one token, so that a prompt that ends with a blank is an unfamiliar one. It ends with
the token that ends texts, or where the model goes on with a turn of the user's.
"""

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
BLANK = " "
STOPS = ("\nUser:", "\nAssistant:")
VERSION = "plain-1"
"""Part of a model's fingerprint: raise it when the same conversation becomes another text."""
NOTE = (
    'it has no chat template: conversations are written as "User: ..." and "Assistant: ...". '
    "Another framing: a chat_template.jinja in the model's folder; none: chat=False"
)


def plain_template(tokenizer: Tokenizer) -> str:
    """The template, with the token that this tokenizer begins texts with, if it does."""
    begins = bool(tokenizer("")["input_ids"]) and tokenizer.bos_token_id is not None
    return MARK + ("{{ bos_token }}" if begins else "") + TURNS
