"""The exchange: a folder, on disk or in S3, that this process and the server's workers can read and write.

A run has a folder of its own there and removes it when it ends. One that was killed leaves it behind; the next run of
the same owner finds it by its name.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import time
from uuid import uuid4

import pyarrow as pa
import pyarrow.dataset as ds
from pyarrow import fs

# 32 bytes each. Fewer would make more files than servers like, more take memory here.
_ROWS_AT_ONCE = 1_000_000
_OPEN_FILES = 256
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Exchange:
    """`place` is the path of an existing folder, or s3://bucket/prefix (s3a://, if that is what the server wants).

    No two runs of one `owner` go on at once, except those that write nothing (`dry`).
    """

    place: str
    owner: str
    dry: bool = False

    @contextmanager
    def folder(self) -> Iterator["Folder"]:
        """A new folder of this run, removed at the end."""
        system, root = _open(self.place)
        name = f"{self._prefix}{'dry-' if self.dry else ''}{_now_ms()}-{uuid4().hex[:8]}"
        folder = Folder(system, f"{root}/{name}", f"{_url(self.place)}/{name}")
        try:
            yield folder
        finally:
            folder.remove()

    def left_over(self) -> list[str]:
        """Remove the folders of runs that have died; return their names."""
        if self.dry:
            return []
        system, root = _open(self.place)
        found = [
            info.base_name
            for info in system.get_file_info(fs.FileSelector(root, allow_not_found=True))
            if info.type == fs.FileType.Directory and self._is_left_over(info.base_name)
        ]
        for name in found:
            system.delete_dir(f"{root}/{name}")
        return found

    @property
    def _prefix(self) -> str:
        return f"skg-{self.owner}-"

    def _is_left_over(self, name: str) -> bool:
        if not name.startswith(self._prefix):
            return False
        began = name.removeprefix(self._prefix)
        if not began.startswith("dry-"):
            return True
        # It may still go on.
        told = began.removeprefix("dry-").partition("-")[0]
        return told.isdecimal() and _now_ms() - int(told) > _DAY_MS


@dataclass(frozen=True, slots=True)
class Folder:
    """The folder of a run: `root` for this process, `url` for the server."""

    system: fs.FileSystem
    root: str
    url: str

    def write(self, name: str, batches: pa.RecordBatchReader, partitions: pa.Schema | None) -> None:
        """Write the batches to a folder of Parquet files, as they come."""
        for number, table in enumerate(_tables(batches)):
            ds.write_dataset(
                table,
                f"{self.root}/{name}",
                basename_template=f"{number}-{{i}}.parquet",
                existing_data_behavior="overwrite_or_ignore",
                filesystem=self.system,
                format="parquet",
                partitioning=None if partitions is None else ds.partitioning(partitions, flavor="hive"),
                max_partitions=1 << 20,
                max_open_files=_OPEN_FILES,
            )

    def read(self, name: str, schema: pa.Schema) -> ds.Dataset:
        """The rows of such a folder, which the server may have written, in no order."""
        partitions = ds.partitioning(flavor="hive")
        return ds.dataset(f"{self.root}/{name}", schema, "parquet", self.system, partitions)

    def remove(self, name: str = "") -> None:
        """Remove a folder in it, or all of it."""
        path = f"{self.root}/{name}".rstrip("/")
        if self.system.get_file_info(path).type == fs.FileType.Directory:
            self.system.delete_dir(path)


def _tables(batches: pa.RecordBatchReader) -> Iterator[pa.Table]:
    """The batches together, some rows at a time.

    They are read here. Arrow would read them in a thread of its pool, of which reading from PostgreSQL needs one too.
    """
    gathered: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        gathered.append(batch)
        rows += batch.num_rows
        if rows >= _ROWS_AT_ONCE:
            yield pa.Table.from_batches(gathered)
            gathered, rows = [], 0
    if gathered:
        yield pa.Table.from_batches(gathered)


def _open(place: str) -> tuple[fs.FileSystem, str]:
    if "://" not in place:
        return fs.LocalFileSystem(), place.rstrip("/")
    # All else, keys among it, the library finds by itself where AWS's own tools do.
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    return fs.S3FileSystem(endpoint_override=endpoint), place.partition("://")[2].rstrip("/")


def _url(place: str) -> str:
    return (place if "://" in place else f"file://{place}").rstrip("/")


def _now_ms() -> int:
    return int(time() * 1000)
