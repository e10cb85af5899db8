"""`manage.py load_test [URL]`"""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import orjson
import uvloop
from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser

from skg_site.cli.arguments import argument, seconds, share, whole_number
from skg_site.cli.exit_codes import FAILED, NOT_ALLOWED, UNAVAILABLE, after_signal
from skg_site.cli.interrupts import Stopped
from skg_site.cli.keys import KEY_FILE_HELP, read_key
from skg_site.cli.progress import ProgressBar
from skg_site.cli.service_urls import local_url
from skg_site.ops.loadtest import arguments
from skg_site.ops.loadtest.api_calls import NotAllowed, NotReady
from skg_site.ops.loadtest.driver import Plan
from skg_site.ops.loadtest.mixes import parse_mix
from skg_site.ops.loadtest.run import Load, LoadResult, left_sentence, new_name, remove, run

Result = TypeVar("Result")

MOST_CONNECTIONS = 10_000
LARGEST_BATCH = 100_000
DEFAULT_MIX = "query=80,add=15,batch=5"


class Command(BaseCommand):
    help = (
        "Load a running service with queries, single facts and batches, and show how it did: throughput, latency and "
        "failures of each kind of work. The facts are deleted again, unless --keep; their terms remain until the "
        "graph is vacuumed. Exit code 0 when every request succeeded, 1 when one failed, 2 when the command line makes "
        "no sense, 69 when there is no service, 77 when the key or its rate limit does not allow the load, 130 after "
        "Ctrl-C."
    )
    # The command is a client: the database may be on another machine.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("url", nargs="?", metavar="URL", help="the service (default: SKG_PORT of this machine)")
        add = parser.add_argument_group("the load").add_argument
        number: dict[str, Any] = {"metavar": "N"}
        time: dict[str, Any] = {"metavar": "TIME"}
        add(
            "--concurrency", type=whole_number(MOST_CONNECTIONS), default=16, **number, help="connections (default: 16)"
        )
        add("--duration", type=arguments.duration, default=30.0, **time, help="how long: 30s, 5m, 1h (default: 30s)")
        add("--warm-up", type=seconds, default=3.0, **time, help="before it, and not counted (default: 3s)")
        add(
            "--mix",
            type=argument(parse_mix),
            default=parse_mix(DEFAULT_MIX),
            help=f"kinds of work and their proportions (default: {DEFAULT_MIX})",
        )
        add(
            "--batch-size",
            type=whole_number(LARGEST_BATCH),
            default=20,
            **number,
            help="facts in a batch (default: 20)",
        )
        add(
            "--rate",
            type=arguments.rate,
            **number,
            help="send this many requests a second, whether the service keeps up or not; the time that a request waits "
            "for a connection counts (default: each connection sends when its last request was answered)",
        )
        parser.add_argument(
            "--ignore-limit",
            action="store_true",
            help="send although the key's rate limit will refuse a part of it (default: do not begin then)",
        )
        add("--timeout", type=arguments.duration, default=10.0, **time, help="for one request (default: 10s)")
        parser.add_argument(
            "--key-file",
            type=Path,
            metavar="FILE",
            help=KEY_FILE_HELP,
        )
        parser.add_argument(
            "--tolerate",
            type=share,
            default=0.0,
            metavar="SHARE",
            help="exit with 0 although this share of the requests failed: 0.5%% (default: none)",
        )
        afterwards = parser.add_mutually_exclusive_group()
        afterwards.add_argument("--keep", action="store_true", help="do not delete the facts that were added")
        afterwards.add_argument(
            "--remove",
            type=arguments.name,
            metavar="PREDICATE",
            help="send no load, only delete what an earlier one left: all facts with its predicate",
        )
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")
        parser.add_argument("--i-own-this-host", action="store_true", help="load a service that is not on this machine")

    def handle(self, *_: Any, **options: Any) -> None:
        load = Load(
            url=arguments.target(options["url"] or local_url(settings.ENV.port), allow_any=options["i_own_this_host"]),
            key=read_key(options["key_file"]),
            plan=Plan(options["concurrency"], options["duration"], options["warm_up"], options["rate"]),
            mix=options["mix"],
            batch_size=options["batch_size"],
            timeout=options["timeout"],
            keep=options["keep"],
            ignore_limit=options["ignore_limit"],
            name=options["remove"] or new_name(),
        )
        if options["remove"]:
            self.remove(load, as_json=options["json"])
        else:
            self.run(load, as_json=options["json"], tolerated=options["tolerate"])

    def run(self, load: Load, *, as_json: bool, tolerated: float) -> None:
        with ProgressBar(refresh_in_thread=False) as progress:
            progress.say(_announcement(load))
            outcome = _ended(run(load, progress))
        self.stdout.write(orjson.dumps(_content(load, outcome)).decode() if as_json else outcome.summary.text)
        _exit(load, outcome, tolerated=tolerated)

    def remove(self, load: Load, *, as_json: bool) -> None:
        with ProgressBar(refresh_in_thread=False) as progress:
            cleaned = _ended(remove(load, progress))
        if as_json:
            self.stdout.write(orjson.dumps({"predicate": load.name, "removed": cleaned.removed}).decode())
        else:
            self.stdout.write(f"{cleaned.removed:,} facts with the predicate {load.name} were deleted.")
        if cleaned.left:
            raise CommandError(left_sentence(load, cleaned), returncode=FAILED)


def _ended(work: Coroutine[Any, Any, Result]) -> Result:
    """Do the work. Raises CommandError, with the exit code of the reason, if it could not begin."""
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(work)
    except NotAllowed as error:
        raise CommandError(str(error), returncode=NOT_ALLOWED) from None
    except NotReady as error:
        raise CommandError(str(error), returncode=UNAVAILABLE) from None
    except Stopped as stopped:
        raise CommandError(
            "Interrupted before anything was sent.", returncode=after_signal(stopped.signal_number)
        ) from None


def _exit(load: Load, outcome: LoadResult, *, tolerated: float) -> None:
    sentences, code = [], 0
    if outcome.summary.failed_share > tolerated:
        sentences.append(f"{outcome.summary.failed_share:.3%} of the requests failed.")
        code = FAILED
    if outcome.cleaned.left:
        sentences.append(left_sentence(load, outcome.cleaned))
        code = FAILED
    if outcome.signal_number is not None:
        sentences.insert(0, "Interrupted; what is shown was measured until then.")
        code = after_signal(outcome.signal_number)
    if sentences:
        raise CommandError(" ".join(sentences), returncode=code)


def _content(load: Load, outcome: LoadResult) -> dict[str, Any]:
    plan = load.plan
    return {
        "url": load.url,
        "concurrency": plan.concurrency,
        "duration": plan.duration,
        "warm_up": plan.warm_up,
        "rate": plan.rate,
        "mix": {work.value: number for work, number in load.mix.items()},
        "complete": outcome.signal_number is None,
        **outcome.summary.content,
        "facts": {
            "predicate": load.name,
            "removed": outcome.cleaned.removed,
            "kept": load.keep or outcome.cleaned.left is not None,
        },
    }


def _announcement(load: Load) -> str:
    plan = load.plan
    mix = ",".join(f"{work}={number}" for work, number in load.mix.items())
    pace = "" if plan.rate is None else f" at {plan.rate:g} requests a second"
    adds = f" What is added has the predicate {load.name}." if load.adds else ""
    return (
        f"{load.url}: {mix} over {plan.concurrency} connections{pace}, {plan.duration:g} s after {plan.warm_up:g} s "
        f"of warm-up.{adds}"
    )
