"""The budget: the highest cost is reserved before sending, and settled at the real cost."""

import threading

from ..datasets.errors import BackendError


class Budget:
    """Dollars that a run may spend. What is reserved and what is spent never exceed it together."""

    def __init__(self, limit: float | None) -> None:
        self.limit = limit
        self.spent = 0.0
        self.reserved = 0.0
        self.calls = 0
        """Calls under way, whose reservations will soon be settled at what they really cost."""
        self._lock = threading.Lock()

    @property
    def limited(self) -> bool:
        """Whether there is a limit at all."""
        return self.limit is not None

    def reserve(self, usd: float) -> bool:
        """Set aside what a call may cost at most; False if that is not there."""
        with self._lock:
            fits = self.limit is None or self.spent + self.reserved + usd <= self.limit
            self.reserved += usd if fits else 0.0
            return fits

    def settle(self, reserved: float, spent: float) -> None:
        """Give back a reservation, and book what was really spent."""
        with self._lock:
            self.reserved -= reserved
            self.spent += spent

    def exhausted(self, usd: float, what: str) -> BackendError:
        """The error that a run ends with when its budget is used up."""
        held = f", ${self.reserved:.4f} are reserved for what is under way" if self.reserved else ""
        return BackendError(
            f"the budget of ${self.limit:g} does not allow {what}: it may cost up to ${usd:.4f}, "
            f"${self.spent:.4f} of the budget are spent{held}. Everything finished is kept; raise "
            f"--limen-budget to go on"
        )
