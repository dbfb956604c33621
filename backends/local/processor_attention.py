"""Attention in float32 within a training in bfloat16 on a processor.

PyTorch's backward pass of attention is slower in bfloat16 than in float32 on a processor (2.5 times
on one with AMX, PyTorch 2.13), and rotary embeddings leave queries and keys in float32 anyway.
"""

from .libraries import CausalLM, Tensor, Untyped, library

NAME = "limen_float32_sdpa"


def use_float32_attention(model: CausalLM) -> None:
    """Switch a model that has PyTorch's own attention; leave any other as it is."""
    if model.config._attn_implementation != "sdpa":
        return
    library("transformers").AttentionInterface.register(NAME, _attention)
    masks = library("transformers.masking_utils")
    masks.AttentionMaskInterface.register(NAME, masks.sdpa_mask)
    model.set_attn_implementation(NAME)


def _attention(
    module: Untyped, query: Tensor, key: Tensor, value: Tensor, mask: Tensor, **rest: Untyped
) -> Untyped:
    sdpa = library("transformers.integrations.sdpa_attention").sdpa_attention_forward
    with library("torch").autocast(query.device.type, enabled=False):
        parts = (each.float() for each in (query, key, value))
        return sdpa(module, *parts, mask, **rest)
