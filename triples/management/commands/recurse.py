"""`manage.py recurse`"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, get_args

import orjson
import structlog
from django.conf import settings
from django.core.management import CommandError, CommandParser

from skg_site.cli.arguments import argument
from skg_site.cli.base_command import UncheckedCommand
from skg_site.cli.exit_codes import BUSY, FAILED, MISUSED
from skg_site.cli.failures import failures_told
from skg_site.cli.interrupts import Interrupted
from skg_site.cli.prompts import user_name
from skg_site.host.processes import lower_priority
from triples.exchange.arguments import weight_argument
from triples.fact_validation import asked_text
from triples.models import RecursionRun, RunStatus
from triples.recursion.engine import EngineFailed
from triples.recursion.rules import clean_name
from triples.runs.engine_choice import EngineChoice, EngineName, check_exchange, check_remote
from triples.runs.execution import execute
from triples.runs.lease import LeaseTaken
from triples.runs.options import RunOptions, check_names
from triples.runs.outcomes import TimedOut
from triples.runs.progress import RunProgress
from triples.runs.published import whose
from triples.runs.recording import Recorder, perform
from triples.runs.responses import dry_content, run_content
from triples.runs.summaries import dry_sentence, run_sentence
from triples.services.runs import RunActive, RunEnded, UnknownRules, run_cancel, run_check_rules, run_queue
from triples.visible import visible_json

log = structlog.get_logger("skg.recursion")

ENDED_WELL = {RunStatus.SUCCEEDED, RunStatus.UNCHANGED, RunStatus.LIMITED}


class Command(UncheckedCommand):
    help = (
        "Derive new facts by the enabled rules, or bring those derived before up to date. Shows a progress bar on a "
        "terminal and writes one JSON line a round otherwise, both to standard error. Exit code 0 when it is done or "
        "there is nothing to do, 75 when another run is active, 1 when it failed or was cancelled, 2 when the command "
        "line makes no sense, 130 after Ctrl-C."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--max-depth", type=int, metavar="N", help="keep proofs of at most N steps")
        parser.add_argument(
            "--min-weight", type=weight_argument, default=0.0, metavar="WEIGHT", help="keep facts this heavy"
        )
        parser.add_argument(
            "--entity-type",
            type=argument(asked_text),
            action="append",
            default=[],
            metavar="TYPE",
            help="derive facts of entities of this type only; may be given again for another",
        )
        parser.add_argument(
            "--rule",
            type=argument(clean_name),
            action="append",
            default=[],
            metavar="NAME",
            help="apply this rule only; may be given again",
        )
        configured = settings.ENV.engine
        parser.add_argument(
            "--engine",
            choices=get_args(EngineName),
            default=configured.name,
            help=f"what derives everything anew (default: {configured.name})",
        )
        parser.add_argument(
            "--remote",
            type=argument(check_remote),
            default=configured.remote,
            metavar="sc://HOST:PORT",
            help="the Spark Connect server of --engine spark",
        )
        parser.add_argument(
            "--exchange",
            type=argument(check_exchange),
            default=configured.exchange,
            metavar="PATH_OR_S3_URL",
            help="where --engine spark and this command hand facts over to each other",
        )
        parser.add_argument("--force", action="store_true", help="derive everything anew, even if nothing has changed")
        parser.add_argument("--dry-run", action="store_true", help="say what would be derived, and write nothing")
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")
        parser.add_argument(
            "--cancel",
            action="store_true",
            help="end the run that is active, whoever started it; the inferred facts stay as they are",
        )
        parser.add_argument("--run", type=int, metavar="ID", help="do this run, which the service has queued")

    def handle(self, *_: Any, run: int | None, json: bool, dry_run: bool, cancel: bool, **asked: Any) -> None:
        lower_priority()
        if run is not None:
            _do_queued(run)
            return
        if cancel:
            self._cancel(json=json)
            return
        options = RunOptions(
            max_depth=_depth(asked["max_depth"]),
            min_weight=asked["min_weight"],
            entity_types=_names(asked["entity_type"], "--entity-type"),
            rules=_names(asked["rule"], "--rule"),
            force=asked["force"],
        )
        engine = _engine(EngineChoice(asked["engine"], asked["remote"], asked["exchange"]))
        interrupted = "Interrupted; the inferred facts are those of the run before."
        with failures_told(interrupted), _refusals_told(), RunProgress(self.stderr) as progress:
            content, sentence, well = _do(options, engine, progress, dry=dry_run)
        if json:
            self.stdout.write(visible_json(orjson.dumps(content).decode()))
        elif well:
            self.stdout.write(sentence)
        if not well:
            raise CommandError(sentence, returncode=FAILED)

    def _cancel(self, *, json: bool) -> None:
        with failures_told("Interrupted."):
            active = RecursionRun.objects.filter(active=True).first()
            try:
                run = active and run_cancel(run_id=active.id, requested_by=f"command by {user_name()}")
            except RunEnded:
                run = None
        if json:
            self.stdout.write(visible_json(orjson.dumps(run and run_content(run)).decode()))
        else:
            self.stdout.write("No run is active." if run is None else run_sentence(run))


@contextmanager
def _refusals_told() -> Iterator[None]:
    """Turn the reasons why a run does not begin or end into a CommandError."""
    try:
        yield
    except RunActive as active:
        sentence = f"Another run is active, since {active.run.created_at:%Y-%m-%d %H:%M:%S} UTC."
        raise CommandError(sentence, returncode=BUSY) from None
    except LeaseTaken:
        raise CommandError("Another run is active.", returncode=BUSY) from None
    except UnknownRules as unknown:
        raise CommandError(str(unknown), returncode=FAILED) from None
    except TimedOut:
        raise CommandError("It took longer than SKG_RECURSION_TIMEOUT allows.", returncode=FAILED) from None
    except EngineFailed as failed:
        raise CommandError(str(failed), returncode=FAILED) from None
    except MemoryError:
        sentence = "The facts need more than SKG_RECURSION_MEMORY and SKG_RECURSION_DISK allow."
        raise CommandError(sentence, returncode=FAILED) from None


def _do(
    options: RunOptions, engine: EngineChoice, progress: RunProgress, *, dry: bool
) -> tuple[Mapping[str, Any], str, bool]:
    """The outcome as JSON and as a sentence, and whether the run ended well."""
    if dry:
        run_check_rules(options=options)
        outcome = execute(options, progress, None, engine=engine, dry=True)
        return dry_content(outcome), dry_sentence(outcome), True
    run = run_queue(options=options, requested_by=f"command by {user_name()}")
    try:
        ended = perform(run, Recorder(run, progress), engine)
    except Interrupted as told:
        raise CommandError(f"Interrupted; {whose(run)}.", returncode=told.exit_code) from None
    return run_content(ended), run_sentence(ended), ended.status in ENDED_WELL


def _do_queued(run_id: int) -> None:
    """Do a run that the service has queued. The output goes to the service's log, so it is log lines only."""
    run = RecursionRun.objects.filter(id=run_id).first()
    if run is not None and run.status == RunStatus.CANCELLED:
        return
    if run is None or run.active is None:
        log.error("run_not_queued", run=run_id)
        sys.exit(FAILED)
    try:
        ended = perform(run, Recorder(run), settings.ENV.engine)
    except LeaseTaken:
        log.warning("run_refused", run=run_id)
        sys.exit(BUSY)
    except Exception:
        log.exception("run_failed", run=run_id)
        sys.exit(FAILED)
    sys.exit(0 if ended.status in ENDED_WELL else FAILED)


def _engine(choice: EngineChoice) -> EngineChoice:
    try:
        choice.check()
    except ValueError as error:
        raise CommandError(str(error), returncode=MISUSED) from None
    return choice


def _names(names: list[str], option: str) -> tuple[str, ...]:
    try:
        return check_names(tuple(dict.fromkeys(names)))
    except ValueError as error:
        raise CommandError(f"What {option} gives {error}.", returncode=MISUSED) from None


def _depth(depth: int | None) -> int | None:
    if depth is not None and depth < 1:
        raise CommandError("--max-depth must be at least 1.", returncode=MISUSED)
    return depth
