"""The draws of a log's samples, put into its file.

Inspect makes several objects for each draw, and walks over all of them as it writes. A log of
10,000 draws costs a third when Inspect writes the first draw of each sample, and the others are
put beside it in the same form.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal
from zipfile import ZipFile

from ..stages import Row

SAMPLE = "samples/{}_epoch_1.json"


def has_plain_text(draws: Sequence[Row]) -> bool:
    """Whether Inspect takes the texts of draws as they are.

    It cuts hidden reasoning and the like out of tags, and replaces what UTF-8 cannot hold.
    """
    return all("<" not in draw["text"] and _is_utf8(draw["text"]) for draw in draws)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def stop_reason(draw: Row) -> Literal["stop", "max_tokens"]:
    """Why a draw ended, in Inspect's words."""
    return "max_tokens" if draw["finish"] == "length" else "stop"


def choice_id(number: int, draw: Row) -> str:
    """The id of a draw's message: question and draw."""
    return f"q{number + 1}d{draw['draw']}"


def put_draws(log: Path, draws: Mapping[int, Sequence[Row]]) -> None:
    """Put further draws of each question into a log, beside the one that Inspect has written.

    Args:
        log: The log; it is replaced.
        draws: By question, from 0: all draws with an answer, the first one included.
    """
    numbers = {SAMPLE.format(number + 1): number for number in draws}
    whole = log.with_name(f"{log.stem}-whole.eval")
    try:
        with ZipFile(log) as written, ZipFile(whole, "w") as out:
            for entry in written.infolist():
                content = written.read(entry)
                if entry.filename in numbers:
                    number = numbers[entry.filename]
                    content = _with_draws(content, number, draws[number])
                out.writestr(entry, content, compress_type=entry.compress_type)
        whole.replace(log)
    finally:
        whole.unlink(missing_ok=True)


def _with_draws(sample: bytes, number: int, draws: Sequence[Row]) -> bytes:
    from pydantic_core import to_json

    read = json.loads(sample)
    choices = read["output"]["choices"]
    if choices:
        (first,) = choices
        read["output"]["choices"] = [
            {
                **first,
                "message": {
                    **first["message"],
                    "id": choice_id(number, draw),
                    "content": draw["text"],
                },
                "stop_reason": stop_reason(draw),
            }
            for draw in draws
        ]
    return to_json(read, inf_nan_mode="constants")
