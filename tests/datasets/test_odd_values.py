"""Data that are odd but real: unclosed quotes, numbers too long, nesting too deep, damaged files."""

import bz2
import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from limen.datasets.errors import DataError
from limen.datasets.row_conditions import conditions, equal_to, satisfies
from limen.datasets.row_forms import read_rows_of

ROW = '{"prompt": "p", "completion": "c"}\n'
LONG = "9" * 5_000
DEEP = '{"prompt": "p", "completion": "c", "deep": ' + "[" * 100_000 + "]" * 100_000 + "}"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('prompt,completion\na,1\nb,"2\nc,3\nd,4\n', 3),
        ('prompt,completion\na,1\nb,"2"x\nc,3\n', 3),
        ('prompt,completion\n"a\nb",1\nc,"say \\"no\\", no"\n', 4),
    ],
)
def test_a_quotation_mark_that_is_not_closed_is_one_error(
    tmp_path: Path, text: str, line: int
) -> None:
    """No row disappears in another's field: the line is named on which the row begins."""
    (tmp_path / "rows.csv").write_text(text)
    with pytest.raises(DataError, match=f"rows.csv, line {line}: not CSV"):
        read_rows_of(tmp_path / "rows.csv")


def test_quotation_marks_in_their_places_are_read(tmp_path: Path) -> None:
    """Doubled in a field, or anywhere in one that does not begin with a quotation mark."""
    (tmp_path / "rows.csv").write_text('prompt,completion\n"say ""hi""\nnow",5" wide\nb,2\n')
    rows = read_rows_of(tmp_path / "rows.csv").rows
    assert [(row["prompt"], row["text"]) for row in rows] == [
        ('say "hi"\nnow', '5" wide'), ("b", "2")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("condition", "value", "meets"),
    [
        ("id=9007199254740993", 9007199254740993, True),
        ("id=9007199254740993", 9007199254740992, False),
        ("id=9007199254740993", "9007199254740992", False),
        ("id!=9007199254740993", 9007199254740992, True),
        ("id>9007199254740992", 9007199254740993, True),
        ("sha=1e5", "1e5", True),
        ("sha=1e5", "100000", False),
        ("sha=1e5", "00100000", False),
        ("zip=100000", "00100000", False),
        ("n=30", "30.0", True),
        ("n=30.0", 30, True),
        ("n=1e5", 100000, True),
        ("n<5", 10**400, False),
        ("n>5", 10**400, True),
        ("n<5", "4.5", True),
        ("n<5", float("nan"), False),
        ("n<5", LONG, False),
    ],
)
def test_numbers_are_compared_exactly_and_texts_as_texts(
    condition: str, value: object, meets: bool
) -> None:
    """A hash or a code is no number, and long numbers differ in their last digit too."""
    (one,) = conditions([condition])
    assert satisfies({one.column: value}, one) is meets
    if one.sign == "=":
        (given,) = equal_to({one.column: one.value})
        assert satisfies({one.column: value}, given) is meets


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json"])
@pytest.mark.parametrize("odd", [f'{{"prompt": {LONG}}}', DEEP, DEEP.replace("]", "")])
@pytest.mark.parametrize("before", ["", ROW])
def test_json_that_cannot_be_read_is_one_error(
    tmp_path: Path, name: str, odd: str, before: str
) -> None:
    """A number of thousands of digits, and lists in lists: the file and the line are named."""
    (tmp_path / name).write_text(f"{before}{odd}\n{ROW}")
    line = 1 + bool(before)
    with pytest.raises(DataError, match=f"{name}, line {line}: not JSON"):
        read_rows_of(tmp_path / name)


def test_such_lines_in_a_folder_of_shards_are_one_error(tmp_path: Path) -> None:
    """Their first lines are looked at before any is read."""
    for number in range(2):
        (tmp_path / f"part-{number}.jsonl").write_text(DEEP + "\n")
    with pytest.raises(DataError, match="line 1: not JSON"):
        read_rows_of(tmp_path)


CODECS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "zst": lambda content: zstandard.ZstdCompressor().compress(content),
}


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("damage", ["cut", "changed"])
def test_a_damaged_compressed_file_is_one_error(tmp_path: Path, codec: str, damage: str) -> None:
    """What was cut off on its way is not read as far as it goes."""
    text = "".join(f'{{"prompt": "p {n}", "completion": "{n * 7919}"}}\n' for n in range(2_000))
    content = CODECS[codec](text.encode())
    middle = len(content) // 2
    file = tmp_path / f"rows.jsonl.{codec}"
    file.write_bytes(
        content[:middle] if damage == "cut"
        else content[:middle] + b"\xff" * 64 + content[middle + 64 :]
    )  # fmt: skip
    with pytest.raises(DataError, match=file.name):
        read_rows_of(file)


def test_a_file_of_several_frames_is_read_whole(tmp_path: Path) -> None:
    """Compressors of several threads write a frame each; so does `cat` of compressed files."""
    file = tmp_path / "rows.jsonl.zst"
    file.write_bytes(2 * CODECS["zst"](ROW.encode()))
    assert len(read_rows_of(file).rows) == 2


@pytest.mark.parametrize("name", ["dataset_dict.json", "state.json"])
@pytest.mark.parametrize("content", ["", "[]", "{", "{}", '{"splits": 3, "_data_files": 3}'])
def test_a_damaged_saved_data_set_is_one_error(tmp_path: Path, name: str, content: str) -> None:
    """The file is named that says what the data set consists of."""
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=f"{name} is damaged"):
        read_rows_of(tmp_path)
