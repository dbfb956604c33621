"""What makes training faster on a processor changes the results by rounding only."""

from importlib import import_module
from typing import Any

import pytest

from limen.backends.local.libraries import LIBRARIES

for _name in LIBRARIES:
    pytest.importorskip(_name, reason='the extra is not installed: pip install "limen[local]"')
torch: Any = import_module("torch")

from limen.backends.local.completion_loss import sorted_by_length, summed_loss
from limen.backends.local.fused_lora import fused_layers
from limen.backends.local.processor_attention import use_float32_attention

torch.set_num_threads(1)
PRECISIONS = pytest.mark.parametrize(("dtype", "within"), [("float32", 1e-5), ("bfloat16", 2e-2)])


def adapted(*, fused: bool) -> Any:
    """A small Llama with a LoRA adapter that is not zero."""
    transformers, peft = import_module("transformers"), import_module("peft")
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=50, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, attention_bias=True,
    )  # fmt: skip
    lora = peft.LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM")
    if fused:
        lora._register_custom_module(fused_layers())
    model = peft.get_peft_model(transformers.LlamaForCausalLM(config), lora)
    torch.manual_seed(1)
    for name, weights in model.named_parameters():
        if "lora_B" in name:
            weights.data.normal_(0, 0.1)
    return model.train()


def loss_and_gradients(model: Any, dtype: str) -> tuple[float, Any]:
    """The loss of three rows, and the gradients of all weights of the adapter."""
    ids = torch.arange(36).reshape(3, 12)
    with torch.autocast("cpu", torch.bfloat16, enabled=dtype == "bfloat16"):
        loss = model(input_ids=ids, labels=ids).loss
    loss.backward()
    trained = [each.grad.flatten() for each in model.parameters() if each.requires_grad]
    return float(loss.detach()), torch.cat(trained)


@PRECISIONS
def test_fused_layers_give_what_pefts_layers_give(dtype: str, within: float) -> None:
    """Loss and gradients, in float32 and under autocast; the weights have the same names."""
    plain, fused = adapted(fused=False), adapted(fused=True)
    assert set(plain.state_dict()) == set(fused.state_dict())
    loss, gradients = loss_and_gradients(plain, dtype)
    own_loss, own_gradients = loss_and_gradients(fused, dtype)
    assert own_loss == pytest.approx(loss, rel=within)
    assert float((own_gradients - gradients).norm() / gradients.norm()) < within


def test_fused_layers_are_pefts_outside_of_training() -> None:
    """Asked, with its adapter on or off, the model answers as with PEFT's layers, bit by bit."""
    plain, fused = adapted(fused=False).eval(), adapted(fused=True).eval()
    ids = torch.arange(12)[None]
    assert torch.equal(plain(input_ids=ids).logits, fused(input_ids=ids).logits)
    with plain.disable_adapter(), fused.disable_adapter():
        assert torch.equal(plain(input_ids=ids).logits, fused(input_ids=ids).logits)


def test_attention_in_float32_keeps_the_results_of_a_bfloat16_training() -> None:
    """Loss and gradients agree to the accuracy of bfloat16."""
    plain, own = adapted(fused=True), adapted(fused=True)
    use_float32_attention(own.get_base_model())
    loss, gradients = loss_and_gradients(plain, "bfloat16")
    own_loss, own_gradients = loss_and_gradients(own, "bfloat16")
    assert own_loss == pytest.approx(loss, rel=1e-2)
    assert float((own_gradients - gradients).norm() / gradients.norm()) < 2e-2


@PRECISIONS
def test_the_summed_loss_is_the_cross_entropy(dtype: str, within: float) -> None:
    """Its value and its gradient, for more tokens than are computed at a time."""
    logits = torch.randn(75, 40, generator=torch.Generator().manual_seed(0)) * 3
    logits = logits.to(getattr(torch, dtype))
    labels = torch.arange(75) % 40
    results = []
    for reference in (True, False):
        given = logits.clone().requires_grad_()
        if reference:
            loss = torch.nn.functional.cross_entropy(given.float(), labels, reduction="sum")
        else:
            loss = summed_loss(given, labels)
        (loss / 7).backward()
        results.append((float(loss.detach()), given.grad.float()))
    (expected, slopes), (value, own_slopes) = results
    assert value == pytest.approx(expected, rel=1e-5)
    assert float((own_slopes - slopes).norm() / slopes.norm()) < within


def test_rows_of_like_lengths_share_a_part() -> None:
    """Every row is there once, whole, and the parts have the sizes that they had."""
    lengths = [[7, 2], [5, 3], [9]]
    parts = []
    for part in lengths:
        width = max(part)
        mask = torch.arange(width)[None] < torch.tensor(part)[:, None]
        ids = torch.tensor(part)[:, None] * mask
        parts.append({
            "input_ids": ids, "attention_mask": mask.long(), "labels": ids.masked_fill(~mask, -100)
        })  # fmt: skip
    ordered = sorted_by_length(parts)
    assert [part["attention_mask"].sum(dim=1).tolist() for part in ordered] == [[2, 3], [5, 7], [9]]
    assert [part["input_ids"].shape[1] for part in ordered] == [3, 7, 9]
    assert ordered[0]["labels"].tolist() == [[2, 2, -100], [3, 3, 3]]
