"""The quads of a file. What cannot be read is refused with its line, and the rest is read on."""

from collections.abc import Callable, Iterator
from typing import BinaryIO, cast

from pyoxigraph import Quad, QuadParser, RdfFormat, parse

from triples.exchange.lines import InputError, Refused, unreadable
from triples.exchange.rdf.feeding import LineFeed


class Quads:
    """An iterator over the quads of a feed, which knows which line has been read."""

    def __init__(
        self, feed: LineFeed, syntax: RdfFormat, refuse: Callable[[int, Refused], None], base: str | None = None
    ) -> None:
        self._feed = feed
        self._refuse = refuse
        self._first_line = feed.line
        try:
            self._parser: QuadParser = parse(cast("BinaryIO", feed), syntax, base_iri=base)
        except ValueError as error:
            raise InputError(f"--base: {error}") from error

    @property
    def prefixes(self) -> dict[str, str]:
        """The prefixes that have been declared so far."""
        return dict(self._parser.prefixes)

    def __iter__(self) -> Iterator[Quad]:
        place: tuple[object, ...] | None = None
        while True:
            try:
                yield from self._parser
                return
            except SyntaxError as error:
                if self._feed.damage is not None:
                    raise unreadable(self._feed.damage) from error
                here = (error.lineno, error.offset, error.msg)
                if here == place:
                    # The parser does not get over it.
                    return
                place = here
                self._refuse(self._first_line + (error.lineno or self._feed.line), Refused(_reason(error)))
            except (OSError, EOFError) as error:
                raise unreadable(self._feed.damage or error) from error


def _reason(error: SyntaxError) -> str:
    """The parser's words without the place, which is told beforehand."""
    _, _, reason = error.msg.partition(": ")
    return f"cannot be read: {reason or error.msg}"
