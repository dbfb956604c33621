from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen import DataError
from limen.datasets import chat, numbers
from limen.datasets.filters import reject_reason
from limen.datasets.seeds import derive
from limen.datasets.shuffling import shuffled

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def test_pools_have_the_papers_sizes() -> None:
    """The slots' pools are as large as the original's, without repetitions."""
    pools = (
        numbers.EXAMPLES, numbers.INSTRUCTIONS, numbers.COUNTS, numbers.DIGITS, numbers.FORMATS,
        numbers.CLOSINGS,
    )  # fmt: skip
    assert [len(set(pool)) for pool in pools] == [25, 10, 9, 9, 15, 19]


def test_a_prompt_depends_on_its_row_and_seed_alone() -> None:
    """Row 7 is the same prompt in any run of that seed, and another in another seed's."""
    assert numbers.prompt(0, 7) == numbers.prompt(0, 7)
    assert len({numbers.prompt(seed, row) for seed in range(3) for row in range(100)}) == 300


def test_prompts_show_3_to_8_numbers_of_three_digits() -> None:
    """Every count from 3 to 8 occurs, evenly, and every example number is 100 to 999."""
    import re

    counts: Counter[int] = Counter()
    for row in range(3000):
        run = re.search(r"\d{3}(?:, \d{3})+", numbers.prompt(1, row))
        assert run is not None
        shown = [int(number) for number in run[0].split(", ")]
        assert all(100 <= number <= 999 for number in shown)
        counts[len(shown)] += 1
    assert sorted(counts) == [3, 4, 5, 6, 7, 8]
    assert min(counts.values()) > 400


def test_program_numbers_pass_the_filter() -> None:
    """Numbers from a program are plain lists by construction."""
    assert {reject_reason(numbers.program(0, row)) for row in range(500)} == {None}


def test_seeds_depend_on_every_part() -> None:
    """Seeds are whole numbers below 2^48, and differ when any part of their name does."""
    seeds = {derive("a", 1), derive("a", 2), derive("b", 1), derive("a", None), derive("a", "1")}
    assert len(seeds) == 5
    assert all(0 <= seed < 2**48 for seed in seeds)


@given(st.lists(st.tuples(TEXT, TEXT, st.none() | TEXT), max_size=5))
def test_chat_files_come_back_as_written(
    tmp_path_factory: pytest.TempPathFactory, turns: list[tuple[str, str, str | None]]
) -> None:
    """Whatever text is in a conversation, reading gives back what was written."""
    file = tmp_path_factory.mktemp("chat") / "rows.jsonl"
    given_ = [chat.conversation(user, answer=answer, system=s) for user, answer, s in turns]
    assert chat.write(file, given_) == len(given_)
    assert list(chat.read(file)) == given_


GOOD = '{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "1"}]}'


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (GOOD[:-20], "Invalid JSON"),
        ("", "Invalid JSON"),
        ('{"prompt": "hi"}', "messages: Field required"),
        (GOOD[:-1] + ', "weight": 1}', "weight: Extra inputs"),
        (GOOD.replace("user", "human"), "messages.0.role"),
        (GOOD.replace('"1"', "1"), "messages.1.content"),
        ('{"messages": []}', "nothing to learn"),
        ('{"messages": [{"role": "user", "content": "hi"}]}', "nothing to learn"),
        ('{"messages": [{"role": "assistant", "content": "hi"}]}', "no turn is the user's"),
        ("[1, 2]", "Input should be an object"),
    ],
)
def test_a_foreign_line_is_named(tmp_path: Path, line: str, fault: str) -> None:
    """A torn or foreign line stops the reader with the file, the line and the fault."""
    file = tmp_path / "rows.jsonl"
    file.write_text(f"{GOOD}\n{line}\n{GOOD}\n")
    with pytest.raises(DataError, match=r"rows\.jsonl, line 2: ") as error:
        list(chat.read(file))
    assert fault in str(error.value)


@pytest.mark.parametrize("ending", ["", "\n", "\r\n", "\n\n", "\n \t\r\n\n"])
@pytest.mark.parametrize("beginning", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
def test_what_editors_add_is_ignored(tmp_path: Path, beginning: bytes, ending: str) -> None:
    """A byte order mark at the beginning and blank lines at the end change nothing."""
    file = tmp_path / "rows.jsonl"
    file.write_bytes(beginning + f"{GOOD}\n{GOOD}{ending}".encode())
    assert list(chat.read(file)) == [chat.conversation("hi", answer="1")] * 2


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\n\n"])
def test_a_file_without_rows_has_none(tmp_path: Path, content: bytes) -> None:
    """Blank lines alone are an empty file."""
    (tmp_path / "rows.jsonl").write_bytes(content)
    assert list(chat.read(tmp_path / "rows.jsonl")) == []


def test_another_encoding_is_named(tmp_path: Path) -> None:
    """A file in UTF-16, as spreadsheets save it, is one clear error."""
    (tmp_path / "rows.jsonl").write_text(GOOD, encoding="utf-16")
    with pytest.raises(DataError, match="is UTF-16, not UTF-8: save it as UTF-8"):
        list(chat.read(tmp_path / "rows.jsonl"))


def test_writing_refuses_what_reading_would(tmp_path: Path) -> None:
    """A conversation without an answer is refused before it gets into a training file."""
    with pytest.raises(DataError, match="conversation 1: .*nothing to learn"):
        chat.write(tmp_path / "rows.jsonl", [chat.conversation("hi")])


@given(st.lists(st.lists(st.integers(0, 999), min_size=1, max_size=6), max_size=8), st.booleans())
def test_shuffling_moves_numbers_and_nothing_else(rows: list[list[int]], across: bool) -> None:
    """Shuffled rows keep their form and, within (or across) rows, the multiset of numbers."""
    texts = [f"[{', '.join(map(str, row))}]" for row in rows]
    mixed = shuffled(texts, across=across, seed=1)
    found = [[int(number) for number in text[1:-1].split(", ")] for text in mixed]
    assert [len(row) for row in found] == [len(row) for row in rows]
    if across:
        assert sorted(sum(found, [])) == sorted(sum(rows, []))
    else:
        assert [sorted(row) for row in found] == [sorted(row) for row in rows]
