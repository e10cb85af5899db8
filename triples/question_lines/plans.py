"""Plans of questions as sentences: how the answers were found."""

from triples.http.questions.responses import PlanOut
from triples.rules.lines import write_line

_WAYS = {
    "all": "All answers were found, and the heaviest picked",
    "heaviest first": "The heaviest answers were found first, and no others looked for",
    "nothing matches": "A pattern matches no fact, so nothing was looked for",
}


def pattern_texts(plan: PlanOut) -> list[str]:
    """The patterns as lines, in the order of joining; ? is anything."""
    return [write_line(["?" if place is None else place for place in step["pattern"]]) for step in plan["steps"]]


def way_text(plan: PlanOut) -> str:
    return f"{_WAYS.get(plan['way'], plan['way'])}. Facts read: {plan['facts_read']:,}."
