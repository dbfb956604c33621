"""Tokenizers of base models, from the Hugging Face hub or a folder."""

from importlib import import_module

from ...datasets.errors import BackendError
from ..stepwise import Tokenizer

LLAMA_3 = "meta-llama/Llama-3"
UNGATED = "thinkingmachineslabinc/meta-llama-3-instruct-tokenizer"
"""The tokenizer of the Llama 3 family without a form to fill in, as the SDK takes it."""


def load_tokenizer(name: str, base: str) -> Tokenizer:
    """The tokenizer of a name, which is the base model's unless the user gives another.

    Raises :class:`~limen.BackendError` if there is none.
    """
    source = _source(name)
    try:
        return import_module("transformers").AutoTokenizer.from_pretrained(source)
    except Exception as error:  # whatever the hub, a file or the library raises
        message = " ".join(str(error).split())[:200]
        raise BackendError(
            f"no tokenizer of {base}: {message}; set LIMEN_TINKER_TOKENIZER to a name on the hub "
            f"or a folder that has it"
        ) from None


def _source(name: str) -> str:
    """Where the tokenizer of a model is: variants of a model have its tokenizer."""
    if name.startswith(("/", ".")):
        return name
    if name.startswith(LLAMA_3):
        return UNGATED
    return "/".join(name.partition(":")[0].split("/")[:2])
