"""`manage.py delete_triples`"""

from typing import Any

import orjson
from django.core.management import CommandError, CommandParser

from skg_site.api.fields import parse_rfc3339
from skg_site.cli.arguments import argument
from skg_site.cli.base_command import UncheckedCommand
from skg_site.cli.exit_codes import MISUSED
from skg_site.cli.failures import failures_told
from skg_site.cli.progress import ProgressBar
from skg_site.cli.prompts import confirm
from triples.exchange.arguments import weight_argument
from triples.fact_validation import asked_predicate, asked_text
from triples.query.deleting import Deletion, Preview, added_between
from triples.services.deletions import deletion_perform_now, deletion_preview_now

# For as long, what would go is looked for.
PREVIEW_SECONDS = 10.0


class Command(UncheckedCommand):
    help = (
        "Delete the asserted facts that match, a few hundred at a time, while the service goes on. Says what would go, "
        "and asks first. Exit code 0 when it is done or there is nothing to do, 1 when it failed or was not confirmed, "
        "2 when the command line makes no sense, 130 after Ctrl-C; what was deleted by then stays deleted."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add = parser.add_argument
        add("--subject", type=argument(asked_text), help="only facts with this subject")
        add("--predicate", type=argument(asked_predicate), help="only facts with this predicate")
        add("--object", type=argument(asked_text), help="only facts with this object")
        add("--min-weight", type=weight_argument, default=0.0, metavar="WEIGHT", help="only facts this heavy")
        add("--max-weight", type=weight_argument, default=1.0, metavar="WEIGHT", help="only facts no heavier than this")
        moment: dict[str, Any] = {"type": argument(parse_rfc3339), "metavar": "TIME"}
        add("--added-after", **moment, help="only facts that were added later, such as 2024-01-15T10:30:00Z")
        add("--added-before", **moment, help="only facts that were added earlier")
        add("--all", action="store_true", help="without any of these, which means every fact")
        add("--dry-run", action="store_true", help="say what would go, and delete nothing")
        add("--yes", action="store_true", help="do not ask, and do not look first what would go")
        add("--json", action="store_true", help="print the outcome as JSON")

    def handle(self, *_: Any, dry_run: bool, yes: bool, json: bool, **options: Any) -> None:
        deletion = _deletion(options)
        facts = 0

        def stays_deleted() -> str:
            return f"{facts:,} facts were deleted by then, and stay deleted." if facts else ""

        with failures_told("Interrupted.", stays_deleted):
            if dry_run or not yes:
                with ProgressBar() as progress:
                    progress.report("looking for what would go", 0, None)
                    found = deletion_preview_now(deletion=deletion, seconds=PREVIEW_SECONDS)
                if dry_run:
                    self._tell_preview(found, as_json=json)
                    return
                confirm(
                    f"{_sentence(found)} Delete them?", refusal="Nothing was deleted.", yes_means="deletes the facts"
                )
            with ProgressBar() as progress:

                def report(done: int) -> None:
                    nonlocal facts
                    facts = done
                    progress.report("deleting", done, None, f"{done:,} facts")

                facts = deletion_perform_now(deletion=deletion, report=report)
                seconds = progress.seconds
        content = {"dry_run": False, "facts": facts, "seconds": round(seconds, 3)}
        text = f"{facts:,} facts deleted ({seconds:,.1f} s)."
        self.stdout.write(orjson.dumps(content).decode() if json else text)

    def _tell_preview(self, found: Preview, *, as_json: bool) -> None:
        content = {
            "dry_run": True,
            "facts": found.facts,
            "complete": found.complete,
            "inferred": None if found.hides_all else found.inferred,
        }
        self.stdout.write(orjson.dumps(content).decode() if as_json else f"{_sentence(found)} Nothing was changed.")


def _deletion(options: dict[str, Any]) -> Deletion:
    deletion = Deletion(
        (options["subject"], options["predicate"], options["object"]),
        options["min_weight"],
        options["max_weight"],
        **added_between(options["added_after"], options["added_before"]),
    )
    if deletion.is_everything and not options["all"]:
        raise CommandError("This matches every fact; say which, or give --all.", returncode=MISUSED)
    return deletion


def _sentence(found: Preview) -> str:
    least = "" if found.complete else "At least "
    facts = f"{least}{found.facts:,} facts would go"
    if found.hides_all:
        return f"{facts}, and no inferred fact would be shown until the next run."
    return f"{facts}, and {least.lower()}{found.inferred:,} inferred facts would lose their proof."
