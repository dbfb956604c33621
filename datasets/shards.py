"""Which files of a folder or an archive are the parts of one data set, by their names."""

import re
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

from .errors import DataError, SpecError
from .file_contents import COMPRESSED

TABLES = (".parquet", ".arrow", ".feather")
JSON = (".jsonl", ".ndjson", ".json")
SEPARATED = (".csv", ".tsv")
DATA = frozenset((*TABLES, *JSON, *SEPARATED))
FORMATS = DATA | {*COMPRESSED}
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")
_SHARD = re.compile(
    r"[-_.]\d{5}-of-\d{5}.*$"  # of the hub, and of save_to_disk
    r"|^(0\d{3}|\d{5,})\..*$"  # 0000.parquet, as the hub converts; 2026.csv is a year's
    r"|(?<![A-Za-z])(part|shard|chunk)[-_]?\d+.*$"  # part-00000-....snappy.parquet, as of Spark
)
"""What the name of a shard has beside the name of its data set, and its format."""


def check_one(folder: Path, files: Sequence[str]) -> None:
    """Refuse files that are not the parts of one data set."""
    if not files:
        packed = _archives(folder)
        remedy = f". It has {', '.join(packed)}: give the path of one" if packed else ""
        raise DataError(
            f"{folder} has no data files in it: JSONL, JSON, CSV, Parquet, Arrow{remedy}"
        )
    only(folder, list(dict.fromkeys(map(_data_set_of, files))))


def _data_set_of(file: str) -> str:
    """The name of the data set that a file is a part of; of what is no shard its own.

    Only the number of a shard is cut: other names differ since the data do. One data set in two
    formats is two, whose rows would all be there twice.
    """
    folder, slash, name = file.rpartition("/")
    form = "".join(_formats_of(name))
    return f"{folder}{slash}{cut}{form}" if (cut := _SHARD.sub("", name)) != name else file


def _formats_of(name: str) -> list[str]:
    """The suffixes at the end of a name that say its format and its compression."""
    suffixes = reversed(Path(name).suffixes)
    return list(takewhile(lambda suffix: suffix.lower() in FORMATS, suffixes))[::-1]


def _archives(folder: Path) -> list[str]:
    """The names of the archives in a folder; none in what is no folder."""
    names = (file.name for file in folder.iterdir()) if folder.is_dir() else ()
    return sorted(name for name in names if name.lower().endswith(ARCHIVES))


def only(folder: Path, names: list[str]) -> str:
    """The only name of a folder's data sets; raises :class:`~limen.SpecError` if it has several."""
    if len(names) != 1:
        raise SpecError(
            f"{folder} has several data sets in it ({', '.join(names)}): give the path of one"
        )
    return names[0]


def suffix_of(file: Path) -> str:
    """What a file's name says of its format, whatever compressed it."""
    suffixes = [suffix.lower() for suffix in file.suffixes]
    return next((suffix for suffix in reversed(suffixes) if suffix not in COMPRESSED), "")
