"""Files of records in the field's usual formats, each record with its place in the file.

Read are JSONL and JSON, CSV and TSV of any delimiter, Parquet, Arrow, all of them compressed (gzip,
bzip2, xz, zstd) too, zip and tar archives of them, Inspect logs, and folders: data sets that
Hugging Face's ``save_to_disk`` left, and folders of shards. A byte order mark, Windows line ends
and blank lines are no part of a record.
"""

import csv
import hashlib
import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeGuard

from .artifacts import digest_of
from .batch_files import first_values, is_batch, joined
from .errors import DataError, SpecError
from .file_contents import COMPRESSED, decoded, members, missing, uncompressed
from .json_records import expanded
from .shards import DATA, JSON, SEPARATED, check_one, only, suffix_of
from .threads import as_conversations

if TYPE_CHECKING:
    import pyarrow as pa


class Record(NamedTuple):
    """A record and where it stands: "line 12" of a text file, "row 12" of a table."""

    place: str
    values: Mapping[str, object]


DELIMITERS = (",", "\t", ";", "|")
NOT_JSON = (ValueError, RecursionError)
"""What reading JSON raises: also of a number of thousands of digits, and of what nests too deep."""
LONGEST_FIELD = 2**31 - 1
"""Characters of a CSV field at most; the library's own limit is shorter than long answers."""


def read_records(path: Path) -> Iterator[Record]:
    """The records of a file or folder, in order.

    Raises :class:`~limen.DataError` for what cannot be read, naming the line or row, and
    :class:`~limen.SpecError` where a library is missing or a folder holds several data sets.
    """
    try:
        located = joined(_located(path)) if _holds_batch(path) else _located(path)
        for place, values in as_conversations(located):
            yield Record(place, values)
    except (OSError, UnicodeDecodeError, EOFError) as error:
        raise DataError(f"{path} cannot be read: {error}") from None


def _holds_batch(path: Path) -> bool:
    return path.is_dir() and _are_batch(_files_of_data(path))


def _are_batch(files: Sequence[Path]) -> bool:
    """Whether files are the parts of a batch, seen from the first record of each."""
    if len(files) < 2 or not all(suffix_of(file) in JSON for file in files):
        return False
    return is_batch([first_values(_head_of(file)) for file in files])


def _head_of(file: Path) -> bytes:
    """The first line of a file that is not compressed, or all of what is."""
    if file.suffix.lower() in COMPRESSED:
        return uncompressed(file, file.read_bytes())
    with file.open("rb") as lines:
        return lines.readline()


def _located(path: Path) -> Iterator[tuple[str, Mapping[str, object]]]:
    for part in data_files(path):
        prefix = f"{part.relative_to(path)}, " if part != path else ""
        for place, values in _records(part):
            yield f"{prefix}{place}", values


def records_of_frame(frame: object) -> Iterator[Record]:
    """The records of a pandas frame."""
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        raise SpecError(f"{type(frame).__name__} is no pandas data frame")
    filled = frame.astype(object).where(frame.notna(), None)
    located = (
        (f"row {number}", {str(name): value for name, value in row.items()})
        for number, row in enumerate(filled.to_dict("records"), start=1)
    )
    for place, values in as_conversations(located):
        yield Record(place, values)


def content_digest(path: Path) -> str:
    """The hash of what a file or folder holds; the name of neither is part of it."""
    if path.is_file():
        return digest_of(path)
    parts = [[part.relative_to(path).as_posix(), digest_of(part)] for part in data_files(path)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def data_files(path: Path) -> list[Path]:
    """The files with a data set's records: the path itself, or those in a folder, in order."""
    if not path.is_dir():
        return [path]
    if (path / "dataset_dict.json").is_file():
        splits = _listed(path / "dataset_dict.json", "splits")
        return data_files(path / only(path, [str(split) for split in splits]))
    if (path / "state.json").is_file():
        named = _listed(path / "state.json", "_data_files")
        return [path / str(file["filename"]) for file in named if isinstance(file, dict)]
    return _shards(path)


def _listed(file: Path, name: str) -> list[object]:
    """A list in a file that ``save_to_disk`` left."""
    try:
        found = json.loads(file.read_bytes())
    except NOT_JSON as error:
        raise DataError(f"{file} is damaged ({error}): save the data set again") from None
    listed = found.get(name) if isinstance(found, dict) else None
    if not isinstance(listed, list):
        raise DataError(f"{file} is damaged: it has no list {name!r}: save the data set again")
    return listed


def _shards(folder: Path) -> list[Path]:
    """The files of a folder that are parts of one data set."""
    files = _files_of_data(folder)
    if not _are_batch(files):
        check_one(folder, [file.relative_to(folder).as_posix() for file in files])
    return files


def _files_of_data(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if suffix_of(file) in DATA)


def _records(file: Path) -> Iterator[Record]:
    """The records of a file, or of the files in an archive."""
    content = uncompressed(file, file.read_bytes())
    packed = members(file, content)
    if packed is None:
        yield from _records_of(file, content)
        return
    samples = {name: part for name, part in packed.items() if name.startswith("samples/")}
    if samples and "header.json" in packed:  # an Inspect log
        yield from _records_of_members(file, samples)
        return
    data = {n: uncompressed(file / n, c) for n, c in packed.items() if suffix_of(Path(n)) in DATA}
    if len(data) > 1 and is_batch(list(map(first_values, data.values()))):
        for place, values in joined(_records_of_members(file, data)):
            yield Record(place, values)
        return
    check_one(file, list(data))
    yield from _records_of_members(file, data)


def _records_of_members(file: Path, members: Mapping[str, bytes]) -> Iterator[Record]:
    """The records of files in an archive, in order."""
    for name, content in members.items():
        for place, values in _records_of(file / name, uncompressed(file / name, content)):
            yield Record(f"{name}, {place}", values)


def _records_of(file: Path, content: bytes) -> Iterator[Record]:
    """The records in the content of a file."""
    if content.startswith(b"PAR1"):
        return _table(_parquet(file, content))
    if content.startswith((b"ARROW1", b"\xff\xff\xff\xff")):
        return _table(_arrow(file, content))
    text = decoded(file, content)
    json_like = suffix_of(file) in JSON or text.lstrip().startswith(("{", "["))
    if not text.strip():
        return iter(())
    if json_like and suffix_of(file) not in SEPARATED:
        return _json(file, text)
    return _csv(file, _without_preamble(text), tabs=suffix_of(file) == ".tsv")


def _json(file: Path, text: str) -> Iterator[Record]:
    """Records of JSON lines; or, where a value spans lines, of one JSON value."""
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    first = _parsed(lines[0][1])
    if first is None or (isinstance(first, list) and len(lines) == 1 and not _is_pair(first)):
        yield from _whole(file, text)
        return
    for number, line in lines:
        try:
            value = json.loads(line)
        except NOT_JSON as error:
            raise DataError(f"{file}, line {number}: not JSON ({error})") from None
        if len(lines) == 1 and (values := _expanded(file, value)) != [value]:
            yield from _rows(file, values)
            return
        yield Record(f"line {number}", _object(file, f"line {number}", value))


def _parsed(line: str) -> object:
    try:
        value: object = json.loads(line)
    except NOT_JSON:
        return None
    return value


def _whole(file: Path, text: str) -> Iterator[Record]:
    """The records of a file that is one JSON value, or several over many lines each."""
    values = _values(file, text)
    yield from _rows(file, _expanded(file, values[0]) if len(values) == 1 else values)


def _expanded(file: Path, value: object) -> Sequence[object]:
    try:
        return expanded(value)
    except DataError as error:
        raise DataError(f"{file}: {error}") from None


def _values(file: Path, text: str) -> list[object]:
    """The JSON values that a text consists of."""
    decoder = json.JSONDecoder()
    values: list[object] = []
    place = len(text) - len(text.lstrip())
    while place < len(text):
        try:
            value, end = decoder.raw_decode(text, place)
        except json.JSONDecodeError as error:
            raise DataError(f"{file}, line {error.lineno}: not JSON ({error})") from None
        except NOT_JSON as error:
            line = text.count("\n", 0, place) + 1
            raise DataError(f"{file}, line {line}: not JSON ({error})") from None
        values.append(value)
        place = end + len(text[end:]) - len(text[end:].lstrip())
    return values


def _rows(file: Path, values: Iterable[object]) -> Iterator[Record]:
    for number, value in enumerate(values, start=1):
        yield Record(f"row {number}", _object(file, f"row {number}", value))


def _object(file: Path, place: str, value: object) -> Mapping[str, object]:
    if isinstance(value, dict):
        return {name: _known(part) for name, part in value.items()}
    if isinstance(value, list) and value and all(isinstance(turn, dict) for turn in value):
        return {"messages": value}
    if _is_pair(value):
        prompt, completion = value
        return {"prompt": prompt, "completion": completion}
    raise DataError(f"{file}, {place}: no object, {{...}}, as a row is")


def _is_pair(value: object) -> TypeGuard[list[str]]:
    """Whether a value is a prompt and its answer, as a list of two texts."""
    return isinstance(value, list) and len(value) == 2 and all(isinstance(p, str) for p in value)


def _without_preamble(text: str) -> str:
    """A table without what spreadsheets and people write above its head."""
    kept = text.lstrip("\r\n")
    while kept.lower().startswith(("sep=", "# ")):
        kept = kept.partition("\n")[2]
    return kept


def _csv(file: Path, text: str, *, tabs: bool) -> Iterator[Record]:
    before = csv.field_size_limit(LONGEST_FIELD)
    try:
        yield from _csv_rows(file, text, tabs=tabs)
    finally:
        csv.field_size_limit(before)


def _csv_rows(file: Path, text: str, *, tabs: bool) -> Iterator[Record]:
    names: list[str] = []
    for line, fields in _csv_lines(file, text, _delimiter(text, tabs=tabs)):
        if not "".join(fields).strip():
            continue
        if not names:
            names = _head(file, fields)
        elif len(fields) != len(names):
            raise DataError(
                f"{file}, line {line} has {len(fields)} fields, and its head has {len(names)}"
            )
        else:
            values = {name: value or None for name, value in zip(names, fields, strict=True)}
            values.pop("", None)
            yield Record(f"line {line}", values)


def _csv_lines(file: Path, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The fields of each row, and the line on which it begins."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    end = 0
    try:
        for fields in reader:
            yield end + 1, fields
            end = reader.line_num
    except csv.Error as error:
        raise DataError(
            f"{file}, line {end + 1}: not CSV ({error}): a field that begins with a quotation mark "
            f"must end with one, and has two for each within it"
        ) from None


def _head(file: Path, fields: list[str]) -> list[str]:
    """The names of the columns; a column without a name numbers the rows."""
    names = [field.strip() for field in fields]
    twice = [name for place, name in enumerate(names) if name and name in names[:place]]
    if twice:
        raise DataError(f"{file}, line 1: two columns have the name {twice[0]!r}")
    return ["" if name.startswith("Unnamed: ") else name for name in names]


def _delimiter(text: str, *, tabs: bool) -> str:
    """The delimiter by which the head has the most fields; of equals the usual one."""
    head = next((line for line in text.splitlines() if line.strip()), "")
    usual = "\t" if tabs else ","
    counts = {d: len(next(csv.reader([head], delimiter=d), [])) for d in (usual, *DELIMITERS)}
    return max(counts, key=lambda delimiter: counts[delimiter])


def _parquet(file: Path, content: bytes) -> "pa.Table":
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise SpecError(missing("Parquet files", "pyarrow")) from None
    try:
        return parquet.read_table(pa.BufferReader(content))
    except (pa.ArrowException, OSError) as error:
        raise DataError(_damaged(file, "Parquet", error)) from None


def _arrow(file: Path, content: bytes) -> "pa.Table":
    """The table of an Arrow file: the file format, or the stream format that data sets have."""
    try:
        import pyarrow as pa
    except ImportError:
        raise SpecError(missing("Arrow files", "pyarrow")) from None
    whole = content.startswith(b"ARROW1")
    try:
        reader = pa.ipc.open_file(content) if whole else pa.ipc.open_stream(content)
        return reader.read_all()
    except (pa.ArrowException, OSError) as error:
        raise DataError(_damaged(file, "Arrow", error)) from None


def _damaged(file: Path, form: str, error: Exception) -> str:
    return f"{file} is no whole {form} file: {error}: get or write it again"


def _table(table: "pa.Table") -> Iterator[Record]:
    names = [name for name in table.column_names if not name.startswith("__index_level_")]
    for number, row in enumerate(table.select(names).to_pylist(), start=1):
        yield Record(f"row {number}", {name: _known(value) for name, value in row.items()})


def _known(value: object) -> object:
    """A value; None in place of "not a number", which tables have for what is missing."""
    return None if isinstance(value, float) and math.isnan(value) else value
