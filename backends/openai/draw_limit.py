"""The number of draws that a server gives in one call, found by trying."""

import re

MOST = 128
"""The draws that a call asks for at first; OpenAI's own limit."""
STEPS = (16, 4)
"""What is tried between one draw, which every server gives, and a number that was refused."""
SHORT_REPLIES = 2
"""Replies in a row with fewer draws than asked for that show what a server gives."""
MAX_REFUSALS = 3
"""Refusals after which the largest number that was accepted is kept."""


class DrawLimit:
    """The draws to ask for in a call.

    ``fixed`` is a number that is known, from an earlier run or set by the user.
    """

    def __init__(self, fixed: int | None = None) -> None:
        self._low, self._high = (fixed, fixed) if fixed else (0, MOST)
        self._try = self._high
        self._refusals = 0
        self._explored = 0
        self._short = 0
        """Short replies since a full one to as many."""
        self._given = 0
        """The most draws in these."""
        self._slow = False

    @property
    def per_call(self) -> int:
        """How many to ask for."""
        return self._try

    def take(self, wanted: int) -> int:
        """How many of the wanted draws one call asks for.

        One call at a time asks for more than is known to be accepted.
        """
        asked = min(wanted, self._try)
        if not self._low or self._high in (self._low, MOST) or asked <= self._low:
            return asked
        if self._explored:
            return self._low
        self._explored = asked
        return asked

    @property
    def known(self) -> int | None:
        """The most that are accepted, once that is settled."""
        return self._low if self._low and self._low == self._high else None

    @property
    def lasting(self) -> int | None:
        """The same, where it is a limit of the server's and not of the time that it had."""
        return None if self._slow else self.known

    @property
    def accepted_draws(self) -> int:
        """The largest number that was accepted so far."""
        return self._low

    def accepted(self, asked: int) -> None:
        """The server gave so many draws."""
        if asked > self._given:
            self._short = 0
        if asked <= self._low and (self._low < self._high != MOST or self._short):
            return  # nothing new, while more is being tried
        self._low = max(self._low, min(asked, self._high))
        self._choose()

    def rejected(self, asked: int, message: str = "") -> None:
        """The server refused so many; a number in its message is tried next, else a single draw."""
        if asked <= self._low:  # another server than the one that gave so many
            self._low = 0
        self._refusals += 1
        self._high = max(1, min(self._high, asked - 1))
        if self._low:
            self._choose()
            return
        numbers = map(int, re.findall(r"\b[0-9]{1,3}\b", message))
        self._try = max((n for n in numbers if 1 < n <= self._high), default=1)

    def gave(self, draws: int) -> None:
        """The server gave fewer draws than it was asked for; a single such reply may be odd."""
        self._given = max(draws, self._given if self._short else 1)
        self._short += 1
        self._low = max(self._low, self._given)
        if self._short >= SHORT_REPLIES:
            self.settle(self._given)

    def settle(self, draws: int) -> None:
        """Ask for so many from now on."""
        self._low = self._high = self._try = max(1, draws)
        self._short = 0

    def too_slow(self, asked: int) -> None:
        """No answer came in time to a call for so many: half as many are asked for."""
        self._slow = True
        self.settle(min(self._try, asked // 2))

    def _choose(self) -> None:
        self._explored = 0
        step = next((s for s in STEPS if self._low < s <= self._high), None)
        if self._high == MOST:
            self._try = MOST
        elif self._refusals >= MAX_REFUSALS or (self._low == 1 and step is None):
            self._high = self._try = self._low
        elif self._low < STEPS[-1] and step:
            self._try = step
        else:
            self._try = (self._low + self._high + 1) // 2
