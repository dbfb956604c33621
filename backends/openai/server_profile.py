"""What was learned about one model of a server, shared by all stages of a run and reported."""

from collections import Counter
from collections.abc import Iterable, Mapping

from ..base import Request
from .draw_limit import MOST, DrawLimit
from .request_form import COMPLETIONS, ENDPOINT, LADDERS, N, RequestForm

PROBED, SET, ASSUMED = "probed", "set", "assumed"
MARKS = {
    "seed": {"not sent": "answers cannot be reproduced"},
    "temperature": {"not sent": "the server's own temperature holds"},
    "top_p": {"not sent": "the server's own value holds"},
    "token_limit": {"not sent": "the length of answers is not limited"},
}
"""What a form means for the experiment."""
MIN_DRAWS = 5
"""Draws of one question that are compared to see whether they are all the same."""


class ServerProfile:
    """How requests are sent to a model, and what its answers were like.

    ``fixed`` and ``draws`` are what the user set, which is never changed by trying.
    """

    def __init__(
        self, *, fixed: Mapping[str, str], draws: int | None, known_draws: int | None = None
    ) -> None:
        self.fixed = dict(fixed)
        self.form = RequestForm(**self.fixed)
        self.fixed_draws = draws
        self.draws = DrawLimit(draws or known_draws)
        self.proven: set[str] = set()
        """Parameters that the server has accepted, or that were made simpler until it did."""
        self.answers = 0
        """Responses with an answer, in this run."""
        self.oddities: Counter[str] = Counter()
        """What was odd in responses, with the number of responses."""
        self.row_failures: set[tuple[object, ...]] = set()
        """Signatures of refusals that concern a row itself, in every form."""
        self.passing: set[tuple[object, ...]] = set()
        """Signatures of failures after which the same request was answered."""
        self.notes: dict[str, str] = {}
        """Further facts, by name."""
        self.silent_since = -1
        """The number of answers when a short question got none."""
        self._compared = 0
        self._identical = 0

    def unproven(self, request: Request, form: RequestForm) -> list[str]:
        """The parameters of a request that the server has not accepted so far."""
        proven = self.proven - {N} | ({N} if request.draws <= self.draws.accepted_draws else set())
        return [p for p in form.used_by(request) if p not in proven]

    def accepted(self, request: Request, form: RequestForm, given: int) -> None:
        """A request was answered with this number of choices."""
        self.answers += 1
        if form != self.form:
            return
        self.proven.update(p for p in form.used_by(request) if p != N)
        if request.draws > 1 and self.fixed_draws is None:
            self.proven.add(N)
            if given < request.draws:
                self.draws.gave(given)
            else:
                self.draws.accepted(request.draws)

    def ask_fewer(self, draws: int) -> bool:
        """Ask for fewer draws after a call for so many that took too long; False if it cannot."""
        if self.fixed_draws is not None or draws < 2:
            return False
        self.draws.too_slow(draws)
        return True

    def note_sample(self, form: RequestForm) -> None:
        """A small sample came in a form: a limit of tokens by another name is used from now on."""
        limit = form.token_limit
        if not self.answers and limit not in (self.form.token_limit, "max_tokens"):
            self.adopt(self.form.changed("token_limit", limit), ["token_limit"])

    def adopt(self, form: RequestForm, changed: Iterable[str] = ()) -> None:
        """Send requests in this form from now on."""
        self.form = form
        self.proven.update(changed)

    def compare(self, texts: list[str | None], temperature: float) -> None:
        """Note whether all draws of a question are the same, longer than a word or two."""
        known = [text for text in texts if text]
        if temperature > 0 and len(known) >= MIN_DRAWS and len(known[0].split()) > 2:
            self._compared += 1
            self._identical += len(set(known)) == 1

    def facts(self) -> dict[str, str]:
        """What is known of the server, by name: each with where it is known from."""
        per_call = self.draws.known or self.draws.per_call
        facts = {"draws per call": f"up to {per_call} ({self._source(N)})"}
        for parameter in LADDERS:
            if parameter == ENDPOINT and self.form.endpoint != COMPLETIONS:
                continue
            value = self.form.value(parameter)
            mark = MARKS.get(parameter, {}).get(value)
            name = parameter.replace("_", " ")
            facts[name] = f"{value} ({self._source(parameter)}){f': {mark}' if mark else ''}"
        facts |= self.notes
        if self._identical:
            facts["identical draws"] = (
                f"all draws of a question were the same in {self._identical:,} of "
                f"{self._compared:,} calls: the server may ignore temperature"
            )
        for oddity, count in self.oddities.most_common(10):
            facts[f"odd responses: {oddity}"] = f"{count:,} of {self.answers:,}"
        return facts

    def _source(self, parameter: str) -> str:
        if parameter in self.fixed or (parameter == N and self.fixed_draws):
            return SET
        settled = parameter == N and self.draws.known not in (None, MOST)
        return PROBED if parameter in self.proven or settled else ASSUMED
