"""The report is Markdown that can be read, with all that was measured and all that was not."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.benchmarks import plots
from tests.benchmarks.report import Cell, Plot, Report, Section, Table


@pytest.mark.parametrize(
    ("cell", "shown"),
    [(None, "–"), ("a|b", "a\\|b"), (12345, "12,345"), (12345.6, "12,346"), (99.94, "99.9"), (0.12345, "0.123")],
)
def test_numbers_are_shown_with_the_digits_that_mean_something(cell: Cell, shown: str) -> None:
    assert Table(["a"], [[cell]]).text.splitlines()[-1] == f"| {shown} |"


def test_a_table_has_its_title_above_it() -> None:
    assert Table(["work", "ms"], [["query", 1.5]], "Time").text == (
        "**Time**\n\n| work | ms |\n| --- | ---: |\n| query | 1.5 |"
    )


def test_a_report_holds_what_was_measured_what_failed_and_what_was_left_out(tmp_path: Path) -> None:
    report = Report(tmp_path, "# Benchmarks")
    report.left_out.append(("Two workers", "One processor."))
    report.failed.append(("Import", "No disk."))
    plot = Plot(plots.bars("Work", ["query"], {"ours": [1.0], "theirs": [2.0]}, y="ms"), "How long.")
    report.sections.append(Section("A & B", "What was done.", [Table(["a"], [[1]])], [plot, plot], ["make bench"]))
    report.write()
    text = report.file.read_text(encoding="utf-8")
    places = [
        text.index(part)
        for part in ("# Benchmarks", "- **Import**: No disk.", "- **Two workers**: One processor.", "## A & B", "| 1 |",
                     "![How long.](a-b-1.svg)", "![How long.](a-b-2.svg)", "make bench")
    ]  # fmt: skip
    assert places == sorted(places)
    assert (tmp_path / "a-b-2.svg").read_text(encoding="utf-8") == plot.svg


@pytest.mark.parametrize(
    "svg",
    [
        plots.lines("Curve", {"p99": [(1, 2.0), (2, 30.0)]}, x="load", y="ms", logarithmic=True),
        plots.lines("Memory", {"PSS": [(0, 80.0), (1, 81.0)]}, x="minutes", y="MiB"),
        plots.bars("Parts", [""], {"door": [50.0], "store": [70.0]}, y="µs", stacked=True),
        plots.bars("Work", ["query", "add"], {"ours": [1.0, None]}, y="ms"),
    ],
)
def test_a_plot_stands_alone(svg: str) -> None:
    root = ET.fromstring(svg)
    assert root.tag.endswith("svg")
    loaded = [
        value
        for element in root.iter()
        for name, value in element.attrib.items()
        if name.endswith(("href", "src")) and not value.startswith("#")
    ]
    assert loaded == []
    assert "@import" not in svg
