"""Finding the answers to a question of several patterns: it looks up ids, plans the join, runs it, and reads texts."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from heapq import nsmallest
from itertools import chain
from math import nextafter
from typing import Literal, NamedTuple

from triples.query.answers import Answer, GroupCount, Position, Ranking
from triples.query.blocks import NO_TERM, Fact, OutOfTime, TooMany
from triples.query.counting import count_answers, count_groups
from triples.query.counting_in_parts import count_in_parts, groups_in_parts
from triples.query.graph_facts import GraphFacts, Named
from triples.query.join_order import JoinOrder, join_order
from triples.query.joining_by_term import begins_with_selected, joined_by_term
from triples.query.joining_in_parts import FIRST, OnlyTies, joined_in_parts
from triples.query.lookups import ends_of
from triples.query.parts_join import PartsJoin
from triples.query.questions import Question, with_ids
from triples.query.ranked_join import ranked
from triples.query.reads import COUNT_LIMIT

# If all answers may weigh the same and should be at least so many, the first by their terms are looked for.
_MANY = 20_000
# The rows that the first part of a join should have.
_ROWS = 5_000
# If a join should read fewer facts, the first of its answers by their terms are not looked for.
_FEW = 500
# What it costs to sort the terms of a fact, in facts that are joined, and what is joined in vain.
_TERM, _SPARE = 0.1, 1.5
# What costs no more than this is tried: what other ways cost is an estimate, which may be far too low.
_CHEAP = 10_000
# More rows than this, and one for each answer, cost more than to look for the first answers by their terms.
_TOO_MANY = 1_000
# If this many of a pattern's heaviest facts weigh the same, weights are taken not to matter.
_SAME = 64

# How the answers were found: the first pattern's facts joined part by part, the heaviest first or, where all answers
# weigh the same, by a term; one fact after the other; all, for groups.
Way = Literal["in parts", "by term", "fact by fact", "all", "nothing matches"]
Expired = Callable[[], bool]


class Plan(NamedTuple):
    """The way in which a question was answered. `order` has the indexes of its patterns in the order of joining."""

    order: tuple[int, ...]
    # The number of facts of each pattern by its constants alone, as far as they were counted.
    facts: tuple[int, ...]
    # The estimated number of partial answers after each pattern.
    estimates: tuple[float, ...]
    way: Way
    # The number of facts that were read.
    read: int


class Total(NamedTuple):
    """The number of different answers, exact up to COUNT_LIMIT."""

    answers: int
    capped: bool


class Answers(NamedTuple):
    """The answers of one page, the names in them, and how they were found."""

    answers: Sequence[Answer]
    # The names of the terms and, if asked for, of the facts.
    named: Named
    # Whether others follow.
    more: bool
    # Set if the time was over: every answer that is heavier than this is there.
    complete_above: float | None
    # None if it was not asked for, or if the time was over before all were counted.
    total: Total | None
    plan: Plan


class Groups(NamedTuple):
    """The first groups, how many others there are, the texts of their terms, and how they were found."""

    groups: Sequence[GroupCount]
    left_out: int
    texts: Mapping[int, str]
    plan: Plan


def find_answers(
    question: Question[str],
    source: GraphFacts,
    expired: Expired,
    *,
    k: int,
    after: Position | None = None,
    counted: bool = False,
    with_facts: bool = False,
) -> Answers:
    """The first k answers that follow `after`, heaviest first."""
    asked = _with_ids(question, source)
    order = join_order(asked, source)
    # One more than is shown: if it is there, there is another page. Without variables there is one answer, or none.
    most = k + 1 if question.selected else 1
    way, order, found = _ranking(asked, order, source, expired, k=most, after=after)
    shown = found.answers[:k]
    total = _total(asked, order, found, source, expired) if counted else None
    facts = {fact for answer in shown for fact in answer.facts} if with_facts else set[Fact]()
    return Answers(
        shown,
        source.named(facts, set(chain.from_iterable(answer.terms for answer in shown)) - {NO_TERM}),
        len(found.answers) > k,
        found.complete_above,
        total,
        Plan(order.places, order.facts, order.estimates, way, found.read),
    )


def find_groups(question: Question[str], source: GraphFacts, expired: Expired, *, most: int) -> Groups:
    """The groups of `group_by`, most frequent first, `most` of them at most.

    Raises OutOfTime if not all answers were seen in time.
    """
    asked = _with_ids(question, source)
    order = join_order(asked, source)
    groups = [] if order.is_empty else groups_in_parts(asked, order.places, source, expired)
    if groups is None:
        groups = count_groups(asked, order.places, source, expired=expired)
    first = nsmallest(most, groups, key=lambda group: group.rank)
    texts = source.texts({term for group in first for term in group.terms if term})
    return Groups(first, len(groups) - len(first), texts, Plan(order.places, order.facts, order.estimates, "all", 0))


def _with_ids(question: Question[str], source: GraphFacts) -> Question[int]:
    patterns = [
        *question.patterns,
        *(pattern for group in question.optional for pattern in group),
        *question.absent,
    ]
    return with_ids(
        question, source.ids({place for pattern in patterns for place in pattern if isinstance(place, str)})
    )


def _ranking(
    question: Question[int], order: JoinOrder, source: GraphFacts, expired: Expired, *, k: int, after: Position | None
) -> tuple[Way, JoinOrder, Ranking]:
    """The first answers, found in the way that should be faster, and the order of joining. All ways give the same."""
    if order.is_empty:
        return "nothing matches", order, Ranking([], None, total=0)
    found = None
    if sum(order.estimates) >= _FEW and _is_uniform(question, source):
        found = _ranking_of_uniform(question, order, source, expired, k=k, after=after)
    return found or _ranking_of_any(question, order, source, expired, k=k, after=after)


def _ranking_of_any(
    question: Question[int], order: JoinOrder, source: GraphFacts, expired: Expired, *, k: int, after: Position | None
) -> tuple[Way, JoinOrder, Ranking]:
    by_term = partial(joined_by_term, question, source=source, k=k, after=after, expired=expired)
    many = max(_MANY, 2 * k)
    tied = _for_ties(question, order, source) if order.estimates[-1] >= many else None
    # Whether by term is a way that was not tried.
    untried = True
    with suppress(TooMany):
        # The estimate of another order may differ.
        if tied is not None and tied.estimates[-1] >= many and _is_unweighted(question, source):
            untried = False
            if ranking := by_term(tied):
                return "by term", tied, ranking
        join = PartsJoin(question, order.places, source, k, after, expired)
        sizes = zip(order.places, order.facts, strict=True)
        by_terms = min([facts for place, facts in sizes if begins_with_selected(question, [place])], default=None)
        first = min(FIRST, int(_ROWS * max(order.estimates[0], 1.0) / max(order.estimates)))
        in_parts = partial(joined_in_parts, facts=order.facts[0], expected=order.estimates[-1], first=first)
        try:
            return "in parts", order, in_parts(join, by_term=by_terms if untried else None)
        except OnlyTies:
            untried = False
            tied = tied or _for_ties(question, order, source)
        if tied is not None and (ranking := by_term(tied)):
            return "by term", tied, ranking
        # There are fewer than were expected.
        join = PartsJoin(question, order.places, source, k, after, expired)
        return "in parts", order, in_parts(join)
    if untried and tied is None and _is_unweighted(question, source):
        tied = _for_ties(question, order, source)
    with suppress(TooMany):
        if untried and tied is not None and (ranking := by_term(tied)):
            return "by term", tied, ranking
    order = tied or order
    return "fact by fact", order, ranked(question, order.places, source, k=k, after=after, expired=expired)


def _ranking_of_uniform(
    question: Question[int], order: JoinOrder, source: GraphFacts, expired: Expired, *, k: int, after: Position | None
) -> tuple[Way, JoinOrder, Ranking] | None:
    """The same where all answers weigh the same; None if other ways should be tried."""
    tied = _for_ties(question, order, source)
    if tied is None:
        return None
    with suppress(TooMany):
        if not _costs_less(tied, order, k):
            join = PartsJoin(question, order.places, source, k, after, expired)
            # There may be far more answers than estimated.
            join.most = k + _TOO_MANY
            join.most_in_all = join.most
            return "in parts", order, joined_in_parts(join, order.facts[0])
    with suppress(TooMany):
        ranking = joined_by_term(question, tied, source, k=k, after=after, expired=expired, uniform=True)
        return None if ranking is None else ("by term", tied, ranking)
    return None


def _for_ties(question: Question[int], order: JoinOrder, source: GraphFacts) -> JoinOrder | None:
    """An order of joining that begins with the first selected term; None if there is none."""
    if not question.selected:
        return None
    if not begins_with_selected(question, order.places):
        order = join_order(question, source, question.selected[0])
    return order if begins_with_selected(question, order.places) else None


def _costs_less(tied: JoinOrder, order: JoinOrder, k: int) -> bool:
    """True if the first answers by their terms should cost less than all answers, found in another order."""
    share = min(1.0, _SPARE * k / max(tied.estimates[-1], 1.0))
    return _TERM * tied.estimates[0] + share * sum(tied.estimates) <= sum(order.estimates) + _CHEAP


def _is_uniform(question: Question[int], source: GraphFacts) -> bool:
    """True if all facts of each pattern weigh the same, so that all answers do so."""
    for pattern in question.patterns:
        ends = ends_of(pattern)
        greatest = source.weight_at(ends, 1.0, 0)
        if greatest is None:
            return False
        if source.weight_at(ends, nextafter(greatest, 0.0), 0) is not None:
            return False
    return True


def _is_unweighted(question: Question[int], source: GraphFacts) -> bool:
    """True if the heaviest facts of each pattern weigh the same, so that nearly all answers may do so."""
    for pattern in question.patterns:
        block = source.block(ends_of(pattern), None, _SAME)
        if len({fact.weight for fact in block}) > 1:
            return False
    return True


def _total(
    question: Question[int], order: JoinOrder, ranking: Ranking, source: GraphFacts, expired: Expired
) -> Total | None:
    """The number of all answers. They are counted only if the first ones were found without the others."""
    found = ranking.total
    if found is None:
        try:
            found = count_in_parts(PartsJoin(question, order.places, source, 1, None, expired), COUNT_LIMIT)
            if found is None:
                found = count_answers(question, order.places, source, limit=COUNT_LIMIT, expired=expired)
        except OutOfTime:
            return None
    return Total(min(found, COUNT_LIMIT), capped=found > COUNT_LIMIT)
