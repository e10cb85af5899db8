"""The tools that ask the graph: several patterns at once, and paths."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from skg_site.api.reading import validated
from triples.http.questions.answering import Asked
from triples.http.questions.asking import answer_paths
from triples.http.questions.path_models import PATHS_COST, AskPaths
from triples.http.questions.path_responses import PathOut, PathsOut
from triples.http.questions.request_models import Ask
from triples.http.questions.responses import AnswersOut
from triples.mcp.answers import NOTES_BYTES, Answer, Refusal, Work, cell, fitted, room, table, told_weight
from triples.mcp.names import Missing, missing_names, told
from triples.mcp.refusals import TOO_BROAD
from triples.metrics import count_question
from triples.query.finding_answers import Answers
from triples.services.graph import graph

BUDGET = 8_000
NARROWER = "put a constant in the place of a variable, or raise min_weight"


def query(arguments: dict[str, Any]) -> Work:
    asked = Asked(validated(arguments, Ask))
    return Work(asked.body.patterns_in_all, partial(_answer_query, asked))


async def _answer_query(asked: Asked) -> Answer:
    body, question = asked.body, asked.question
    found = await graph.ask(asked.find, inferred=body.include_inferred)
    content = asked.content(found)
    count_question("patterns", len(content["results"]))
    if not content["results"] and "complete_above" in content:
        raise Refusal(TOO_BROAD)
    if not content["results"] and body.cursor is None and (missing := await missing_names(question.patterns)):
        raise Refusal(told(missing))
    grouped = body.group_by is not None
    columns = [*content["variables"], *(["count"] if grouped else []), "weight"]
    # Each variable makes the cursor longer, which is told twice.
    cursor_bytes = 20 * len(columns)
    fit = fitted(_rows(content, grouped), room(columns, BUDGET, NOTES_BYTES + 2 * cursor_bytes))
    left_out = len(content["results"]) - len(fit.rows)
    if left_out and isinstance(found, Answers):
        # The next page goes on where this one ends.
        content = asked.content(found._replace(answers=found.answers[: len(fit.rows)], more=True))
    notes = _query_notes(content, left_out + content.get("groups_left_out", 0), grouped)
    # What is not there is not missed, so that a typing error would go unseen.
    unseen = [*question.absent, *(pattern for group in question.optional for pattern in group)]
    notes += map(str, await missing_names(unseen))
    given = {"total": content.get("total"), "next_cursor": content["next_cursor"]}
    more: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    return table(columns, fit, notes, most=NOTES_BYTES + cursor_bytes, **more)


def _rows(content: AnswersOut, grouped: bool) -> list[list[Any]]:
    return [
        [*result["bindings"].values(), *([result["count"]] if grouped else []), told_weight(result["weight"])]
        for result in content["results"]
    ]


def _query_notes(content: AnswersOut, left_out: int, grouped: bool) -> list[str]:
    notes = []
    if not content["results"]:
        notes.append("No answers. Each name is known; ask with fewer patterns to see which one matches nothing.")
    if (total := content.get("total")) is not None:
        notes.append(f"{total:,}{' or more' if content.get('total_capped') else ''} answers in all.")
    if grouped and left_out:
        more = "raise k, " if content.get("groups_left_out") else ""
        notes.append(f"{left_out:,} less frequent groups are left out: {more}narrow the question, or add a filter.")
    if (cursor := content["next_cursor"]) is not None:
        notes.append(f'More answers follow: the same call with cursor "{cursor}".')
    if "complete_above" in content:
        notes.append(f"The time was over, so lighter answers may be missing: {NARROWER}.")
    return notes


def paths(arguments: dict[str, Any]) -> Work:
    body = validated(arguments, AskPaths)
    body.check()
    return Work(PATHS_COST, partial(_answer_paths, body))


async def _answer_paths(body: AskPaths) -> Answer:
    content = await answer_paths(body)
    is_complete = "complete_above" not in content and "complete_within" not in content
    if not content["paths"] and not is_complete:
        raise Refusal("No path was found in time. Lower max_length, or name the predicates that may lead there.")
    if not content["paths"] and (missing := await _missing_ends(body)):
        raise Refusal(told(missing))
    columns = ["weight", "path"]
    fit = fitted([_path(one) for one in content["paths"]], room(columns, BUDGET), _path_line)
    return table(columns, fit, _path_notes(content, body, len(fit.rows), is_complete), write=_path_line)


async def _missing_ends(body: AskPaths) -> list[Missing]:
    """Hints about names that no fact has: each end must stand in some fact, and each predicate too."""
    predicates = await missing_names([(None, one, None) for one in (body.predicates or [])])
    ends = [await missing_names([(end, None, None), (None, None, end)]) for end in (body.from_, body.to)]
    # An end that stands in one of the two places is there.
    return [*predicates, *(missing[0] for missing in ends if len(missing) == 2)]


def _path(path: PathOut) -> list[Any]:
    """The weight, and of each fact: subject, predicate, object, weight, whether it is walked backwards."""
    steps = [
        [fact["subject"], fact["predicate"], fact["object"], told_weight(fact["weight"]), fact["reversed"]]
        for fact in path["facts"]
    ]
    return [told_weight(path["weight"]), steps]


def _path_line(row: Sequence[Any]) -> str:
    """Such as `0.81  Einstein -born_in-> Ulm <-visited- Grossmann`."""
    weight, steps = row
    text = cell(weight) + "\t"
    for place, (subject, predicate, object_, _, reversed_) in enumerate(steps):
        start, end = (object_, subject) if reversed_ else (subject, object_)
        arrow = f" <-{cell(predicate)}- " if reversed_ else f" -{cell(predicate)}-> "
        text += ("" if place else cell(start)) + arrow + cell(end)
    return text


def _path_notes(content: PathsOut, body: AskPaths, shown: int, is_complete: bool) -> list[str]:
    notes = []
    found = len(content["paths"])
    if not found:
        notes.append(
            f"No path of at most {body.max_length} facts. Raise max_length (at most 10),"
            ' take direction "any", or leave predicates out.'
        )
    elif shown < found:
        notes.append(f"{found - shown:,} more paths are left out: ask for fewer, or shorter ones (max_length).")
    elif found == body.k:
        notes.append("There may be more paths: raise k to see them.")
    if not is_complete:
        notes.append("The time was over, so paths may be missing: lower max_length, or name predicates.")
    return notes
