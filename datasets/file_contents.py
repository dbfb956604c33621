"""What is in a file: without its compression, out of its archive, as text."""

import codecs
import io
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

from .errors import DataError, SpecError

COMPRESSED = (".gz", ".bz2", ".xz", ".zst")
PICKLED = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
TAR = slice(257, 262)
"""Where a tar archive has the word "ustar"."""


def uncompressed(file: Path, content: bytes) -> bytes:
    """The content of a file, whatever compressed it; raises :class:`~limen.DataError`."""
    import bz2
    import gzip
    import lzma
    import zlib

    openers: Mapping[bytes, Callable[[bytes], bytes]] = {
        b"\x1f\x8b": gzip.decompress,
        b"BZh": bz2.decompress,
        b"\xfd7zXZ\x00": lzma.decompress,
        b"\x28\xb5\x2f\xfd": _zstd,
    }
    try:
        for magic, opener in openers.items():
            if content.startswith(magic):
                return opener(content)
    except (lzma.LZMAError, zlib.error, ValueError) as error:
        raise DataError(f"{file} cannot be decompressed: {error}") from None
    return content


def _zstd(content: bytes) -> bytes:
    try:
        import zstandard
    except ImportError:
        raise SpecError(missing("files compressed by zstd", "zstandard")) from None
    parts: list[bytes] = []
    try:
        while content:  # frame by frame: several threads write several
            frame = zstandard.ZstdDecompressor().decompressobj()
            parts.append(frame.decompress(content))
            if not frame.eof:
                raise ValueError("it ends before the end of what was compressed")
            content = frame.unused_data
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from None
    return b"".join(parts)


def missing(what: str, library: str) -> str:
    """What to say where a library is not installed."""
    return f"{what} need {library}: pip install 'limen[files]'"


def members(file: Path, content: bytes) -> dict[str, bytes] | None:
    """The files in a zip or tar archive, by name in order; None for what is no archive.

    Hidden files, and what macOS adds, are left out. Raises :class:`~limen.DataError`.
    """
    if not content.startswith(b"PK\x03\x04") and content[TAR] != b"ustar":
        return None
    found = _zipped(file, content) if content.startswith(b"PK") else _tarred(file, content)
    if "[Content_Types].xml" in found:
        raise DataError(f"{file} is a workbook: save it as CSV")
    return {name: found[name] for name in sorted(found) if not _is_hidden(name)}


def _zipped(file: Path, content: bytes) -> dict[str, bytes]:
    import zipfile
    import zlib

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = [part for part in archive.infolist() if not part.is_dir()]
            return {part.filename: archive.read(part) for part in parts}
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise DataError(f"the archive {file} cannot be read: {error}") from None


def _tarred(file: Path, content: bytes) -> dict[str, bytes]:
    import tarfile

    try:
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            opened = ((part.name, archive.extractfile(part)) for part in archive if part.isfile())
            return {name: part.read() for name, part in opened if part is not None}
    except tarfile.TarError as error:
        raise DataError(f"the archive {file} cannot be read: {error}") from None


def _is_hidden(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return "__MACOSX" in parts or any(part.startswith(".") and part != "." for part in parts)


def decoded(file: Path, content: bytes) -> str:
    """The text of a file in UTF-8 or UTF-16; raises :class:`~limen.DataError`."""
    if content.startswith(PICKLED):
        raise DataError(f"{file} is a pickle, which may run code: save it as JSONL or Parquet")
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16")
    if b"\0" in content[:2]:  # UTF-16 of a Latin letter, without a mark
        return content.decode("utf-16-be" if content[:1] == b"\0" else "utf-16-le")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{file}, line {line} is not UTF-8 ({error.reason}): save the file as UTF-8"
        ) from None
