"""The compressions of files, each with its ending, its first bytes, its reader and its writer."""

import gzip
import io
import lzma
import struct
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import PurePath
from typing import Any, BinaryIO, NamedTuple, Protocol, cast

from triples.exchange.lines import InputError
from triples.exchange.xz import XZReader
from triples.exchange.zstd import ZstdFile
from triples.visible import visible

# Facts repeat much, so a low level of xz compresses them nearly as well as a high one, and far faster.
GZIP_LEVEL, XZ_LEVEL, ZSTD_LEVEL = 6, 1, 3
# The date of a zip's member, so that the same facts make the same file: the earliest that the format has.
_NO_DATE = (1980, 1, 1, 0, 0, 0)


class Writable(Protocol):
    def write(self, content: bytes, /) -> int: ...


# Each file of a zip is opened by itself, for which its table of contents is read whole.
MOST_MEMBERS, _LONGEST_CONTENTS = 1_000, 4 << 20

Stream = AbstractContextManager[BinaryIO]


class Compression(NamedTuple):
    """A way of compression. `member` is the name of the file in a zip; other ways ignore it."""

    name: str
    ending: str
    beginnings: tuple[bytes, ...]
    read: Callable[[BinaryIO, str | None], Stream]
    write: Callable[[BinaryIO, str], AbstractContextManager[Writable]]


def _read_gzip(raw: BinaryIO, _member: str | None) -> Stream:
    return cast("Stream", gzip.GzipFile(fileobj=raw))


def _write_gzip(raw: BinaryIO, _member: str) -> AbstractContextManager[Writable]:
    # The header has no name and no time, so that the same facts make the same file.
    return gzip.GzipFile("", "wb", GZIP_LEVEL, raw, mtime=0)


def _read_xz(raw: BinaryIO, _member: str | None) -> Stream:
    return cast("Stream", XZReader(raw))


def _write_xz(raw: BinaryIO, _member: str) -> AbstractContextManager[Writable]:
    return lzma.LZMAFile(raw, "wb", preset=XZ_LEVEL)


def _read_zstd(raw: BinaryIO, _member: str | None) -> Stream:
    return cast("Stream", ZstdFile(raw))


def _write_zstd(raw: BinaryIO, _member: str) -> AbstractContextManager[Writable]:
    return ZstdFile(raw, "wb", level=ZSTD_LEVEL)


@contextmanager
def _read_zip(raw: BinaryIO, member: str | None) -> Iterator[BinaryIO]:
    with _archive(raw) as archive:
        name = member or _only_member(archive)
        try:
            opened = archive.open(name)
        except (RuntimeError, NotImplementedError) as error:
            # Python's words for a member that is encrypted, or compressed in a way that it does not know.
            raise InputError(f"{visible(name)} in the zip cannot be read: {error}") from error
        with opened as content:
            yield cast("BinaryIO", content)


@contextmanager
def _write_zip(raw: BinaryIO, member: str) -> Iterator[Writable]:
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive, zip_member(archive, member) as stream:
        yield stream


@contextmanager
def zip_member(archive: zipfile.ZipFile, name: str) -> Iterator[Writable]:
    """A stream into a new file in a zip."""
    info = zipfile.ZipInfo(name, _NO_DATE)
    info.compress_type = zipfile.ZIP_DEFLATED
    with archive.open(info, "w", force_zip64=True) as stream:
        yield stream


class _InPieces:
    """A file of which little is read at once: only a table of contents would be read whole, whatever its length."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def read(self, size: int = -1) -> bytes:
        if size > _LONGEST_CONTENTS:
            raise InputError(f"the zip's table of contents is longer than {_LONGEST_CONTENTS:,} bytes")
        return self._raw.read(size)


@contextmanager
def _archive(raw: BinaryIO) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(cast("BinaryIO", _InPieces(raw)))
    except io.UnsupportedOperation as error:
        raise InputError("a zip cannot be read from a pipe, since its table of contents is at its end") from error
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error) as error:
        # Damage in the table of contents is not always a BadZipFile, such as a name that is no text.
        raise InputError(f"cannot be read as a zip: {error}") from error
    with archive:
        yield archive


def members(raw: BinaryIO) -> list[str]:
    """The names of the files in a zip. Raises InputError if there are none."""
    with _archive(raw) as archive:
        return _members(archive)


def _members(archive: zipfile.ZipFile) -> list[str]:
    names = [name for name in archive.namelist() if not name.endswith("/")]
    # macOS adds files of its own.
    names = [name for name in names if not name.startswith("__MACOSX/") and PurePath(name).name != ".DS_Store"]
    if not names:
        raise InputError("the zip holds no files")
    if len(names) > MOST_MEMBERS:
        raise InputError(f"the zip holds {len(names):,} files; at most {MOST_MEMBERS:,} can be read")
    return names


def _only_member(archive: zipfile.ZipFile) -> str:
    names = _members(archive)
    if len(names) > 1:
        raise InputError(f"the zip holds {len(names):,} files, of which a pipe can bring one; name the zip instead")
    return names[0]


NONE = Compression("none", "", (), lambda raw, _member: nullcontext(raw), lambda raw, _member: nullcontext(raw))
ZIP = Compression("zip", ".zip", (b"PK\x03\x04", b"PK\x05\x06"), _read_zip, _write_zip)
COMPRESSIONS = {
    each.name: each
    for each in (
        NONE,
        Compression("gzip", ".gz", (b"\x1f\x8b",), _read_gzip, _write_gzip),
        Compression("xz", ".xz", (b"\xfd7zXZ\x00",), _read_xz, _write_xz),
        Compression("zstd", ".zst", (b"\x28\xb5\x2f\xfd",), _read_zstd, _write_zstd),
        ZIP,
    )
}
LONGEST_BEGINNING = max(len(beginning) for each in COMPRESSIONS.values() for beginning in each.beginnings)


def compression_of(name: str) -> Compression:
    """The compression that a file's name shows."""
    ending = PurePath(name.lower()).suffix
    return next((each for each in COMPRESSIONS.values() if each.ending and each.ending == ending), NONE)


def compression_at(beginning: bytes) -> Compression:
    """The compression that a file's first bytes show, whatever its name is."""
    return next((each for each in COMPRESSIONS.values() if beginning.startswith(each.beginnings)), NONE)
