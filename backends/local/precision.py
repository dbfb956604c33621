"""Frozen weights in bfloat16, cast once."""

from .libraries import CausalLM, library


def cast_frozen(model: CausalLM) -> None:
    """Cast frozen weights of linear layers to bfloat16, as autocast would in every forward pass.

    The results are the same, bit by bit. The embeddings stay as they are: autocast leaves them so.
    """
    torch = library("torch")
    head = model.get_output_embeddings()
    for module in model.modules():
        linear = isinstance(module, torch.nn.Linear) and module is not head
        if linear and not module.weight.requires_grad:
            module.weight.data = module.weight.data.to(torch.bfloat16)
