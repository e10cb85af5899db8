"""`manage.py query PATTERN…`"""

from typing import Any

import orjson
from django.conf import settings
from django.core.management import CommandParser

from skg_site.cli.arguments import option_named, whole_number
from skg_site.cli.base_command import UncheckedCommand
from triples.http.questions.responses import AnswersOut, PlanOut
from triples.question_lines.answering import answer, read_question
from triples.question_lines.arguments import EXIT_CODES, add_shared, given, question_refusals_told, until, written
from triples.question_lines.faults import Names
from triples.question_lines.lines import Line, Member, read_lines
from triples.question_lines.plans import pattern_texts, way_text
from triples.visible import visible_json

# What messages call each line and each option.
_LINES: dict[Member, str] = {
    "patterns": "pattern",
    "optional": "--optional",
    "absent": "--absent",
    "filter": "--filter",
}
_OPTIONS = ("select", "group_by", "k", "min_weight", "cursor", "count", "include_facts", "allow_cross_product")


class Command(UncheckedCommand):
    help = (
        "Ask a question of one or several patterns, in the syntax of rules: ?x is a variable, and a term with spaces "
        f"stands in double quotes. The heaviest answers come first. {EXIT_CODES}"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add = parser.add_argument
        add("patterns", nargs="+", metavar="PATTERN", help="what must match, such as '?p won \"Nobel Prize\"'")
        several: dict[str, Any] = {"action": "append", "default": [], "metavar": "PATTERN"}
        add("--optional", **several, help="what may match; two or three patterns in one text are a group")
        add("--absent", **several, help="what must not match")
        add(
            "--filter",
            **several | {"metavar": "FILTER"},
            help="a variable, an operator and a value, such as '?c != ?p' or '?b in Paris Rome'",
        )
        add("--select", type=_names, metavar="?X,…", help="the variables to show; others only have to match")
        add("--group-by", type=_names, metavar="?X,…", help="count the answers for each value of these")
        add("--k", type=whole_number(settings.ENV.max_results), metavar="N", help="most answers (default: 10)")
        add("--cursor", help="continue after the answers that another command gave this cursor for")
        add("--count", action="store_true", help="say how many answers there are; exact up to 10,000")
        add("--facts", dest="include_facts", action="store_true", help="show the ids of the facts of each answer")
        add("--allow-cross-product", action="store_true", help="let patterns match that share no variable")
        add("--explain", action="store_true", help="show how the answers were found")
        add_shared(parser)

    def handle(self, *_: Any, form: str, timeout: float, **options: Any) -> None:
        with question_refusals_told():
            lines = [
                Line(member, text, f"{name} {number}" if len(options[member]) > 1 else name)
                for member, name in _LINES.items()
                for number, text in enumerate(options[member], start=1)
            ]
            document, names = read_lines(lines)
            members = given({name: options[name] for name in (*_OPTIONS, "explain")})
            if options["asserted_only"]:
                members["include_inferred"] = False
            named: Names = {(name,): option_named(name) for name in _OPTIONS}
            content = answer(read_question(document | members, names | named), until(timeout))
            if form == "json":
                self.stdout.write(visible_json(orjson.dumps(content).decode()))
            else:
                self._show(content, form, grouped=options["group_by"] is not None)

    def _show(self, content: AnswersOut, form: str, *, grouped: bool) -> None:
        header = [*content["variables"], "weight", *(["count"] if grouped else [])]
        with_facts = any("facts" in result for result in content["results"])
        rows: list[list[str | float | None]] = []
        for result in content["results"]:
            row: list[str | float | None] = [*result["bindings"].values(), result["weight"]]
            row += [result["count"]] if grouped else []
            rows.append([*row, " ".join(result["facts"])] if with_facts else row)
        if rows or form != "table":
            self.stdout.write(written([*header, "facts"] if with_facts else header, rows, form))
        for note in _notes(content):
            self.stderr.write(note)
        if "plan" in content:
            self.stderr.write(_plan_text(content["plan"]))


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]


def _notes(content: AnswersOut) -> list[str]:
    """Sentences about the answers, which are printed apart from them."""
    notes: list[str] = []
    if not content["results"] and content.get("complete_above") is None:
        notes.append("Nothing matches.")
    if "total" in content:
        total = content["total"]
        more = "more than " if "total_capped" in content else ""
        notes.append("The time was over before all were counted." if total is None else f"Answers: {more}{total:,}.")
    if left_out := content.get("groups_left_out"):
        notes.append(f"Groups that are not shown: {left_out:,}.")
    above = content.get("complete_above")
    if above is not None:
        notes.append(f"The time was over. Every answer heavier than {above!r} is here; lighter ones may be missing.")
    if content["next_cursor"] is not None:
        notes.append(f"More with --cursor {content['next_cursor']}")
    return notes


def _plan_text(plan: PlanOut) -> str:
    rows: list[list[str | float | None]] = [
        [pattern, step["facts"], step["estimate"]]
        for pattern, step in zip(pattern_texts(plan), plan["steps"], strict=True)
    ]
    steps = written(["pattern, in the order of joining", "facts", "estimate"], rows, "table")
    return f"{steps}\n{way_text(plan)}"
