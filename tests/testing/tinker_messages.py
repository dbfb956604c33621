"""Batches, samples and losses as Tinker's wire has them: in JSON, and in protobuf."""

import json
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np

from limen.backends.stepwise import Sampled, TrainingRow

PROTOBUF = "application/x-protobuf"


def _messages() -> Any:
    return import_module("tinker.proto.tinker_public_pb2")


def rows_of(given: dict[str, Any]) -> tuple[str, list[TrainingRow]]:
    """The run and the rows of a batch in JSON."""
    rows = []
    for datum in given["forward_backward_input"]["data"]:
        tokens = [t for chunk in datum["model_input"]["chunks"] for t in chunk["tokens"]]
        known = {name: tensor["data"] for name, tensor in datum["loss_fn_inputs"].items()}
        rows.append(_row(tokens, known["target_tokens"], known["weights"]))
    return given["model_id"], rows


def rows_of_message(given: bytes) -> tuple[str, list[TrainingRow]]:
    """The run and the rows of a batch in protobuf."""
    message = _messages().ForwardBackwardRequest()
    message.ParseFromString(given)
    rows = []
    for datum in message.data:
        chunks = [np.frombuffer(c.encoded_text.tokens, dtype=np.int32) for c in datum.model_input]
        inputs = datum.loss_fn_inputs
        targets = np.frombuffer(inputs["target_tokens"].dense, dtype=np.int64).tolist()
        weights = np.frombuffer(inputs["weights"].dense, dtype=np.float32).tolist()
        rows.append(_row(np.concatenate(chunks).tolist(), targets, weights))
    return message.model_id, rows


def _row(tokens: list[int], targets: list[int], weights: list[float]) -> TrainingRow:
    answer = sum(weight != 0 for weight in weights)
    row = TrainingRow(tokens=(*tokens, targets[-1]), answer=answer)
    assert list(row.targets) == targets
    assert list(row.weights) == weights
    return row


def samples_message(
    made: Sequence[Sampled], scored: Sequence[float | None] | None, *, as_message: bool
) -> tuple[str, bytes]:
    """Sampled sequences."""
    if not as_message:
        sequences = [{"tokens": s.tokens, "logprobs": [0.0] * len(s.tokens),
                      "stop_reason": "stop" if s.stopped else "length"} for s in made]  # fmt: skip
        answer = {"sequences": sequences, "prompt_logprobs": scored, "type": "sample"}
        return "application/json", json.dumps(answer).encode()
    messages = _messages()
    message = messages.SampleResponse()
    for each in made:
        sequence = message.sequences.add()
        sequence.tokens = np.asarray(each.tokens, dtype=np.int32).tobytes()
        sequence.stop_reason = (
            messages.STOP_REASON_STOP if each.stopped else messages.STOP_REASON_LENGTH
        )
    if scored is not None:
        values = [np.nan if value is None else value for value in scored]
        message.prompt_logprobs = np.asarray(values, dtype=np.float32).tobytes()
    return PROTOBUF, message.SerializeToString()


def losses_message(rows: Sequence[Sequence[float]], *, as_message: bool) -> tuple[str, bytes]:
    """The log-probability of each target, row by row."""
    if not as_message:
        outputs = [
            {"logprobs": {"data": list(row), "dtype": "float32", "shape": [len(row)]}}
            for row in rows
        ]
        answer = {"loss_fn_output_type": "ArrayRecord", "loss_fn_outputs": outputs, "metrics": {}}
        return "application/json", json.dumps(answer).encode()
    messages = _messages()
    message = messages.ForwardBackwardOutput(loss_fn_output_type="ArrayRecord")
    record = message.loss_fn_outputs.add()
    record.num_datums = len(rows)
    tensor = record.fields["logprobs"]
    tensor.dtype = messages.DTYPE_FLOAT32
    tensor.data = np.asarray([value for row in rows for value in row], dtype=np.float32).tobytes()
    ends = np.cumsum([0, *(4 * len(row) for row in rows)])
    tensor.offsets = ends.astype(np.int64).tobytes()
    return PROTOBUF, message.SerializeToString()
