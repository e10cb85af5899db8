"""Exports: the facts of one moment, written to a file or a pipe."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from skg_site.cli.interrupts import Interrupts
from triples.exchange.compressions import Compression
from triples.exchange.formats.base import PLAIN, Format, Writing
from triples.exchange.outputs import output
from triples.exchange.progress import FactProgress
from triples.query.export import Inferred, StreamedFact, stream
from triples.store.operations import Pattern


@dataclass(frozen=True, slots=True)
class Target:
    """The output of an export. `path` is None for standard output."""

    path: Path | None
    format: Format
    compression: Compression
    writing: Writing = PLAIN

    @property
    def member(self) -> str:
        """The name of the file within a zip."""
        stem = "facts" if self.path is None else self.path.name.removesuffix(self.path.suffix)
        return stem if stem.endswith(self.format.endings) else f"{stem}{self.format.endings[0]}"


class Export:
    def __init__(
        self,
        target: Target,
        pattern: Pattern,
        min_weight: float,
        progress: FactProgress,
        choose: Callable[[list[StreamedFact]], list[StreamedFact]] = list,
        inferred: Inferred = "without",
    ) -> None:
        """`choose` selects from the facts that match the pattern and the weight."""
        self._target = target
        self._pattern = pattern
        self._min_weight = min_weight
        self._progress = progress
        self._choose = choose
        self._inferred = inferred
        self.exported = 0

    def run(self) -> None:
        """Export everything that matches.

        Raises Interrupted, OSError, Django's database errors and those of `choose`. Then an existing file is unchanged.
        """
        with_ids = bool(self._target.writing.extras)
        with (
            Interrupts().caught(),
            output(self._target.path, self._target.compression, self._target.member) as file,
            stream(self._pattern, self._min_weight, self._inferred, with_ids=with_ids) as facts,
        ):
            self._progress.expect(facts.total)
            self._target.format.write(self._chosen(facts.batches), file, self._target.writing)

    def _chosen(self, batches: Iterable[list[StreamedFact]]) -> Iterator[list[StreamedFact]]:
        read = 0
        for batch in batches:
            chosen = self._choose(batch)
            yield chosen
            read += len(batch)
            self.exported += len(chosen)
            self._progress.show(read, read)
