"""Inputs of an import whose body comes over HTTP: read as it comes, or from a copy on disk if the format needs that."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from django.conf import settings

from triples.exchange.compressions import LONGEST_BEGINNING, ZIP, compression_at
from triples.exchange.formats.base import Format
from triples.exchange.framed_body import ForwardReader, FramedBody
from triples.exchange.inputs import Found, Input, find_inputs
from triples.exchange.lines import DAMAGED, MAX_LINE_BYTES, InputError, unreadable
from triples.exchange.spool import remove_orphans, spool_file

_COPIED_AT_ONCE = 1 << 18
MIB = 1 << 20


@contextmanager
def received(body: FramedBody, format_: Format | None, label: str, *, is_chosen: bool) -> Iterator[Found]:
    """The inputs of a body: one, or each file of a zip, in which a format that is not chosen is that of no other.

    Without a format, the body must be a zip, or show it. Raises InputError, also if it cannot be copied whole.
    """
    stream = ForwardReader(body, MAX_LINE_BYTES)
    try:
        is_zip = compression_at(stream.peek(LONGEST_BEGINNING)) is ZIP
    except DAMAGED as error:
        raise unreadable(error) from error
    if format_ is not None and format_.is_streamed and not is_zip:
        yield Found([Input(label, format_, None, pipe=stream)])
        return
    remove_orphans()
    with spool_file() as copy:
        _copy(stream, cast("BinaryIO", copy))
        yield find_inputs(copy.name, None if is_zip and not is_chosen else format_, label)


def _copy(stream: ForwardReader, copy: BinaryIO) -> None:
    most = settings.ENV.import_disk * MIB
    copied = 0
    while content := _read(stream):
        copied += len(content)
        if copied > most:
            raise InputError(
                f"is larger than the {settings.ENV.import_disk:,} MiB (SKG_IMPORT_DISK) that may be kept on disk "
                "until the format can be read"
            )
        copy.write(content)
    copy.flush()


def _read(stream: ForwardReader) -> bytes:
    # A full disk, when it is written, is no damage of the content.
    try:
        return stream.read1(_COPIED_AT_ONCE)
    except DAMAGED as error:
        raise unreadable(error) from error
