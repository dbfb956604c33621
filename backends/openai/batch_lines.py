"""The lines of a batch and of its results, and what a server says of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..base import Request
from ..records import Record
from .batch_negotiation import RefusedLine
from .job_details import state_name
from .request_form import RequestForm
from .responses import whole_number

if TYPE_CHECKING:
    from openai.types import Batch


@dataclass
class BatchResults:
    """What became of the lines of one batch, sent in a form."""

    form: RequestForm
    refused: list[RefusedLine] = field(default_factory=list)
    withheld: list[RefusedLine] = field(default_factory=list)
    """Filtered or too long: they would be refused in any form."""
    answered: int = 0


def batch_state(status: object) -> Any:
    """A batch's state in OpenAI's words, which say "completed" where a job is "succeeded"."""
    return {"succeeded": "completed"}.get(state := state_name(status), state)


def line_of(model: str, part: Request, form: RequestForm) -> Record:
    """The line that asks for a part of a stage's draws."""
    name = f"{part.row}-{part.first}-{part.draws}"
    return {"custom_id": name, "method": "POST", "url": form.url, "body": form.body(model, part)}


def response_of(line: Mapping[str, Any]) -> Mapping[str, Any]:
    """The response in a line of results; empty where there is none."""
    response = line.get("response")
    return response if isinstance(response, dict) else {}


def status_of(line: Mapping[str, Any]) -> int:
    """The HTTP status in a line of results; 0 where there is none."""
    return whole_number(response_of(line).get("status_code")) or 0


def reasons(ended: "Batch") -> str:
    """Why a batch failed as a whole, as the server says."""
    found = ended.errors.data if ended.errors and ended.errors.data else []
    messages = [f"{e.message} (line {e.line})" if e.line else str(e.message) for e in found]
    if ended.status == "failed" and not messages:
        messages = ["it failed without a reason"]
    return "; ".join(messages[:3])
