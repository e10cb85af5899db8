"""`manage.py export_triples FILE|-`"""

from pathlib import Path
from typing import Any

from django.core.management import CommandError, CommandParser
from django.db import Error as AnyDatabaseError

from skg_site.cli.arguments import argument
from skg_site.cli.base_command import UncheckedCommand
from skg_site.cli.departed_readers import reader_departed
from skg_site.cli.exit_codes import MISUSED
from skg_site.cli.failures import database_sentence
from skg_site.cli.interrupts import Interrupted
from triples.exchange.arguments import format_named, weight_argument
from triples.exchange.commands import report
from triples.exchange.compressions import COMPRESSIONS, NONE, ZIP, compression_of
from triples.exchange.exporting import Export, Target
from triples.exchange.formats.base import Unwritable
from triples.exchange.formats.registry import FORMATS
from triples.exchange.inputs import PIPE
from triples.exchange.progress import FactProgress
from triples.exchange.summaries import ExportSummary
from triples.exchange.write_arguments import add_write_arguments, write_options
from triples.fact_validation import asked_predicate, asked_text
from triples.visible import visible


class Command(UncheckedCommand):
    help = (
        "Write the stored facts, as they stand at this moment, to a file or to standard output (-). Formats: "
        f"{', '.join(each.title for each in FORMATS.values())}; plain, gzip, xz, zstd or zip. import_triples makes the "
        "same facts of it. The file appears once it is complete. The summary goes to standard error. Exit code 0 when "
        "everything was written, 1 when not, 2 when the command line makes no sense, 130 after Ctrl-C, 141 when nobody "
        "reads the pipe any more."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="where to write; - for standard output")
        parser.add_argument("--format", choices=list(FORMATS), help="instead of what the name tells")
        parser.add_argument("--compress", choices=list(COMPRESSIONS), help="instead of what the name tells")
        parser.add_argument("--subject", type=argument(asked_text), help="only facts with this subject")
        parser.add_argument("--predicate", type=argument(asked_predicate), help="only facts with this predicate")
        parser.add_argument("--object", type=argument(asked_text), help="only facts with this object")
        parser.add_argument(
            "--min-weight", type=weight_argument, default=0.0, metavar="WEIGHT", help="only facts this heavy"
        )
        add_write_arguments(parser)
        parser.add_argument("--json", action="store_true", help="print the summary as JSON")

    def handle(self, *_: Any, file: str, json: bool, **options: Any) -> None:
        format_ = format_named(file, options["format"])
        compression = COMPRESSIONS[options["compress"]] if options["compress"] else compression_of(file)
        if format_.is_archive:
            if compression not in {NONE, ZIP}:
                sentence = f"{format_.title} is written as a zip, which is compressed already; name it FILE.neo4j.zip."
                raise CommandError(sentence, returncode=MISUSED)
            compression = NONE
        target = Target(
            None if file == PIPE else Path(file),
            format_,
            compression,
            write_options(options, format_),
        )
        pattern = (options["subject"], options["predicate"], options["object"])
        failure: BaseException | None = None
        with FactProgress() as progress:
            job = Export(target, pattern, options["min_weight"], progress, inferred=options["inferred"])
            try:
                job.run()
            except (Interrupted, Unwritable, OSError, AnyDatabaseError) as error:
                if reader_departed(error):
                    raise
                failure = error
            seconds = progress.seconds
        summary = ExportSummary(job.exported, seconds, _sentence(failure, file))
        report(summary, failure, lambda text: self.stderr.write(text, self.style.SUCCESS), as_json=json)


def _sentence(failure: BaseException | None, name: str) -> str | None:
    match failure:
        case None:
            return None
        case Interrupted():
            return "Interrupted before the end."
        case Unwritable():
            return f"{failure}."
        case BrokenPipeError():
            return "The reader of the pipe went away before the end."
        case OSError():
            return f"{visible(name)}: {failure.strerror or failure}."
        case _:
            return database_sentence(failure)
