"""Base models in four bits, by bitsandbytes: QLoRA's NF4 with double quantization.

Dettmers et al. 2023, section 3. The frozen weights of linear layers are kept so, and multiplied in
a wider format; embeddings, adapters and the optimizer's state are as without it. The base is in
four bits wherever it is used: sampled from, scored, trained on, and below each student.
"""

from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec

from ...datasets.errors import BackendError
from .libraries import CausalLM, Untyped, library
from .sources import ModelSource

BYTES = 0.7
"""Bytes a parameter: four bits, the scales of their blocks, and embeddings as they are."""


def check_quantization() -> None:
    """Raise :class:`~limen.BackendError` unless bitsandbytes is installed; imports nothing."""
    if find_spec("bitsandbytes") is None:
        raise BackendError(
            '--limen-quantization nf4 needs bitsandbytes: pip install "limen[quantization]"'
        )


def in_four_bits(source: ModelSource) -> ModelSource:
    """The same files, to be loaded in four bits: another model, with a fingerprint of its own.

    Raises :class:`~limen.BackendError` unless bitsandbytes is installed.
    """
    check_quantization()
    base = None if source.base is None else in_four_bits(source.base)
    mark = f"{source.fingerprint}:nf4"
    return replace(source, quantized=True, fingerprint=mark, base=base)


def as_it_is(source: ModelSource) -> ModelSource:
    """The same files, to be loaded without quantization."""
    return replace(source, quantized=False)


def loading_options(computed_in: Untyped) -> Mapping[str, Untyped]:
    """What ``from_pretrained`` is told, for products in a number format of PyTorch's."""
    settings = library("transformers").BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=computed_in,
    )
    return {"quantization_config": settings}


def prepared(model: CausalLM) -> CausalLM:
    """A model whose adapter is to be trained: norms in float32, nothing else trainable."""
    prepare = library("peft").prepare_model_for_kbit_training
    return prepare(model, use_gradient_checkpointing=False)
