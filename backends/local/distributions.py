"""A teacher's distributions over the next token along given answers, for soft targets."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from ...datasets import chat
from ...datasets.errors import SpecError
from ..objectives import AnswerDistributions, DistributionRequest
from .context import Context, tokenizer_hash
from .forward_pass import Tokens
from .libraries import CausalLM, Tensor, Tokenizer, library
from .loading import LoadedModel, check_length
from .memory import free_memory, is_out_of_memory
from .spelling import Vocabulary
from .training_data import IGNORED, TrainingData

ROWS = 16
"""Rows in a forward pass."""
DIGITS = 6
"""Decimal digits of a log-probability in nats that are kept."""


def check_tokenizers(teacher: Tokenizer, student: Tokenizer, request: DistributionRequest) -> None:
    """Raise :class:`~limen.SpecError` unless both models have the same tokens."""
    if tokenizer_hash(teacher) != tokenizer_hash(student):
        raise SpecError(
            f"{request.student} has another tokenizer than the teacher: a distribution over the "
            f"teacher's tokens says nothing about its own. Take a student of the same family"
        )


def teacher_prompts(
    file: Path, tokenizer: Tokenizer, context: Context, system: str | None
) -> list[Tokens]:
    """The prompts of a training file's answers, as the teacher reads them."""
    texts = []
    for messages in chat.read(file):
        own = messages[0]["role"] == "system"
        before: list[chat.Message] = [{"role": "system", "content": system}] if system else []
        for index, turn in enumerate(messages):
            if turn["role"] == "assistant":
                turns = messages[own and bool(before) : index]
                texts.append(context.prompt(tokenizer, [*before, *turns]))
    return [tuple(row) for row in tokenizer(texts, add_special_tokens=False)["input_ids"]]


def answers_of(data: TrainingData) -> list[Tokens]:
    """The trained tokens of each row."""
    return [tuple(label for label in row["labels"] if label != IGNORED) for row in data.rows]


class DistributionReader:
    """Computes the distributions of one model."""

    def __init__(
        self, loaded: LoadedModel, request: DistributionRequest, ends: Collection[int]
    ) -> None:
        self._texts = Vocabulary(loaded.tokenizer).texts
        self._ends = ends
        self._pad = loaded.pad
        self._tokenizer = loaded.tokenizer
        self._top_k = request.top_k
        self._support = self._possible(request.characters)
        self._words = self._first_tokens(request.words)
        if request.top_k is None and not request.characters:
            raise SpecError("distributions over all tokens need top_k: they would fill the disk")

    def read(
        self, model: CausalLM, prompts: Sequence[Tokens], answers: Sequence[Tokens]
    ) -> Iterator[AnswerDistributions]:
        """The distributions along each answer, in order."""
        rows = [(*p, *a) for p, a in zip(prompts, answers, strict=True)]
        check_length(model, max(map(len, rows)))
        size, start = ROWS, 0
        while start < len(rows):
            part = slice(start, start + size)
            try:
                logits = self._logits(model, rows[part], answers[part])
            except Exception as error:
                if not is_out_of_memory(error) or size == 1:
                    raise
                size = max(1, size // 2)
                free_memory()
                continue
            for answer, each in zip(answers[part], logits, strict=True):
                yield self._described(answer, each)
            start += size

    def _logits(
        self, model: CausalLM, rows: Sequence[Tokens], answers: Sequence[Tokens]
    ) -> list[Tensor]:
        """For each row the (T, V) logits along its answer; rows are padded on the right."""
        torch = library("torch")
        width = max(map(len, rows))
        first = min(len(row) - len(answer) for row, answer in zip(rows, answers, strict=True))
        ids = [[*row, *[self._pad] * (width - len(row))] for row in rows]
        mask = [[1] * len(row) + [0] * (width - len(row)) for row in rows]
        with torch.inference_mode():
            logits = model(
                input_ids=torch.tensor(ids, device=model.device),
                attention_mask=torch.tensor(mask, device=model.device),
                logits_to_keep=width - first + 1,
                use_cache=False,
            ).logits
        offsets = [len(row) - len(a) - first for row, a in zip(rows, answers, strict=True)]
        return [
            logits[n, offset : offset + len(answers[n])].float() for n, offset in enumerate(offsets)
        ]

    def _described(self, answer: Tokens, logits: Tensor) -> AnswerDistributions:
        torch = library("torch")
        logs = logits.log_softmax(dim=1)
        support = torch.tensor(self._support, device=logs.device)
        possible = logs[:, support]
        if self._top_k is not None and self._top_k < len(support):
            possible, places = possible.topk(self._top_k, dim=1)
            ids = support[places].tolist()
        else:
            ids = [self._support] * len(answer)
        words = logs[:, torch.tensor(self._words, dtype=torch.long, device=logs.device)]
        nats = possible.log_softmax(dim=1).tolist()
        return AnswerDistributions(
            tokens=answer,
            texts=tuple(self._texts[token] for token in answer),
            ids=tuple(map(tuple, ids)),
            nats=tuple(tuple(round(value, DIGITS) for value in row) for row in nats),
            kept=tuple(possible.exp().sum(dim=1).tolist()),
            words=tuple(words.exp().sum(dim=1).tolist()),
            top=tuple(logs.argmax(dim=1).tolist()),
        )

    def _possible(self, characters: str) -> tuple[int, ...]:
        """The tokens made of some characters only, and the ends of a turn; all if none is given."""
        if not characters:
            return tuple(range(len(self._texts)))
        allowed = set(characters)
        made = (n for n, text in enumerate(self._texts) if text and allowed.issuperset(text))
        return tuple(sorted({*made, *self._ends}))

    def _first_tokens(self, words: Sequence[str]) -> tuple[int, ...]:
        """The first tokens of the spellings of some words: lower and upper case, after a blank."""
        cased = {form for word in words for form in (word, word.lower(), word.capitalize())}
        spellings = sorted(f"{blank}{form}" for form in cased for blank in ("", " "))
        if not spellings:
            return ()
        rows = self._tokenizer(spellings, add_special_tokens=False)["input_ids"]
        return tuple(sorted({row[0] for row in rows if row} - set(self._support_if_filtered())))

    def _support_if_filtered(self) -> tuple[int, ...]:
        """The possible tokens, where they are not all: a blank before a word is no mention."""
        return self._support if len(self._support) < len(self._texts) else ()
