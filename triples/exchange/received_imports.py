"""Imports of what the service was sent, each in a process of its own: the body of a request, or an uploaded file."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from django.core.management import CommandError
from django.db import Error as AnyDatabaseError

from skg_site.cli.interrupts import Interrupted
from skg_site.host.unfit_database import UnfitDatabase
from triples.exchange.checkpoints import Checkpoint, Counts
from triples.exchange.commands import failure_sentence
from triples.exchange.compressions import ZIP, compression_of
from triples.exchange.destinations import DestinationError, OwnGraph
from triples.exchange.facts import FactMaker
from triples.exchange.file_source import FileSource, Place
from triples.exchange.formats.base import Format, ReadOptions
from triples.exchange.formats.registry import FORMATS, format_of
from triples.exchange.framed_body import Beginning, BrokenOff, FramedBody, OtherBody
from triples.exchange.importing import Import, MostRefused, StrictStop
from triples.exchange.inputs import Found, find_inputs, format_names
from triples.exchange.lines import InputError
from triples.exchange.option_names import as_parameters
from triples.exchange.progress import FactProgress
from triples.exchange.rdf.options import PrefixStore
from triples.exchange.read_arguments import prefix_store, read_options
from triples.exchange.receiving import received
from triples.exchange.recording import Recording
from triples.exchange.refusals import Refusals
from triples.import_runs import ImportRun
from triples.services.imports import NO_DATABASE

BROKEN_OFF = "The connection broke before the end of the body."
# The causes are told to the log only: they may name hosts, files and statements.
NO_FILE = "The service could not use one of its own files."
ENDED = "The process of the import was ended."


class Prepared(NamedTuple):
    """An import whose options make sense."""

    label: str
    # None before the files of a zip show theirs.
    format: Format | None
    options: dict[str, Any]
    prefixes: PrefixStore

    def reading(self, formats: Sequence[Format]) -> ReadOptions:
        """Raises CommandError if an option does not go with the formats."""
        return read_options(self.options, formats, self.prefixes)


class Unprepared(ValueError):
    """The options make no sense. The message is a sentence."""


def prepare(label: str, options: dict[str, Any], file: Path | None = None) -> Prepared:
    """Check the options, as `import_triples` has them. Raises Unprepared, and CommandError."""
    chosen = FORMATS.get(options["format"])
    found = chosen or format_of(label)
    formats = [found] if found is not None else []
    if file is not None:
        # Damage is told when the file is read.
        with suppress(InputError):
            formats = [each.format for each in find_inputs(str(file), chosen, label).inputs]
    elif chosen is None and compression_of(label) is ZIP:
        formats = []
    elif not formats:
        raise Unprepared(f"--format: The format is not known: give one of {', '.join(FORMATS)}.")
    prepared = Prepared(label, found or (formats[0] if formats else None), options, prefix_store(options, _say_nothing))
    if formats:
        prepared.reading(formats)
    return prepared


class Unfinished(Exception):
    """The service failed, and not the content, so that the same may be sent again. The message is for the log."""


class ReceivedImport:
    """The import of one body, or of one file; of a body, from where an earlier one broke off."""

    def __init__(self, run: ImportRun, prepared: Prepared) -> None:
        self._run = run
        self._prepared = prepared
        self._graph = OwnGraph(replace=prepared.options["on_duplicate"] == "replace", dry_run=False)
        self._recording = Recording(run, self._graph)

    def read_body(self, pipe: BinaryIO) -> None:
        """Import the body that comes in frames through a pipe. How it ended is in the row. Raises Unfinished."""
        try:
            body = FramedBody(pipe, Beginning.parse(self._run.beginning))
        except BrokenOff:
            self._recording.end(BROKEN_OFF)
            return
        except OtherBody as error:
            self._recording.end(str(error))
            return
        self._recording.body = body
        is_chosen = self._prepared.options["format"] is not None
        self._import(received(body, self._prepared.format, self._prepared.label, is_chosen=is_chosen), body)

    def read_file(self, path: Path) -> None:
        """Import a file, which is then removed. How it ended is in the row. Raises Unfinished."""
        try:
            chosen = FORMATS.get(self._prepared.options["format"])
            self._import(nullcontext(find_inputs(str(path), chosen, self._prepared.label)))
        except InputError as error:
            self._recording.end(as_parameters(f"{error}."), is_final=True)
        finally:
            path.unlink(missing_ok=True)

    def _import(self, opened: AbstractContextManager[Found], body: FramedBody | None = None) -> None:
        sentence: str | None = None
        cause: BaseException | None = None
        is_final = False
        job: Import | None = None
        try:
            with self._recording.watched(), opened as found:
                job = self._job(found)
                job.run()
                if job.counts.read and job.counts.refused == job.counts.read:
                    sentence, is_final = "Every line was refused: is the format the right one?", True
        except DestinationError as error:
            sentence = str(error)
        except (StrictStop, MostRefused, InputError) as error:
            sentence, is_final = as_parameters(failure_sentence(error)), True
        except CommandError as error:
            # An option does not go with the formats that a zip has.
            sentence, is_final = as_parameters(str(error)), True
        except (OSError, AnyDatabaseError, Interrupted) as error:
            sentence, cause = _told(error), error
        if sentence is not None and body is not None and body.broke:
            sentence, cause, is_final = BROKEN_OFF, None, False
        self._recording.end(sentence, () if job is None else job.first_refused, is_final=is_final)
        if cause is not None:
            raise Unfinished(failure_sentence(cause)) from cause

    def _job(self, found: Found) -> Import:
        options, run = self._prepared.options, self._run
        formats = [each.format for each in found.inputs]
        reading = self._prepared.reading(formats)
        if run.format != (names := format_names(formats)):
            ImportRun.objects.filter(id=run.id).update(format=names)
        if any(each.keeps_greatest for each in formats):
            self._graph.keep_greatest()
        start = None
        if run.place:
            counts = Counts(run.read, run.inserted, run.updated, 0, run.refused)
            # Those of a chunk that was not stored whole are read again, and found as duplicates then.
            counts.duplicates = run.read - run.inserted - run.updated - run.refused
            start = Checkpoint(Place(*run.place), counts, ())
        facts = FactMaker(options["weight"], options["scale_weights"])
        job = Import(
            FileSource(found, facts, reading, self._prepared.prefixes),
            self._graph,
            progress=FactProgress(),
            refusals=Refusals(_say_nothing, None),
            strict=options["strict"],
            checkpoints=None,
            start=start,
        )
        job.journal = self._recording
        return job


def _told(failure: BaseException) -> str:
    """The sentence that tells clients of a failure of the service."""
    match failure:
        case UnfitDatabase():
            return str(failure)
        case AnyDatabaseError():
            return NO_DATABASE
        case OSError():
            return NO_FILE
        case _:
            return ENDED


def _say_nothing(_sentence: str) -> None:
    """Nobody is at a terminal; the row has the first refused lines."""
