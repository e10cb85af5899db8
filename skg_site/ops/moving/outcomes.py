"""Outcomes of a copy, for people and as JSON."""

from dataclasses import dataclass
from typing import Any

from triples.store.copying.checksums import Checksum


@dataclass(frozen=True, slots=True)
class Plan:
    """The outcome of `--dry-run`."""

    source: str
    target: str
    rows: dict[str, int]
    inferred: int
    # Tables that are not copied, although they hold something.
    left_out: dict[str, int]
    continues: bool

    @property
    def content(self) -> dict[str, Any]:
        return {
            "moved": False,
            "source": self.source,
            "target": self.target,
            "rows": self.rows,
            "inferred_facts": self.inferred,
            "left_out": self.left_out,
            "continues": self.continues,
        }

    @property
    def text(self) -> str:
        how = "would go on with the copy" if self.continues else "would copy"
        told = ", ".join(f"{number:,} {name}" for name, number in self.rows.items() if number)
        text = f"This {how} from {self.source} to {self.target}: {told}, and {self.inferred:,} inferred facts."
        return text + left_out_text(self.left_out) + " Nothing was written."


@dataclass(frozen=True, slots=True)
class Moved:
    target: str
    # Of the last full comparison, before writes were stopped.
    verified: dict[str, Checksum]
    inferred: int
    left_out: dict[str, int]
    # Rows that each pass wrote, the last one while writes were stopped.
    passes: list[int]
    stop_seconds: float
    seconds: float

    @property
    def content(self) -> dict[str, Any]:
        return {
            "moved": True,
            "target": self.target,
            "verified": {name: {"rows": one.rows, "checksum": one.sum} for name, one in self.verified.items()},
            "inferred_facts": self.inferred,
            "left_out": self.left_out,
            "passes": self.passes,
            "write_stop_seconds": round(self.stop_seconds, 3),
            "seconds": round(self.seconds, 3),
        }

    @property
    def text(self) -> str:
        rows = sum(one.rows for one in self.verified.values())
        return (
            f"The graph has moved to {self.target}: {rows:,} rows of {len(self.verified)} tables with equal counts and "
            f"checksums, and {self.inferred:,} inferred facts, in {self.seconds:,.1f} s. Writes were stopped for "
            f"{self.stop_seconds:.1f} s, and are refused here from now on. Restart the service with the new database."
            + left_out_text(self.left_out)
        )


@dataclass(frozen=True, slots=True)
class TakenBack:
    target: str
    # What was changed on the target, in words, and is lost.
    lost: list[str]

    @property
    def content(self) -> dict[str, Any]:
        return {"moved": False, "taken_back": True, "target": self.target, "lost": self.lost}

    @property
    def text(self) -> str:
        text = f"The graph is back from {self.target}: writes are stored here again, and refused there."
        return f"{text} Lost: {'; '.join(self.lost)}." if self.lost else text


def left_out_text(left_out: dict[str, int]) -> str:
    if not left_out:
        return ""
    told = ", ".join(f"{name} ({number:,} rows)" for name, number in left_out.items())
    return f" Not copied, since this version of the service does not know them: {told}."
