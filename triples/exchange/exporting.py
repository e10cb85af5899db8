"""Exports: stored facts, as they stood at one moment, into a file or a pipe."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from triples.exchange.formats import Compression, Format
from triples.exchange.interrupts import Interrupts
from triples.exchange.outputs import output
from triples.exchange.rendering import rendered
from triples.exchange.screen import Screen
from triples.query.export import StreamedFact, stream
from triples.store.operations import Pattern


@dataclass(frozen=True, slots=True)
class Target:
    """`path` is None for standard output; `safe_csv` is for what a spreadsheet will open."""

    path: Path | None
    format: Format
    compression: Compression
    safe_csv: bool = False


class Export:
    def __init__(self, target: Target, pattern: Pattern, min_weight: float, screen: Screen) -> None:
        self._target = target
        self._pattern = pattern
        self._min_weight = min_weight
        self._screen = screen
        self.exported = 0

    def run(self) -> None:
        """Export everything that matches.

        Raises Interrupted, OSError and Django's database errors; then a file is as it was before.
        """
        with (
            Interrupts().caught(),
            output(self._target.path, self._target.compression) as file,
            stream(self._pattern, self._min_weight) as facts,
        ):
            self._screen.expect(facts.total)
            for part in rendered(self._target.format, self._counted(facts.batches), safe_csv=self._target.safe_csv):
                file.write(part)

    def _counted(self, batches: Iterable[list[StreamedFact]]) -> Iterator[list[StreamedFact]]:
        for batch in batches:
            yield batch
            self.exported += len(batch)
            self._screen.show(self.exported, self.exported)
