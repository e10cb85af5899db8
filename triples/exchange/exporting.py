"""Exports: the facts of one moment, written to a file or a pipe."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from skg_site.cli.interrupts import Interrupts
from triples.exchange.formats import Compression, Format
from triples.exchange.outputs import output
from triples.exchange.progress import FactProgress
from triples.exchange.rendering import rendered
from triples.query.export import StreamedFact, stream
from triples.store.operations import Pattern


@dataclass(frozen=True, slots=True)
class Target:
    """The output of an export. `path` is None for standard output; `safe_csv` is for spreadsheets."""

    path: Path | None
    format: Format
    compression: Compression
    safe_csv: bool = False


class Export:
    def __init__(
        self,
        target: Target,
        pattern: Pattern,
        min_weight: float,
        progress: FactProgress,
        choose: Callable[[list[StreamedFact]], list[StreamedFact]] = list,
    ) -> None:
        """`choose` selects from the facts that match the pattern and the weight."""
        self._target = target
        self._pattern = pattern
        self._min_weight = min_weight
        self._progress = progress
        self._choose = choose
        self.exported = 0

    def run(self) -> None:
        """Export everything that matches.

        Raises Interrupted, OSError, Django's database errors and those of `choose`. Then an existing file is unchanged.
        """
        with (
            Interrupts().caught(),
            output(self._target.path, self._target.compression) as file,
            stream(self._pattern, self._min_weight) as facts,
        ):
            self._progress.expect(facts.total)
            for part in rendered(self._target.format, self._chosen(facts.batches), safe_csv=self._target.safe_csv):
                file.write(part)

    def _chosen(self, batches: Iterable[list[StreamedFact]]) -> Iterator[list[StreamedFact]]:
        read = 0
        for batch in batches:
            chosen = self._choose(batch)
            yield chosen
            read += len(batch)
            self.exported += len(chosen)
            self._progress.show(read, read)
