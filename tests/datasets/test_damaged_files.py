"""Folders of shards under the usual names, and files that were cut off on their way."""

import gzip
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from limen.datasets.errors import DataError, SpecError
from limen.datasets.row_forms import read_rows_of

NAMES = {
    "converted": ("0000.jsonl", "0001.jsonl"),
    "spark": ("part-00000.jsonl", "part-00001.jsonl"),
    "spark with an id": ("part-00000-8a1f.c000.jsonl", "part-00001-9b2e.c000.jsonl"),
    "spark, compressed": ("part-00000-8a1f.c000.gz.jsonl", "part-00001-9b2e.c000.gz.jsonl"),
    "dots before": ("gpt-4.1/train-00000-of-00002.jsonl", "gpt-4.1/train-00001-of-00002.jsonl"),
    "short": ("part_0.jsonl", "part_1.jsonl"),
    "prefixed": ("train_shard0.jsonl", "train_shard1.jsonl"),
    "below": ("default/train/0000.jsonl", "default/train/0001.jsonl"),
}


def folder_of(folder: Path, names: tuple[str, ...]) -> Path:
    """A folder with a row in each of these files."""
    for number, name in enumerate(names):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"prompt": "Go on", "completion": str(number)}) + "\n")
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_shards_are_one_data_set(tmp_path: Path, name: str) -> None:
    """Files that differ by the number of their part are read as one, in order."""
    rows = read_rows_of(folder_of(tmp_path / "data", NAMES[name])).rows
    assert [row["text"] for row in rows] == ["0", "1"]


@pytest.mark.parametrize(
    "names",
    [
        ("student-0.jsonl", "student-1.jsonl"),
        ("2025.jsonl", "2026.jsonl"),
        ("train/0000.jsonl", "test/0000.jsonl"),
        ("apart1.jsonl", "apart2.jsonl"),
        ("gpt-4.1-owl.jsonl", "gpt-4.1-control.jsonl"),
        ("temp0.7/owl.jsonl", "temp0.7/control.jsonl"),
        ("part1/owl.jsonl", "part1/control.jsonl"),
        ("rows.jsonl", "rows.filtered.jsonl"),
        ("owl.jsonl", "owl.ndjson"),
        ("train-00000-of-00001.jsonl", "train-00000-of-00001.ndjson"),
    ],
)
def test_other_names_are_other_data_sets(tmp_path: Path, names: tuple[str, ...]) -> None:
    """Students, years, splits and formats are not read as one, and the error names them."""
    with pytest.raises(SpecError, match="several data sets") as error:
        read_rows_of(folder_of(tmp_path / "data", names))
    if "-of-" not in names[0] and "0000" not in names[0]:
        assert f"({', '.join(sorted(names))})" in str(error.value)


def test_a_file_and_its_compressed_copy_are_not_read_as_one(tmp_path: Path) -> None:
    """Every row would be there twice; likewise in an archive of both."""
    folder = folder_of(tmp_path / "data", ("owl.jsonl",))
    content = (folder / "owl.jsonl").read_bytes()
    (folder / "owl.jsonl.gz").write_bytes(gzip.compress(content))
    archive = Path(shutil.make_archive(str(tmp_path / "both"), "zip", folder))
    for given in (folder, archive):
        with pytest.raises(SpecError, match=r"several data sets in it \(owl.jsonl, owl.jsonl.gz\)"):
            read_rows_of(given)


@pytest.mark.parametrize("form", ["Parquet", "Arrow", "Arrow stream"])
@pytest.mark.parametrize("share", [0.3, 0.7])
def test_a_table_that_is_cut_off_is_one_error_with_its_name(
    tmp_path: Path, form: str, share: float
) -> None:
    """It says which file is damaged, and what to do."""
    import pyarrow as pa

    frame = pd.DataFrame({"prompt": ["Go on"] * 500, "completion": [str(n) for n in range(500)]})
    file = tmp_path / ("rows.parquet" if form == "Parquet" else "rows.arrow")
    if form == "Parquet":
        frame.to_parquet(file)
    else:
        table = pa.Table.from_pandas(frame)
        opened = pa.ipc.new_stream if form == "Arrow stream" else pa.ipc.new_file
        with opened(file, table.schema) as writer:
            writer.write_table(table)
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * share)])
    kind = form.removesuffix(" stream")
    with pytest.raises(DataError, match=f"{file.name} is no whole {kind} file: .*again"):
        read_rows_of(file)
