"""The other arms of an experiment, as a test sees them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from ...datasets.errors import SpecError
from .arms import Arm


@dataclass(frozen=True, repr=False)
class ArmMapping(Mapping[str, Arm]):
    """Arms by name. Asking for one fails or skips the test as a fixture would."""

    names: Mapping[str, object]
    arm: Callable[[str], Arm]

    def __getitem__(self, name: str) -> Arm:
        if name not in self.names:
            known = ", ".join(map(repr, self.names)) or "none"
            raise SpecError(f"the experiment has no arm {name!r}: it has {known}")
        return self.arm(name)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        return f"<arms {', '.join(map(repr, self.names)) or 'none'}>"
