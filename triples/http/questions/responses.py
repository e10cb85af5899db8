"""Answers to questions of several patterns as JSON."""

from typing import Annotated, NotRequired

from pydantic import Field
from typing_extensions import TypedDict  # Pydantic needs this one before Python 3.12

from skg_site.api.fields import UUIDText
from triples.http.questions.facts import FoundFact, found_fact, public_id
from triples.http.questions.request_models import cursor_of
from triples.patterns import Variable
from triples.query.answers import Position
from triples.query.finding_answers import Answers, Groups, Plan
from triples.query.questions import AskedPattern, Question
from triples.weights import computed

Bindings = Annotated[dict[str, str | None], Field(description="The term of each variable.")]


class AnswerOut(TypedDict):
    bindings: Bindings
    weight: Annotated[
        float, Field(ge=0, le=1, description="The product of the weights of the facts, to 15 significant digits.")
    ]
    count: NotRequired[
        Annotated[int, Field(default=0, description="Only with group_by: how many different answers there are.")]
    ]
    facts: NotRequired[
        Annotated[list[UUIDText], Field(default=[], description="Only with include_facts: one for each pattern.")]
    ]


class PlanStepOut(TypedDict):
    pattern: Annotated[list[str | None], Field(min_length=3, max_length=3)]
    facts: Annotated[int, Field(description="How many match its constants, as far as they were counted.")]
    estimate: Annotated[float, Field(description="How many partial answers it should leave.")]


class PlanOut(TypedDict):
    way: Annotated[
        str,
        Field(
            description="How the answers were found: `in parts`, the first pattern's heaviest facts joined with the"
            " others, as far as needed; `by term`, the same where all answers weigh the same; `fact by fact`; `all`,"
            " for groups; or `nothing matches`."
        ),
    ]
    steps: Annotated[list[PlanStepOut], Field(description="The patterns in the order of joining.")]
    facts_read: Annotated[int, Field(description="How many facts the database handed over.")]


class AnswersOut(TypedDict):
    variables: list[str]
    results: Annotated[
        list[AnswerOut], Field(description="Heaviest first, ties by terms; groups: most frequent first.")
    ]
    next_cursor: Annotated[str | None, Field(description="The cursor of the next page; null on the last one.")]
    query_time_ms: int
    facts: NotRequired[
        Annotated[
            list[FoundFact],
            Field(default=[], description="Only with include_facts: each fact that an answer names, once."),
        ]
    ]
    total: NotRequired[
        Annotated[
            int | None,
            Field(
                default=None, description="Only with count: how many answers there are; null if time did not suffice."
            ),
        ]
    ]
    total_capped: NotRequired[
        Annotated[bool, Field(default=False, description="Present and true when there are more than 10,000.")]
    ]
    complete_above: NotRequired[
        Annotated[
            float | None,
            Field(default=None, description="Only if the time was over: every answer heavier than this is there."),
        ]
    ]
    groups_left_out: NotRequired[
        Annotated[int, Field(default=0, description="Only with group_by: how many groups were too many to show.")]
    ]
    plan: NotRequired[Annotated[PlanOut, Field(description="Only with explain.")]]


ANSWERS: AnswersOut = {
    "variables": ["?c", "?p"],
    "results": [{"bindings": {"?c": "Grossmann", "?p": "Einstein"}, "weight": 0.81}],
    "next_cursor": None,
    "query_time_ms": 1,
}
GROUPS: AnswersOut = {
    "variables": ["?p"],
    "results": [{"bindings": {"?p": "Einstein"}, "weight": 0.81, "count": 3}],
    "next_cursor": None,
    "query_time_ms": 1,
}


def answers_content(question: Question[str], found: Answers, *, with_facts: bool) -> AnswersOut:
    """The page without its time and plan."""
    names = [str(variable) for variable in question.selected]
    results: list[AnswerOut] = []
    text = found.named.texts.get
    for answer in found.answers:
        # In half of the time that a comprehension takes: there may be thousands.
        bindings = dict(zip(names, map(text, answer.terms), strict=True))
        result: AnswerOut = {"bindings": bindings, "weight": computed(answer.weight)}
        if with_facts:
            result["facts"] = [public_id(fact, found.named) for fact in answer.facts]
        results.append(result)
    # An answer that came in time is followed by others.
    more = found.more or (found.complete_above is not None and bool(found.answers))
    last = found.answers[-1] if more else None
    content: AnswersOut = {
        "variables": names,
        "results": results,
        "next_cursor": None if last is None else cursor_of(Position(last.weight, last.terms)),
        "query_time_ms": 0,
    }
    if with_facts:
        named = dict.fromkeys(fact for answer in found.answers for fact in answer.facts)
        content["facts"] = [found_fact(fact, found.named) for fact in named]
    if found.complete_above is not None:
        content["complete_above"] = found.complete_above
    return content


def add_total(content: AnswersOut, found: Answers) -> None:
    content["total"] = None if found.total is None else found.total.answers
    if found.total is not None and found.total.capped:
        content["total_capped"] = True


def groups_content(question: Question[str], found: Groups) -> AnswersOut:
    """The groups, without the time and the plan."""
    names = [str(variable) for variable in question.group_by]
    results: list[AnswerOut] = [
        {
            "bindings": {name: found.texts.get(term) for name, term in zip(names, group.terms, strict=True)},
            "weight": computed(group.weight),
            "count": group.answers,
        }
        for group in found.groups
    ]
    content: AnswersOut = {"variables": names, "results": results, "next_cursor": None, "query_time_ms": 0}
    if found.left_out:
        content["groups_left_out"] = found.left_out
    return content


def plan_content(question: Question[str], plan: Plan) -> PlanOut:
    steps: list[PlanStepOut] = [
        {"pattern": _written(question.patterns[place]), "facts": facts, "estimate": round(estimate, 1)}
        for place, facts, estimate in zip(plan.order, plan.facts, plan.estimates, strict=True)
    ]
    return {"way": plan.way, "steps": steps, "facts_read": plan.read}


def _written(pattern: AskedPattern[str]) -> list[str | None]:
    return [str(place) if isinstance(place, Variable) else place for place in pattern]
