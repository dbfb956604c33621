"""A trained model as one folder of safetensors, for programs that take no adapters."""

from pathlib import Path

from .four_bits import as_it_is
from .libraries import Untyped, library
from .loading import load_adapted, load_model, load_tokenizer
from .sources import ModelSource


def write_merged(base: ModelSource, adapter: Path | None, folder: Path) -> None:
    """Write a model, with its adapter multiplied into the weights, and its tokenizer.

    ``base`` has all weights already if ``adapter`` is None. The weights are written as they are
    computed with on this machine: in float32 on a processor, in bfloat16 on a GPU. The base is
    never taken in four bits: what they round off would be lost for good.
    """
    base = as_it_is(base)
    if adapter is None:
        model: Untyped = load_model(base)
    else:
        model = load_adapted(base, adapter).merge_and_unload()
    library("transformers").utils.logging.disable_progress_bar()
    model.save_pretrained(folder)
    load_tokenizer(base.tokenizer or base).save_pretrained(folder)
