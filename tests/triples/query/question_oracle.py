"""Answers to questions of several patterns straight from their definition: every combination of facts is tried."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from triples.patterns import Variable, variables
from triples.query.blocks import Fact
from triples.query.questions import AskedPattern, Question

Binding = Mapping[Variable, int | None]


def all_answers(
    question: Question[int], facts: Iterable[Fact], texts: Mapping[int, str]
) -> list[tuple[Binding, float]]:
    """Every way in which the question holds, with all of its variables."""
    visible = [fact for fact in facts if fact.weight > 0]
    found = []
    for binding, weight in _required(question.patterns, visible, {}, 1.0):
        if weight < question.min_weight or weight == 0:
            continue
        for row in _optional(question.optional, visible, binding):
            absent = not any(any(_matches(pattern, visible, row)) for pattern in question.absent)
            if absent and all(
                filter_.holds({variable: texts.get(row[variable] or 0) for variable in filter_.variables})
                for filter_ in question.filters
            ):
                found.append((row, weight))
    return found


def best_answers(
    question: Question[int], select: Sequence[Variable], facts: Iterable[Fact], texts: Mapping[int, str]
) -> list[tuple[tuple[int, ...], float]]:
    """The different answers over `select`, in order; null as 0."""
    best: dict[tuple[int, ...], float] = {}
    for row, weight in all_answers(question, facts, texts):
        terms = tuple(row[variable] or 0 for variable in select)
        best[terms] = max(weight, best.get(terms, 0.0))
    return sorted(best.items(), key=lambda item: (-item[1], item[0]))


def _required(
    patterns: Sequence[AskedPattern[int]], facts: list[Fact], binding: Binding, weight: float
) -> Iterator[tuple[Binding, float]]:
    if not patterns:
        yield binding, weight
        return
    for extended, fact in _matches(patterns[0], facts, binding):
        yield from _required(patterns[1:], facts, extended, weight * fact.weight)


def _optional(groups: Sequence[Sequence[AskedPattern[int]]], facts: list[Fact], binding: Binding) -> Iterator[Binding]:
    if not groups:
        yield binding
        return
    rows: list[Binding] = [row for row, _ in _required(groups[0], facts, binding, 1.0)]
    for row in rows or [dict.fromkeys(variables(groups[0])) | dict(binding)]:
        yield from _optional(groups[1:], facts, row)


def _matches(pattern: AskedPattern[int], facts: list[Fact], binding: Binding) -> Iterator[tuple[Binding, Fact]]:
    for fact in facts:
        extended = dict(binding)
        for place, term in zip(pattern, fact.key, strict=True):
            wanted = extended.setdefault(place, term) if isinstance(place, Variable) else place
            if wanted != term and place is not None:
                break
        else:
            yield extended, fact
