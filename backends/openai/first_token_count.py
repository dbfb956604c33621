"""How many of the most probable first tokens a server is asked for.

Services report 20 at most, or 5; some servers (llama.cpp, SGLang) report as many as are asked for.
A continuation that is none of them is known by a bound only, so more are asked for then, until a
request is refused or the server reports fewer than were asked for.
"""

import re

from .choices import MOST_FIRST_TOKENS

FEWER = 5
"""Those that are asked for once that many were refused, unless the refusal names a number."""
TIMES = 10
"""How many times as many are asked for where a continuation is not among them."""
MOST = 200_000
"""More are never asked for: few models have so many tokens."""


class FirstTokenCount:
    """The number to ask one model for, which all its requests share.

    ``fixed`` was set by hand, and holds whatever the server says.
    """

    def __init__(self, fixed: int | None) -> None:
        self._fixed = fixed
        self.asked = fixed or MOST_FIRST_TOKENS
        """Ask for so many."""
        self._most = fixed or MOST

    def more_than(self, count: int, reported: int) -> int | None:
        """A number to try after ``reported`` tokens came where ``count`` were asked for.

        None if the server has no more, or is known to refuse more.
        """
        if reported <= count // 2:  # not a small lack: tokens of equal spelling count as one
            return None
        more = min(count * TIMES, self._most)
        return more if more > count else None

    def accepted(self, count: int) -> None:
        """So many were reported: they are asked for from now on."""
        self.asked = max(self.asked, min(count, self._most))

    def refused_more(self, count: int) -> None:
        """Never again ask for more than so many."""
        self._most = min(self._most, count)

    def lower_from(self, count: int, message: str) -> bool:
        """Ask for fewer than so many, which were refused; False if that has been tried."""
        numbers = [int(n) for n in re.findall(r"\b[0-9]{1,5}\b", message)]
        fewer = max([n for n in numbers if 0 < n < count], default=FEWER)
        if fewer >= count or self._fixed is not None:
            return False
        self.asked = min(self.asked, fewer)
        self.refused_more(fewer)
        return True
