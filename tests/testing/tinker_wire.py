"""Tinker's wire on loopback over the scripted service, for the SDK in whichever version there is.

Old versions of the SDK send and read JSON alone; newer ones send batches and read results in
protobuf, of which the messages are taken from the SDK itself.
"""

import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from limen import UnknownModelError
from limen.backends.stepwise import AdamSettings, RequestRefusedError, Sampling, TrainingRow

from .stepwise import MODEL, Server, Weights
from .tinker_messages import PROTOBUF, losses_message, rows_of, rows_of_message, samples_message

Json = dict[str, Any]
KEY = "tml-a-key-that-must-not-be-seen"


class FaultError(Exception):
    """An answer with a status of its own; without one the connection is broken off."""

    def __init__(self, status: int | None, detail: str = "scripted") -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


class BrokenAnswerError(Exception):
    """An answer with status 200 whose JSON ends in the middle."""


class FailedFutureError(Exception):
    """A request that is taken up, and fails."""


class EndlessFutureError(Exception):
    """A request that is taken up, and never ends."""


Script = Callable[[str, int], None]
"""Called with a path and how often it was asked before; raises a fault where one is wanted."""


@dataclass
class Run:
    """A training in the server's memory."""

    weights: Weights
    batch: list[TrainingRow] = field(default_factory=list)


@dataclass
class Wire:
    """The service's routes. ``brain`` outlives clients, and restarts of this server."""

    brain: Server
    script: Script = lambda path, number: None
    answered: Script = lambda path, number: None
    """Called once a request is done, before its answer is sent."""
    repeats: bool = False
    """Whether each answer has its draws twice."""
    deduplicates: bool = False
    """Whether an optimizer step that comes again with its sequence number is done once."""
    numbered: dict[tuple[str, int], Json] = field(default_factory=dict)
    url: str = ""
    runs: dict[str, Run] = field(default_factory=dict)
    samplers: dict[str, Json] = field(default_factory=dict)
    computing: dict[str, tuple[str, list[TrainingRow]]] = field(default_factory=dict)
    """Batches whose gradient is there once its result is asked for; a step without one does
    nothing, as at SkyRL."""
    results: dict[str, Any] = field(default_factory=dict)
    finished: list[str] = field(default_factory=list)
    """Sessions that clients ended, and trainings that they had unloaded."""
    asked: Counter[str] = field(default_factory=Counter)
    losses_lack: int = 0
    """Log-probabilities that each row of a batch lacks at its end."""
    keys: set[str] = field(default_factory=set)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def answer(self, method: str, path: str, body: bytes, headers: Any) -> tuple[str, bytes]:
        """The type and content of an answer."""
        number = self.asked[path]
        self.asked[path] += 1
        self.keys.add(headers.get("x-api-key", ""))
        is_message = PROTOBUF in headers.get("content-type", "")
        given: Any = body if is_message else json.loads(body or b"{}")
        with self.lock:
            try:
                self.script(path, number)
            except FailedFutureError as failure:
                made = self._future({"error": str(failure), "category": "server"})
                return "application/json", json.dumps(made).encode()
            except EndlessFutureError:
                return "application/json", json.dumps(self._future(None)).encode()
            except BrokenAnswerError:
                return "application/json", b'{"request_id": "1'
            if path.endswith("/retrieve_future"):
                return self._result(given["request_id"], headers.get("accept", ""))
            made = self._routed(method, path, given)
            self.answered(path, number)
            return "application/json", json.dumps(made).encode()

    def _routed(self, method: str, path: str, given: Any) -> Json:
        last = path.rpartition("/")[2]
        if match := re.fullmatch(r".*/training_runs/([^/]+)/checkpoints(?:/(.+))?", path):
            return self._checkpoints(method, match[1], match[2])
        if match := re.fullmatch(r".*/sessions/([^/]+)/finish", path):
            self.finished.append(match[1])
            return {}
        if match := re.fullmatch(r".*/samplers/([^/]+)", path):
            return {"sampler_id": match[1], "base_model": MODEL}
        handler = {
            "create_session": self._session, "create_model": self._model,
            "load_weights": self._load, "forward_backward": self._backward,
            "optim_step": self._step, "save_weights": self._save_state,
            "save_weights_for_sampler": self._save_weights, "asample": self._sample,
            "create_sampling_session": self._sampler, "get_info": self._info,
            "weights_info": self._weights_info, "unload_model": self._unload,
        }.get(last)  # fmt: skip
        if handler is not None:
            return handler(given)
        if last == "get_server_capabilities":
            return {"supported_models": [{"model_name": model.name} for model in self.brain.models]}
        if last in ("config", "session_heartbeat", "telemetry"):
            return {"status": "accepted"} if last == "telemetry" else {}
        raise FaultError(404, f"no {path}")

    def _session(self, given: Json) -> Json:
        return {"session_id": f"session-{self.brain.new_run()}", "type": "create_session"}

    def _model(self, given: Json) -> Json:
        self.brain.at("start")
        run = self._run_id(given)
        self.runs[run] = Run(Weights())
        made = {"model_id": run, "type": "create_model"}
        return {**self._future(made), "model_id": run}

    def _load(self, given: Json) -> Json:
        """Old versions load into a training that they made; newer ones make one by loading."""
        run = given.get("model_id") or self._run_id(given)
        self.runs[run] = Run(self._weights(given["path"]))
        return self._future({"path": given["path"], "type": "load_weights"})

    def _run_id(self, given: Json) -> str:
        return f"{given['session_id']}:train:{given.get('model_seq_id', self.brain.new_run())}"

    def _backward(self, given: Json | bytes) -> Json:
        run, rows = rows_of_message(given) if isinstance(given, bytes) else rows_of(given)
        self.brain.at("before step")
        self.brain.tokens["train"] += sum(len(row.tokens) for row in rows)
        weights = self._run(run).weights
        made = self._future(
            [
                [float(weights.log_probabilities(row.tokens[:n])[row.tokens[n]])
                 for n in range(1, len(row.tokens))]
                for row in rows
            ]
        )  # fmt: skip
        self.computing[made["request_id"]] = run, rows
        return made

    def _step(self, given: Json) -> Json:
        name = given["model_id"], given.get("seq_id") or 0
        if not self.deduplicates or name not in self.numbered:
            self.numbered[name] = self._applied(given)
        return self.numbered[name]

    def _applied(self, given: Json) -> Json:
        run = self._run(given["model_id"])
        adam = given.get("adam_params") or given["optimizer_params"]
        known = {name: adam[name] for name in AdamSettings.__dataclass_fields__}
        if run.batch:
            run.weights = run.weights.stepped(run.batch, AdamSettings(**known))
            self.brain.trained[given["model_id"]] += 1
        run.batch = []
        return self._future({"type": "optim_step"})

    def _save_state(self, given: Json) -> Json:
        made = self._kept(given, "state")
        self.brain.at("after step")
        return made

    def _save_weights(self, given: Json) -> Json:
        self.brain.at("before weights")
        made = self._kept(given, "weights")
        self.brain.at("after weights")
        return made

    def _kept(self, given: Json, kind: str) -> Json:
        run = given["model_id"]
        path = self.brain.keep(run, given["path"], kind, self._run(run).weights)
        return self._future({"path": path})

    def _sampler(self, given: Json) -> Json:
        name = f"sampler-{len(self.samplers)}"
        self.samplers[name] = given
        return {"sampling_session_id": name, "type": "create_sampling_session"}

    def _sample(self, given: Json) -> Json:
        path = self.samplers[given["sampling_session_id"]].get("model_path")
        prompt = tuple(t for chunk in given["prompt"]["chunks"] for t in chunk["tokens"])
        params = given["sampling_params"]
        self._weights(path)
        how = Sampling(
            draws=given["num_samples"], seed=params.get("seed") or 0,
            top_p=params.get("top_p", 1.0), temperature=params.get("temperature", 1.0),
            max_tokens=params["max_tokens"],
            stop=tuple(params.get("stop") or ()),
        )  # fmt: skip
        self.brain.at("sample")
        scored = self.brain.scored(path, prompt) if given.get("prompt_logprobs") else None
        try:
            made = self.brain.sample(path, prompt, how)
        except RequestRefusedError as refusal:
            return self._future({"error": str(refusal), "category": "user"})
        made = [*made, *made] if self.repeats else made
        ids = [f"{len(self.results)}-{n}" for n in range(len(made))]
        return {**self._future((made, scored)), "sample_sequence_ids": ids}

    def _info(self, given: Json) -> Json:
        return {"model_id": given["model_id"], "type": "get_info", "is_lora": True,
                "model_data": {"model_name": MODEL}}  # fmt: skip

    def _weights_info(self, given: Json) -> Json:
        self._weights(given["tinker_path"])
        return {"base_model": MODEL, "is_lora": True, "lora_rank": 2}

    def _unload(self, given: Json) -> Json:
        self.finished.append(given["model_id"])
        return self._future({})

    def _checkpoints(self, method: str, run: str, name: str | None) -> Json:
        if method == "DELETE":
            self.brain.kept.pop(f"tinker://{run}/{name}", None)
            return {}
        mine = [kept for path, (kept, _) in self.brain.kept.items() if path.split("/")[2] == run]
        return {
            "checkpoints": [
                {"checkpoint_id": each.path.partition(f"{run}/")[2], "tinker_path": each.path,
                 "checkpoint_type": "training" if each.kind == "state" else "sampler",
                 "time": "2026-11-01T00:00:00Z", "size_bytes": each.size}
                for each in mine
            ]
        }  # fmt: skip

    def _weights(self, path: str | None) -> Weights:
        try:
            return self.brain.weights(path)
        except UnknownModelError:
            raise FaultError(404, f"Checkpoint not found: {path}") from None

    def _run(self, name: str) -> Run:
        if name not in self.runs:
            raise FaultError(404, f"Model not found: {name}")
        return self.runs[name]

    def _future(self, result: Any) -> Json:
        name = str(len(self.results))
        self.results[name] = result
        return {"request_id": name, "future_id": name, "status": "pending"}

    def _result(self, name: str, accept: str) -> tuple[str, bytes]:
        result = self.results[name]
        if name in self.computing:
            run, rows = self.computing.pop(name)
            self._run(run).batch = rows
        if result is None:
            waiting = {"type": "try_again", "request_id": name, "queue_state": "active"}
            return "application/json", json.dumps(waiting).encode()
        if isinstance(result, tuple):
            return samples_message(*result, as_message=PROTOBUF in accept)
        if isinstance(result, list):
            losses = [each[: len(each) - self.losses_lack] for each in result]
            return losses_message(losses, as_message=PROTOBUF in accept)
        return "application/json", json.dumps(result).encode()


@contextmanager
def tinker_wire(wire: Wire, port: int = 0) -> Iterator[Wire]:
    """The routes, listening on loopback until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            try:
                kind, content = wire.answer(
                    self.command, self.path.partition("?")[0], body, self.headers
                )
                status = 200
            except FaultError as fault:
                if fault.status is None:
                    self.close_connection = True
                    self.connection.close()
                    return
                kind, status = "application/json", fault.status
                content = json.dumps({"detail": fault.detail}).encode()
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = handle_any  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    wire.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield wire
    finally:
        server.shutdown()
        server.server_close()
