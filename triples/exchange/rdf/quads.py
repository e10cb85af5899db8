"""The quads of a file. What cannot be read is refused with its line, and the rest is read on."""

from collections.abc import Callable, Iterator
from typing import BinaryIO, cast

from pyoxigraph import Literal, NamedNode, Quad, QuadParser, RdfFormat, Triple, parse

from triples.exchange.lines import DAMAGED, InputError, Refused, unreadable
from triples.exchange.rdf.feeding import LineFeed

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_WITH_LANGUAGE = frozenset({NamedNode(f"{_RDF}langString"), NamedNode(f"{_RDF}dirLangString")})


class Quads:
    """An iterator over the quads of a feed, which knows which line has been read."""

    def __init__(
        self, feed: LineFeed, syntax: RdfFormat, refuse: Callable[[int, Refused], None], base: str | None = None
    ) -> None:
        self._feed = feed
        self._refuse = refuse
        self._first_line = feed.line
        # Why the rest of the file was left unread, if the parser ended before the file did.
        self.fault: InputError | None = None
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
                yield from filter(_is_whole, self._parser)
                break
            except SyntaxError as error:
                if self._feed.damage is not None:
                    raise unreadable(self._feed.damage) from error
                here = (error.lineno, error.offset, error.msg)
                if here == place:
                    # The parser does not get over it.
                    break
                place = here
                self._refuse(self._first_line + (error.lineno or self._feed.line), Refused(_reason(error)))
            except (OSError, EOFError) as error:
                raise unreadable(self._feed.damage or error) from error
        if place is not None and self._is_left():
            self.fault = InputError(f"the rest cannot be read, after {place[2]}")

    def _is_left(self) -> bool:
        """True if a parser that ended after a fault, as that of JSON-LD does, has left something unread."""
        try:
            return bool(self._feed.read(1))
        except DAMAGED as error:
            raise unreadable(error) from error


def _is_whole(quad: Quad) -> bool:
    """True if no literal lacks a language. The parser has quads with those too, after it has refused them."""
    term = quad.object
    while isinstance(term, Triple):
        term = term.object
    return not (isinstance(term, Literal) and term.language is None and term.datatype in _WITH_LANGUAGE)


def _reason(error: SyntaxError) -> str:
    """The parser's words without the place, which is told beforehand."""
    _, _, reason = error.msg.partition(": ")
    return f"cannot be read: {reason or error.msg}"
