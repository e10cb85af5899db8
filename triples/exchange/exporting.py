"""Exports: stored facts, as they stood at one moment, into a file or a pipe."""

from dataclasses import dataclass
from pathlib import Path

from triples.exchange.formats import Compression, Format
from triples.exchange.interrupts import Interrupts
from triples.exchange.outputs import output
from triples.exchange.rendering import head, renderer
from triples.exchange.screen import Screen
from triples.store.export import stream
from triples.store.operations import Pattern


@dataclass(frozen=True, slots=True)
class Target:
    """`path` is None for standard output."""

    path: Path | None
    format: Format
    compression: Compression


class Export:
    def __init__(self, target: Target, pattern: Pattern, min_weight: float, screen: Screen) -> None:
        self._target = target
        self._pattern = pattern
        self._min_weight = min_weight
        self._screen = screen
        self.exported = 0

    def run(self) -> None:
        """Export everything that matches; where that fails, no file is left. Raises Interrupted, OSError and
        Django's database errors.
        """
        render = renderer(self._target.format)
        with (
            Interrupts().caught(),
            output(self._target.path, self._target.compression) as file,
            stream(self._pattern, self._min_weight) as facts,
        ):
            self._screen.expect(facts.total)
            file.write(head(self._target.format))
            for batch in facts.batches:
                file.write(render(batch))
                self.exported += len(batch)
                self._screen.show(self.exported, self.exported)
