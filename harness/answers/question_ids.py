"""Ids of questions: one id must not stand for two texts, in whichever files."""

from ...datasets.errors import DataError


class QuestionIds:
    """The ids seen so far, each with the text and the source that first had it."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[str, str]] = {}

    def add(self, id: str, text: str, source: str) -> None:
        """Note an id; raises :class:`~limen.DataError` if it stood for another text before."""
        known, first = self._seen.setdefault(id, (text, source))
        if known != text:
            where = f"{source} contradicts itself" if first == source else (
                f"{first} and {source} contradict each other"
            )  # fmt: skip
            raise DataError(
                f"{where}: question {id} is {known[:80]!r} and {text[:80]!r}. Questions are "
                f"matched by their text: correct the file, or drop its column of ids"
            )
