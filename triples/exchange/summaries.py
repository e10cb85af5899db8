"""Summaries of imports and exports, for people and for programs."""

from dataclasses import asdict, dataclass
from typing import Any

from triples.exchange.checkpoints import Counts


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """The summary of an import. `earlier` is the part of `counts` from earlier runs; `seconds` is for this run."""

    counts: Counts
    earlier: Counts
    seconds: float
    replaced: bool
    dry_run: bool
    error: str | None
    # The number of its row, by which it can be undone.
    run_id: int | None = None

    @property
    def facts_per_second(self) -> float:
        return (self.counts.read - self.earlier.read) / max(self.seconds, 1e-3)

    @property
    def content(self) -> dict[str, Any]:
        return {
            "complete": self.error is None,
            "dry_run": self.dry_run,
            "import": self.run_id,
            **asdict(self.counts),
            "earlier_runs": asdict(self.earlier),
            "seconds": round(self.seconds, 3),
            "facts_per_second": round(self.facts_per_second),
            "error": self.error,
        }

    @property
    def text(self) -> str:
        counts = self.counts
        parts = [f"{counts.inserted:,} {'would be new' if self.dry_run else 'inserted'}"]
        if self.replaced:
            parts.append(f"{counts.updated:,} updated")
        parts += [f"{counts.duplicates:,} duplicates", f"{counts.refused:,} refused"]
        speed = f"{self.seconds:,.1f} s, {self.facts_per_second:,.0f} facts/s"
        text = f"{_facts(counts.read)} read: {', '.join(parts)} ({speed})."
        if self.earlier.read:
            text += f" {self.earlier.read:,} of them were read by earlier runs."
        if self.run_id is not None and counts.inserted:
            text += f" `manage.py imports undo {self.run_id}` takes them back."
        if self.dry_run:
            text += " Nothing was stored; what the input repeats may be counted as new each time."
        return text


@dataclass(frozen=True, slots=True)
class ExportSummary:
    exported: int
    seconds: float
    error: str | None

    @property
    def facts_per_second(self) -> float:
        return self.exported / max(self.seconds, 1e-3)

    @property
    def content(self) -> dict[str, Any]:
        return {
            "complete": self.error is None,
            "exported": self.exported,
            "seconds": round(self.seconds, 3),
            "facts_per_second": round(self.facts_per_second),
            "error": self.error,
        }

    @property
    def text(self) -> str:
        return f"{_facts(self.exported)} exported ({self.seconds:,.1f} s, {self.facts_per_second:,.0f} facts/s)."


def _facts(number: int) -> str:
    return "1 fact" if number == 1 else f"{number:,} facts"
