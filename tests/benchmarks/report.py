"""What a benchmark's sections give back, and the one report that is written of them.

A section's module has a function `run(settings: Settings) -> Section`. It raises `LeftOut` with the reason
where this machine or these settings do not allow it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

Cell = str | int | float | None


class LeftOut(Exception):
    """The section cannot be measured here; the message is a sentence that says why."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`folder` is the section's own, empty, for databases and logs: what is in it is deleted when the section ends.

    `peers` is the folder of the peers' programs and `peer_python` an interpreter that has what they need; they, and
    the files after them, may be missing. A comparison takes `rounds` turns of `seconds` each, `quick` asks for the
    least that shows anything, and without `soak_minutes` there is no hour of load.
    """

    folder: Path
    peers: Path | None = None
    peer_python: Path | None = None
    rounds: int = 3
    seconds: int = 4
    quick: bool = False
    soak_minutes: int = 0
    # A real graph as TSV, rules for it, and a program of the peers that derives the same from it.
    graph: Path | None = None
    rules: Path | None = None
    recursion_peer: Path | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows as long as the columns; a number is shown with as many digits as mean something."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    title: str = ""

    @property
    def text(self) -> str:
        lines = [self.columns, ["---" if place == 0 else "---:" for place in range(len(self.columns))], *self.rows]
        rows = "\n".join("| " + " | ".join(map(_shown, line)) + " |" for line in lines)
        return f"**{self.title}**\n\n{rows}" if self.title else rows


@dataclass(frozen=True, slots=True)
class Plot:
    """An image as the text of an SVG file; see `tests.benchmarks.plots` for ways to draw one."""

    svg: str
    caption: str


@dataclass(frozen=True, slots=True)
class Section:
    """`lead` says in plain words what was measured and how, and what came of it; `commands` what was run for it."""

    title: str
    lead: str
    tables: Sequence[Table] = ()
    plots: Sequence[Plot] = ()
    commands: Sequence[str] = ()


@dataclass(slots=True)
class Report:
    """Markdown in a folder, written anew after every section: whatever happens later, what was measured is there."""

    folder: Path
    heading: str
    sections: list[Section] = field(default_factory=list)
    # Titles, each with a reason.
    left_out: list[tuple[str, str]] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)

    @property
    def file(self) -> Path:
        return self.folder / "report.md"

    def write(self) -> None:
        parts = [self.heading]
        for title, listed in (("Failed", self.failed), ("Left out", self.left_out)):
            if listed:
                items = "\n".join(f"- **{name}**: {reason}" for name, reason in listed)
                parts.append(f"## {title}\n\nNot measured in this run:\n\n{items}")
        parts += [self._section_text(section) for section in self.sections]
        self.file.write_text("\n\n".join(parts) + "\n", encoding="utf-8")

    def _section_text(self, section: Section) -> str:
        parts = [f"## {section.title}", section.lead, *(table.text for table in section.tables)]
        for number, plot in enumerate(section.plots, start=1):
            name = f"{slug(section.title)}-{number}.svg"
            (self.folder / name).write_text(plot.svg, encoding="utf-8")
            parts.append(f"![{plot.caption}]({name})\n\n*{plot.caption}*")
        if section.commands:
            parts.append("```sh\n" + "\n".join(section.commands) + "\n```")
        return "\n\n".join(part for part in parts if part)


def slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def _shown(cell: Cell) -> str:
    match cell:
        case None:
            return "–"
        case str():
            return cell.replace("|", "\\|")
        case int():
            return f"{cell:,}"
        case _:
            return f"{cell:,.0f}" if abs(cell) >= 100 else f"{cell:.3g}"
