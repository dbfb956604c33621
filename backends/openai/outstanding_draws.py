"""The draws of a stage that no batch has answered so far."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ..base import Completion, Request
from .draw_limit import DrawLimit


class OutstandingDraws:
    """The draws of a stage that no batch has answered so far."""

    def __init__(self, requests: Iterable[Request]) -> None:
        self._requests = {(r.row, d): r for r in requests for d in _numbers(r)}

    @property
    def left(self) -> int:
        """Draws that have not come."""
        return len(self._requests)

    def take(self, completions: Iterable[Completion]) -> list[Completion]:
        """Those of the completions that were wanted, which have come herewith."""
        return [c for c in completions if self._requests.pop((c.row, c.draw), None) is not None]

    def of(self, custom_id: object) -> Request | None:
        """The request of which a batch's id names a part; None if nothing of it is wanted."""
        try:
            row, first, draws = map(int, str(custom_id).split("-"))
        except ValueError:
            return None
        found = (self._requests.get((row, d)) for d in range(first, first + draws))
        request = next((r for r in found if r is not None), None)
        return None if request is None else replace(request, first=first, draws=draws)

    def parts(self, draws: DrawLimit) -> Iterator[Request]:
        """What has not come, in requests that a call can answer."""
        whole: list[Request] = []
        for (row, draw), request in self._requests.items():
            last = whole[-1] if whole else None
            if last and last.row == row and draw == last.first + last.draws < _end(last, draws):
                whole[-1] = replace(last, draws=last.draws + 1)
            else:
                whole.append(replace(request, first=draw, draws=1))
        return iter(whole)


def _end(request: Request, draws: DrawLimit) -> int:
    return request.first + draws.per_call


def _numbers(request: Request) -> range:
    return range(request.first, request.first + request.draws)
