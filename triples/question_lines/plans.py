"""Plans of questions as sentences: how the answers were found."""

from triples.http.questions.responses import PlanOut
from triples.rules.lines import write_line

_WAYS = {
    "in parts": "The heaviest facts of the first pattern were joined with the others, part by part, as far as needed",
    "by term": "All answers weigh the same, so the first pattern's facts were joined in the order of the first term",
    "fact by fact": "The heaviest answers were put together fact by fact, and no others looked for",
    "all": "All answers were found and counted",
    "nothing matches": "A pattern matches no fact, so nothing was looked for",
}


def pattern_texts(plan: PlanOut) -> list[str]:
    """The patterns as lines, in the order of joining; ? is anything."""
    return [write_line(["?" if place is None else place for place in step["pattern"]]) for step in plan["steps"]]


def way_text(plan: PlanOut) -> str:
    return f"{_WAYS.get(plan['way'], plan['way'])}. Facts read: {plan['facts_read']:,}."
