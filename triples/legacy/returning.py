"""The way back: what the graph holds and the old database does not, for the old service to take."""

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path

from triples.exchange.facts import FactMaker
from triples.exchange.formats import Format, compression_of
from triples.exchange.interrupts import Interrupts
from triples.exchange.lines import Refused
from triples.exchange.outputs import output
from triples.exchange.rendering import rendered
from triples.exchange.screen import Screen
from triples.legacy.database import LegacyDatabase, Place
from triples.legacy.rows import records
from triples.query.export import StreamedFact, stream


class Return:
    def __init__(self, database: LegacyDatabase, file: Path, facts: FactMaker, screen: Screen) -> None:
        self._database = database
        self._file = file
        self._facts = facts
        self._screen = screen
        self.seen = 0
        self.written = 0

    def run(self) -> None:
        """Write them as NDJSON.

        Raises LegacyError, Interrupted, OSError and Django's database errors; then the file is as it was before.
        """
        with Interrupts().caught():
            known = self._known()
            with (
                output(self._file, compression_of(self._file.name)) as file,
                stream((None, None, None), 0) as facts,
            ):
                self._screen.expect(facts.total)
                for part in rendered(Format.NDJSON, self._unknown(facts.batches, known)):
                    file.write(part)

    def _known(self) -> set[bytes]:
        """Digests of the old facts, as terms here."""
        known: set[bytes] = set()
        for page in self._database.pages(Place()):
            facts = self._facts.facts(records(page, mark=False), _leave_out)
            known.update(_digest(fact.subject, fact.predicate, fact.object) for fact in facts)
        return known

    def _unknown(self, batches: Iterable[list[StreamedFact]], known: set[bytes]) -> Iterator[list[StreamedFact]]:
        for batch in batches:
            new = [fact for fact in batch if _digest(fact.subject, fact.predicate, fact.object) not in known]
            yield new
            self.seen += len(batch)
            self.written += len(new)
            self._screen.show(self.seen, self.seen)


def _digest(*terms: str) -> bytes:
    return blake2b("\t".join(terms).encode(), digest_size=16).digest()


def _leave_out(_row: int, _reason: Refused) -> None:
    """What never was a fact here cannot be one of those that were added here."""
