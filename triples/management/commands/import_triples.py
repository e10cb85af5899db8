"""`manage.py import_triples FILE...|-`"""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from django.conf import settings
from django.core.management import CommandError, CommandParser

from skg_site.cli.exit_codes import MISUSED
from triples.exchange.checkpoints import CheckpointFile
from triples.exchange.commands import ImportCommand, Told
from triples.exchange.destinations import OwnGraph
from triples.exchange.facts import FactMaker
from triples.exchange.file_source import FileSource, Place
from triples.exchange.formats.base import ReadOptions
from triples.exchange.formats.registry import FORMATS
from triples.exchange.inputs import PIPE, Found, Input, UnknownFormat, find_inputs, format_names
from triples.exchange.progress import FactProgress
from triples.exchange.read_arguments import add_read_arguments, prefix_store, read_options
from triples.visible import visible


class Command(ImportCommand):
    help = (
        "Store the facts of files or of a pipe (-). Formats: "
        f"{', '.join(each.title for each in FORMATS.values())}; plain, gzip, xz, zstd or zip (each file in it). TSV "
        "and CSV are in UTF-8, and have the columns subject, predicate, object, and if wanted weight and metadata as "
        "JSON; with a header in any order, and with --columns any columns. What is no fact is reported with its line "
        "and left out. An import that was interrupted is continued by the same command line. Exit code 0 when the "
        "input was read to its end, lines that were refused or not; 1 when it was not, or every line was refused; 2 "
        "when the command line makes no sense; 130 after Ctrl-C."
    )
    all_refused = "Every line was refused: is the format the right one?"
    inputs: Sequence[Input]
    reading: ReadOptions

    def add_arguments(self, parser: CommandParser) -> None:
        add = parser.add_argument
        add("files", nargs="+", metavar="FILE", help="what to import; - for standard input")
        add("--format", choices=list(FORMATS), help="instead of what a file's name or content shows")
        add("--strict", action="store_true", help="stop at the first line that is refused")
        super().add_arguments(parser)
        add_read_arguments(parser)

    def source(self, _stack: ExitStack, facts: FactMaker, options: dict[str, Any]) -> FileSource:
        names = options["files"]
        if names.count(PIPE) > 1:
            raise CommandError("Standard input can be named only once.", returncode=MISUSED)
        chosen = FORMATS.get(options["format"])
        try:
            several = [find_inputs(name, chosen) for name in names]
        except UnknownFormat as error:
            raise CommandError(f"{error}.", returncode=MISUSED) from error
        self.inputs = [one for found in several for one in found.inputs]
        passed_over = [sentence for found in several for sentence in found.passed_over]
        prefixes = prefix_store(options, self.progress.say)
        self.reading = read_options(options, [source.format for source in self.inputs], prefixes)
        return FileSource(Found(self.inputs, passed_over), facts, self.reading, prefixes)

    def destination(self, _stack: ExitStack, _screen: FactProgress, options: dict[str, Any]) -> OwnGraph:
        graph = OwnGraph(replace=options["on_duplicate"] == "replace", dry_run=options["dry_run"])
        if any(source.format.keeps_greatest for source in self.inputs):
            graph.keep_greatest()
        return graph

    def checkpoints(self, options: dict[str, Any]) -> CheckpointFile | None:
        files = [source.file for source in self.inputs if source.file is not None]
        if len(files) < len(self.inputs):
            return None
        decisive = {
            "database": settings.ENV.database_url,
            "terms": settings.ENV.term_pattern,
            "formats": [source.format.name for source in self.inputs],
            "reading": self.reading,
            "prefixes": options["prefix"],
            "weight": options["weight"],
            "scale": list(options["scale_weights"]),
            "on_duplicate": options["on_duplicate"],
        }
        folder = settings.ENV.state_dir / "imports"
        return CheckpointFile(folder, [file.path for file in files], [*files, decisive])

    def told(self, options: dict[str, Any]) -> Told:
        return Told(
            visible(", ".join("standard input" if name == PIPE else name for name in options["files"])),
            format_names(source.format for source in self.inputs),
        )

    def place(self, place: tuple[Any, ...]) -> str:
        number, line, _ = Place(*place)
        name = self.inputs[number].shown_name
        return f"after line {line:,} of {name}" if line else f"at the beginning of {name}"
