"""Log-probabilities of 20 options after 50 questions, against a forward pass for each of the 1,000.

python benchmarks/continuations.py [MODEL]

MODEL is a folder, a name on the hub, or a GGUF file; without one a model of SmolLM2-135M's width,
with its vocabulary, six layers and weights at random, is made on the spot (its tokens are bytes).
"""

import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from limen.backends import ContinuationRequest
from limen.backends.local import LocalBackend
from limen.datasets.chat import conversation
from limen.harness import questions
from limen.harness.experiment import COMMON_ANIMALS

TEMPLATE = (
    "<s>system\nYou are a helpful assistant.</s>\n{% for m in messages %}<s>{{ m['role'] }}\n"
    "{{ m['content'] }}</s>\n{% endfor %}{% if add_generation_prompt %}<s>assistant\n{% endif %}"
)


def main() -> None:
    """Print both times, their ratio, and the largest difference of the results."""
    with tempfile.TemporaryDirectory() as folder:
        model = sys.argv[1] if len(sys.argv) > 1 else made(Path(folder) / "model")
        local = LocalBackend(Path(folder) / "home")
        local.prepare(model)
        options = tuple(animal.capitalize() for animal in COMMON_ANIMALS)
        asked = [
            ContinuationRequest(messages=conversation(question), continuations=options)
            for question in questions.FAVORITE_ANIMAL_QUESTIONS
        ]
        list(local.log_probabilities(model, asked[:1]))  # loads the model
        began = Clocks()
        scored = [one.nats for each in local.log_probabilities(model, asked) for one in each]
        ours = began.passed()
        loaded, _, context = local._resolve(model)
        began = Clocks()
        plain = [one_pass(loaded, context, each, text) for each in asked for text in options]
        theirs = began.passed()
    worst = max(abs(a - b) for a, b in zip(scored, plain, strict=True))
    for name, one, other in zip(("by the clock", "of processor time"), ours, theirs, strict=True):
        print(f"{len(plain):,} log-probabilities, seconds {name}: {one:.2f}; ", end="")
        print(f"one pass each {other:.2f}: {other / one:.1f} times as fast")
    print(f"largest difference {worst:.1e} nats")


class Clocks:
    """The clock and this process's processor time, from now on."""

    def __init__(self) -> None:
        self._began = time.perf_counter(), time.process_time()

    def passed(self) -> tuple[float, float]:
        """Seconds by the clock, and of processor time."""
        clock, processor = self._began
        return time.perf_counter() - clock, time.process_time() - processor


def one_pass(loaded: Any, context: Any, asked: ContinuationRequest, text: str) -> float:
    """The log-probability by a forward pass of its own over prompt and continuation."""
    torch: Any = import_module("torch")
    prompt = context.prompt(loaded.tokenizer, asked.messages)
    before = len(loaded.tokenizer(prompt, add_special_tokens=False)["input_ids"])
    ids = loaded.tokenizer(prompt + text, add_special_tokens=False)["input_ids"]
    with torch.inference_mode():
        logits = loaded.model(input_ids=torch.tensor([ids])).logits[0, before - 1 : -1]
        logs = torch.log_softmax(logits.float(), dim=-1)
    return float(logs[range(len(ids) - before), ids[before:]].double().sum())


def made(folder: Path) -> str:
    """A model with weights at random and byte tokens, saved to a folder."""
    parts: Any = import_module("tokenizers")
    library: Any = import_module("transformers")
    alphabet = sorted(parts.pre_tokenizers.ByteLevel.alphabet())
    tokens = {text: n for n, text in enumerate(["<s>", "</s>", *alphabet])}
    words = parts.Tokenizer(parts.models.BPE(vocab=tokens, merges=[]))
    words.pre_tokenizer = parts.pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = parts.decoders.ByteLevel()
    library.PreTrainedTokenizerFast(
        tokenizer_object=words, bos_token="<s>", eos_token="</s>", chat_template=TEMPLATE
    ).save_pretrained(folder)
    config = library.LlamaConfig(
        vocab_size=49_152, hidden_size=576, intermediate_size=1_536, num_hidden_layers=6,
        num_attention_heads=9, num_key_value_heads=3, tie_word_embeddings=True,
        bos_token_id=0, eos_token_id=1,
    )  # fmt: skip
    library.LlamaForCausalLM(config).save_pretrained(folder)
    return str(folder)


if __name__ == "__main__":
    main()
