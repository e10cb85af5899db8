"""A check that the write-ahead log next to a database belongs to it.

SQLite does not check this: it would copy pages of one database into another, or delete a log next to an empty database.
A log does not name its database, so this looks for contradictions between the two. The formats are those of
https://www.sqlite.org/fileformat.html and https://www.sqlite.org/walformat.html.

It is for the first connection of a process only: see `triples.store.sqlite.file_identity`.
"""

import struct
from pathlib import Path
from typing import NamedTuple

from triples.store.sqlite.file_identity import Files, find_files, index_of, log_of

_HEADER_BYTES = 100
_READ_VERSION = 19
_LOG_HEADER_BYTES = 32
_INDEX_HEADER_BYTES = 48
_INDEX_BYTES = 2 * _INDEX_HEADER_BYTES + 4
_FORMAT = 3_007_000
# The last bit of the magic number tells the byte order of the checksums.
_MAGIC = 0x377F0682
_LARGEST_PAGE = 65_536
_ROLLBACK_JOURNAL = 1

Salts = bytes


class _Index(NamedTuple):
    """The log's index: what the processes that had the database open knew of the log."""

    frames: int
    carried_over: int
    salts: Salts


def contradiction(database: Path, last: Files | None, *, same_boot: bool) -> str | None:
    """The reason why the log cannot belong to the database, or None.

    `last` are the files when the database was last served. `same_boot` tells whether the machine has run since then:
    only then can the index be trusted.
    """
    log = _read(Path(log_of(database)), _LOG_HEADER_BYTES)
    index = _read_index(Path(index_of(database))) if same_boot else None
    if len(log) < _LOG_HEADER_BYTES or not any(log):
        # The log has no commit.
        if index is not None and index.frames > index.carried_over:
            return f"the log that holds the last {index.frames - index.carried_over:,} written pages is missing"
        return None
    if (reason := _contradiction_of_headers(_read(database, _HEADER_BYTES), log)) is not None:
        return reason
    if index is not None and index.frames and index.salts != log[16:24]:
        return "the log is not the one that was in use"
    found = find_files(database)
    if last is not None and _has_moved_alone(found, last):
        return "the database is not the one that the log was written for"
    return None


def _contradiction_of_headers(database: bytes, log: bytes) -> str | None:
    if not database:
        return "there is a log of changes but no database"
    if (page_size := _checked_page_size(log)) is None:
        return "the log is damaged, or no log of SQLite"
    if database[_READ_VERSION] == _ROLLBACK_JOURNAL:
        return "the database was closed or copied without a log, and the log is of another"
    if page_size != _page_size(database):
        return "the log is of a database with other pages"
    return None


def _has_moved_alone(found: Files, last: Files) -> bool:
    """True if the log is the same file as before and the database is not. In a copied folder, both are other files."""
    return (
        found.log is not None
        and last.log is not None
        and found.log.inode == last.log.inode
        and found.database is not None
        and last.database is not None
        and found.database.inode != last.database.inode
    )


def _read(path: Path, size: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(size)
    except FileNotFoundError:
        return b""


def _read_index(path: Path) -> _Index | None:
    content = _read(path, _INDEX_BYTES)
    first, second = content[:_INDEX_HEADER_BYTES], content[_INDEX_HEADER_BYTES : 2 * _INDEX_HEADER_BYTES]
    # The two copies differ if a write was interrupted. The next process that opens the database repairs them.
    if len(content) < _INDEX_BYTES or first != second:
        return None
    version, _unused, _changes, is_initialised = struct.unpack_from("=IIIB", first)
    if version != _FORMAT or not is_initialised:
        return None
    [frames] = struct.unpack_from("=I", first, 16)
    [carried_over] = struct.unpack_from("=I", content, 2 * _INDEX_HEADER_BYTES)
    return _Index(frames, carried_over, first[32:40])


def _checked_page_size(log: bytes) -> int | None:
    """The size of the pages in the log. None if its header contradicts itself."""
    magic, version, page_size = struct.unpack_from(">III", log)
    if magic & ~1 != _MAGIC or version != _FORMAT:
        return None
    if _checksum(log[:24], "big" if magic & 1 else "little") != struct.unpack_from(">II", log, 24):
        return None
    return int(page_size)


def _page_size(header: bytes) -> int:
    [size] = struct.unpack_from(">H", header, 16)
    return _LARGEST_PAGE if size == 1 else int(size)


def _checksum(content: bytes, order: str) -> tuple[int, int]:
    words = struct.unpack(f"{'>' if order == 'big' else '<'}{len(content) // 4}I", content)
    first = second = 0
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return first, second
