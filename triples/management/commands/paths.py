"""`manage.py paths FROM TO`"""

from typing import Any, get_args

import orjson
from django.core.management import CommandParser

from skg_site.cli.arguments import whole_number
from skg_site.cli.base_command import UncheckedCommand
from triples.http.questions.path_models import MAX_PATH_LENGTH, MAX_PATHS
from triples.http.questions.path_responses import PathsOut
from triples.query.path_facts import Direction, Order
from triples.question_lines.answering import answer_paths
from triples.question_lines.arguments import EXIT_CODES, add_shared, given, question_refusals_told, until, written
from triples.question_lines.faults import Names
from triples.visible import visible_json

_NAMES: Names = {("from",): "FROM", ("to",): "TO", ("predicates",): "--predicate"}
_HEADER = ("path", "weight", "step", "subject", "predicate", "object", "fact weight", "kind", "walked")


class Command(UncheckedCommand):
    help = (
        "Find the best paths between two terms: the heaviest, or the shortest with --order length. No path has a term "
        f"twice. {EXIT_CODES}"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add = parser.add_argument
        add("start", metavar="FROM", help="the term where a path begins")
        add("goal", metavar="TO", help="the term where it ends")
        add(
            "--predicate",
            action="append",
            default=[],
            metavar="PREDICATE",
            help="only facts with this predicate; may be given again for another",
        )
        add("--direction", choices=get_args(Direction), help="follow facts forwards, backwards or both (default: any)")
        add("--max-length", type=whole_number(MAX_PATH_LENGTH), metavar="N", help="most facts in a path (default: 6)")
        add("--k", type=whole_number(MAX_PATHS), metavar="N", help="most paths (default: 1)")
        add("--order", choices=get_args(Order), help="what is best (default: weight)")
        add_shared(parser)

    def handle(self, *_: Any, start: str, goal: str, form: str, timeout: float, **options: Any) -> None:
        members = given({name: options[name] for name in ("direction", "max_length", "k", "order", "min_weight")})
        members |= given({"predicates": [{"term": predicate} for predicate in options["predicate"]]})
        if options["asserted_only"]:
            members["include_inferred"] = False
        with question_refusals_told():
            # Each is a term as it is given.
            ends = {"from": {"term": start}, "to": {"term": goal}}
            content = answer_paths({**ends, **members}, _NAMES, until(timeout))
            if form == "json":
                self.stdout.write(visible_json(orjson.dumps(content).decode()))
            else:
                self._show(content, form)

    def _show(self, content: PathsOut, form: str) -> None:
        rows = _rows(content)
        if rows or form != "table":
            self.stdout.write(written(_HEADER, rows, form))
        for note in _notes(content):
            self.stderr.write(note)


def _rows(content: PathsOut) -> list[list[str | float | None]]:
    """A row for each fact of each path."""
    return [
        [
            number,
            path["weight"],
            step,
            fact["subject"],
            fact["predicate"],
            fact["object"],
            fact["weight"],
            "inferred" if fact["inferred"] else "asserted",
            "backwards" if fact["reversed"] else "forwards",
        ]
        for number, path in enumerate(content["paths"], start=1)
        for step, fact in enumerate(path["facts"], start=1)
    ]


def _notes(content: PathsOut) -> list[str]:
    above, within = content.get("complete_above"), content.get("complete_within")
    if above is not None:
        return [f"The time was over. Every path heavier than {above!r} is here; lighter ones may be missing."]
    if within is not None:
        return [f"The time was over. Every path of at most {within} facts is here; longer ones may be missing."]
    return [] if content["paths"] else ["There is no path."]
