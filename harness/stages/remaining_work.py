"""What an unfinished stage still asks of its backend, as far as the store can tell."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from ...backends import WorkRequest
from ...datasets import chat
from ...datasets.chat import Message
from ...datasets.errors import DataError
from ...datasets.store_layout import TRAINING
from .models import FineTune
from .prompts import SAMPLE_SIZE
from .sampling import answers_in_store
from .stage import Stage
from .store import Store


def remaining_work(store: Store, stage: Stage) -> WorkRequest | None:
    """The work of an unfinished stage, without the answers that have arrived.

    A training is known by its file, if that is there.
    """
    work = stage.work()
    if work is None:
        return None
    if isinstance(stage, FineTune):
        known = _rows_to_train_on(store, stage)
        prompts = tuple(tuple(turns[:-1]) for turns in known)
        answers = tuple(turns[-1]["content"] for turns in known)
        return replace(work, prompts=prompts, answers=answers) if known else work
    if not (kept := answers_in_store(store, stage)):
        return work
    of_first_round = work.completions - kept
    left = of_first_round if of_first_round > 0 else max(stage.size() - kept, 0)
    return replace(work, completions=left)


def _rows_to_train_on(store: Store, training: FineTune) -> Sequence[list[Message]]:
    """Some conversations of a training file; none if there is no file yet, or one of pairs."""
    data = training.data
    if not store.has(data.kind, data.key):
        return ()
    try:
        return list(islice(chat.read(store.artifact(data.kind, data.key) / TRAINING), SAMPLE_SIZE))
    except (DataError, OSError):
        return ()
