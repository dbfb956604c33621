"""LoRA on a processor: a linear layer and its adapter as one step of autograd.

PEFT's layer casts, multiplies and adds in steps of their own, each of which reads and writes a
whole activation. On a processor those steps take longer than the products of matrices.
"""

from functools import cache

from .libraries import Tensor, Untyped, library

NAME = "default"
"""The name that PEFT gives to the adapter of a training."""


@cache
def _product() -> Untyped:
    """The autograd function; made when first needed, because PyTorch is imported late."""
    torch = library("torch")

    class LoraProduct(library("torch").autograd.Function):  # type: ignore[misc]
        """``x W' + bias + scaling (x A') B'`` (Hu et al. 2021, equation 3), W and bias frozen.

        ``x`` is (N, inputs), W (outputs, inputs), ``a`` (rank, inputs), ``b`` (outputs, rank).
        All but ``x``, ``a`` and ``b`` has the type of W; gradients have that of what they are of.
        """

        @staticmethod
        def forward(
            ctx: Untyped,
            x: Tensor,
            weight: Tensor,
            bias: Tensor,
            a: Tensor,
            b: Tensor,
            scale: float,
        ) -> Tensor:
            inputs = x.to(weight.dtype)
            low = inputs @ a.to(weight.dtype).T
            out = torch.nn.functional.linear(inputs, weight, bias)
            out.addmm_(low, b.to(weight.dtype).T, alpha=scale)
            ctx.save_for_backward(inputs, low, weight, a, b)
            ctx.scale, ctx.type = scale, x.dtype
            return out

        @staticmethod
        def backward(ctx: Untyped, gradient: Tensor) -> tuple[Tensor | None, ...]:
            inputs, low, weight, a, b = ctx.saved_tensors
            gradient = gradient.to(weight.dtype)
            inner = (gradient @ b.to(weight.dtype)).mul_(ctx.scale)
            of_x = None
            if ctx.needs_input_grad[0]:
                of_x = (gradient @ weight).addmm_(inner, a.to(weight.dtype)).to(ctx.type)
            of_a = (inner.T @ inputs).to(a.dtype)
            of_b = (gradient.T @ low).mul_(ctx.scale).to(b.dtype)
            return of_x, None, None, of_a, of_b, None

    return LoraProduct


def _autocast(tensor: Tensor | None) -> Tensor | None:
    """A frozen tensor in the type that autocast would give it."""
    torch = library("torch")
    if tensor is None or not torch.is_autocast_enabled("cpu"):
        return tensor
    return tensor.detach().to(torch.get_autocast_dtype("cpu"))


def fused_layers() -> dict[Untyped, Untyped]:
    """For PEFT, the layer to put in place of PyTorch's linear layers, by their class."""
    torch = library("torch")

    class FusedLinear(library("peft.tuners.lora.layer").Linear):  # type: ignore[misc]
        """PEFT's layer: its parameters and their names are the same."""

        def forward(self, x: Tensor, *args: Untyped, **kwargs: Untyped) -> Tensor:
            """As PEFT's layer gives it; that one is used outside of training."""
            plain = self.training and not (self.merged or self.disable_adapters or args or kwargs)
            if not plain:
                return super().forward(x, *args, **kwargs)
            weight, bias = _autocast(self.base_layer.weight), _autocast(self.base_layer.bias)
            a, b = self.lora_A[NAME].weight, self.lora_B[NAME].weight
            flat = x.reshape(-1, x.shape[-1])
            with torch.autocast("cpu", enabled=False):
                out = _product().apply(flat, weight, bias, a, b, self.scaling[NAME])
            return out.reshape(*x.shape[:-1], out.shape[-1])

    return {torch.nn.Linear: FusedLinear}
