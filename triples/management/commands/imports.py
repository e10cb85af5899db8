"""`manage.py imports list|show|undo`"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from django.core.management import CommandError, CommandParser
from django.db import IntegrityError

from skg_site.cli.arguments import add_action, argument, whole_number, with_dashes_kept
from skg_site.cli.base_command import UncheckedCommand
from skg_site.cli.exit_codes import FAILED, UNAVAILABLE
from skg_site.cli.failures import failures_told
from skg_site.cli.progress import ProgressBar
from skg_site.cli.prompts import confirm
from skg_site.cli.tables import table
from triples.exchange.inputs import PIPE
from triples.exchange.option_names import as_parameters
from triples.exchange.received_imports import ReceivedImport, Unfinished, Unprepared, prepare
from triples.files.faults import death_of
from triples.files.responses import import_content
from triples.import_runs import ImportRun, ImportStatus
from triples.management.commands.import_triples import Command as ImportCommand
from triples.services.imports import (
    ImportUndone,
    import_begin,
    import_close,
    import_continue,
    import_undo_now,
    import_working,
    imports_close_dead,
)
from triples.visible import visible, visible_json

SHOWN = 20
# The beginning of a body of which nothing has come.
NOTHING = "0:"
# To the number of a signal a shell adds this.
SHELL_SIGNALS = 128
INTERRUPTED = "Interrupted; the same command line deletes the rest."


class Command(UncheckedCommand):
    help = (
        "List the imports, show one of them, or undo it: delete the facts that it brought and that are still there, a "
        "few hundred at a time, while the service goes on. Facts that it only gave another weight or metadata stay as "
        "they are. Exit code 0 when it is done, 1 when it failed or was not confirmed, 2 when the command line makes "
        "no sense, 130 after Ctrl-C; what was deleted by then stays deleted."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(metavar="ACTION", required=True)
        listing = add_action(actions, "list", self._list, "the newest imports")
        listing.add_argument(
            "--limit", type=whole_number(10_000), default=SHOWN, metavar="N", help=f"how many (default: {SHOWN})"
        )
        showing = add_action(actions, "show", self._show, "what an import did, and the first lines that it refused")
        undoing = add_action(actions, "undo", self._undo, "delete the facts that an import brought")
        for each in (showing, undoing):
            each.add_argument("id", type=argument(_number), metavar="ID", help="the number of the import")
        undoing.add_argument("--yes", action="store_true", help="do not ask")
        receiving = add_action(actions, "receive", _receive, "do the import that the service describes in JSON")
        receiving.add_argument("asked", type=orjson.loads, metavar="JSON", help="what is to be imported, and how")

        ending = add_action(actions, "died", _died, "record that the process of an import was ended by a signal")
        ending.add_argument("id", type=argument(_number), metavar="ID", help="the number of the import")
        ending.add_argument("code", type=int, metavar="CODE", help="its exit code, as a shell tells it")

    def handle(self, *_: Any, run: Callable[..., None], **options: Any) -> None:
        with failures_told(INTERRUPTED):
            run(options)

    def _list(self, options: dict[str, Any]) -> None:
        runs = list(ImportRun.objects.all()[: options["limit"]])
        imports_close_dead(runs=runs)
        if options["json"]:
            self._print_json([import_content(run) for run in runs])
            return
        rows = [
            (
                str(run.id),
                run.status,
                f"{run.created_at:%Y-%m-%d %H:%M}",
                f"{run.inserted:,}",
                f"{run.refused:,}",
                run.source,
            )
            for run in runs
        ]
        self.stdout.write(table([("ID", "STATUS", "BEGAN", "INSERTED", "REFUSED", "SOURCE"), *rows]))

    def _show(self, options: dict[str, Any]) -> None:
        self._tell(_found(options["id"]), as_json=options["json"])

    def _undo(self, options: dict[str, Any]) -> None:
        run = _found(options["id"])
        if run.status != ImportStatus.UNDONE:
            if not options["yes"]:
                kept = f" {run.updated:,} others that it changed stay as they are." if run.updated else ""
                question = f"Import {run.id} of {run.source} brought {run.inserted:,} facts.{kept}"
                question += " Delete those that are still there, also if others have stated or changed them since?"
                confirm(question, refusal="Nothing was deleted.", yes_means="deletes the facts")
            with ProgressBar() as progress:
                run = import_undo_now(
                    run_id=run.id,
                    report=lambda done: progress.report("deleting", done, run.inserted, f"{done:,} facts"),
                )
        self._tell(run, as_json=options["json"])

    def _tell(self, run: ImportRun, *, as_json: bool) -> None:
        if as_json:
            self._print_json(import_content(run))
            return
        numbers = f"{run.inserted:,} inserted, {run.updated:,} updated, {run.duplicates:,} duplicates"
        lines = [
            f"Import {run.id} of {run.source} ({run.format}), by {run.requested_by}: {run.status}.",
            f"{run.read:,} read: {numbers}, {run.refused:,} refused.",
        ]
        if run.undone:
            lines.append(f"{run.undone:,} of the inserted facts were deleted by the undo.")
        if run.updated and run.status == ImportStatus.UNDONE:
            lines.append(f"{run.updated:,} facts keep the weight and metadata that the import gave them.")
        self.stdout.write("\n".join([*lines, *filter(None, [run.error]), *run.first_refused]))

    def _print_json(self, content: object) -> None:
        self.stdout.write(visible_json(orjson.dumps(content).decode()))


def _receive(options: dict[str, Any]) -> None:
    """Do an import for the service, which gets one line of JSON: the import, or why there is none."""
    asked: dict[str, Any] = options["asked"]
    file = None if asked["file"] is None else Path(asked["file"])
    parser = ImportCommand().create_parser("manage.py", "import_triples")
    parser.called_from_command_line = False
    try:
        prepared = prepare(asked["name"], vars(parser.parse_args([PIPE, *with_dashes_kept(asked["arguments"])])), file)
        run = _begun(asked, "" if prepared.format is None else prepared.format.name)
    except (CommandError, Unprepared, ImportUndone) as error:
        _answer({"refused": str(error)})
        if file is not None:
            # Nobody reads the answer, and the row is there already.
            sentence = as_parameters(str(error).removeprefix("Error: ").removeprefix("argument "))
            import_close(run=ImportRun.objects.get(id=asked["run"]), error=sentence)
            file.unlink(missing_ok=True)
        return
    _answer({"import": run.id, "attempt": run.attempt, "inserted": run.inserted})
    job = ReceivedImport(run, prepared)
    try:
        with import_working(run_id=run.id):
            if file is None:
                job.read_body(sys.stdin.buffer)
            else:
                job.read_file(file)
    except Unfinished as error:
        raise CommandError(str(error), returncode=UNAVAILABLE) from error


def _died(options: dict[str, Any]) -> None:
    """For an import that the service has left to itself: its process cannot say any more that it has ended."""
    code = SHELL_SIGNALS - options["code"]
    import_close(run=_found(options["id"]), error=death_of(code, b""))


def _begun(asked: dict[str, Any], format_name: str) -> ImportRun:
    if asked["run"] is not None:
        return import_continue(run_id=asked["run"])
    try:
        return import_begin(
            source=visible(asked["name"]),
            format_name=format_name,
            requested_by=asked["requested_by"],
            options=asked["options"],
            beginning=NOTHING if asked["file"] is None else "",
            token=asked["token"],
        )
    except IntegrityError:
        # The client has sent it again before the first request had begun.
        run = ImportRun.objects.get(requested_by=asked["requested_by"], token=asked["token"])
        if run.options != asked["options"]:
            raise Unprepared("The import with this token was begun with other options.") from None
        return import_continue(run_id=run.id)


def _answer(content: dict[str, Any]) -> None:
    sys.stdout.write(orjson.dumps(content).decode() + "\n")
    sys.stdout.flush()


def _found(id_: int) -> ImportRun:
    run = ImportRun.objects.filter(id=id_).first()
    if run is None:
        raise CommandError(f"There is no import {id_}.", returncode=FAILED)
    imports_close_dead(runs=[run])
    return run


def _number(text: str) -> int:
    if not text.isdecimal() or not text.isascii() or not 0 < len(text) < 19:
        raise ValueError("must be the number of an import")
    return int(text)
