"""Questions of several patterns, from texts to texts: how one is planned and run, and what its answers say."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

from triples.patterns import Variable
from triples.query.answers import Answer, GroupCount, Position, Ranking
from triples.query.batched_join import answered_together
from triples.query.blocks import Fact, OutOfTime, TooMany
from triples.query.counting import count_answers, count_groups
from triples.query.graph_facts import GraphFacts, Named
from triples.query.join_order import MOST_COUNTED, JoinOrder, join_order
from triples.query.questions import Question, with_ids
from triples.query.ranked_join import ranked
from triples.query.statements import COUNT_LIMIT

# Partial answers that a join should have at most for all of its answers to be found and sorted.
_FEW = 500
# The same where they all may weigh the same.
_MANY = 10_000
# The heaviest facts of a pattern that weigh the same where weights do not tell much.
_SAME = 64

# How the answers were found: all of them, and then sorted; or the heaviest first, without the others.
Way = Literal["all", "heaviest first", "nothing matches"]
Expired = Callable[[], bool]


class Plan(NamedTuple):
    """How a question was answered. `order` has the places of its patterns."""

    order: tuple[int, ...]
    # Of each pattern by its constants alone, as far as they were counted.
    facts: tuple[int, ...]
    # Partial answers after each pattern.
    estimates: tuple[float, ...]
    way: Way
    # Facts that were really read.
    read: int


class Total(NamedTuple):
    """How many different answers there are, exact up to COUNT_LIMIT."""

    answers: int
    capped: bool


class Answers(NamedTuple):
    """The answers of one page, what they name, and how they were found."""

    answers: Sequence[Answer]
    # Of the terms, and of the facts if asked for.
    named: Named
    # Whether others follow.
    more: bool
    # If the time was over: every answer that is heavier than this is there.
    complete_above: float | None
    # None: nobody asked, or the time was over before all were counted.
    total: Total | None
    plan: Plan


class Groups(NamedTuple):
    """All groups, the texts of their terms, and how they were found."""

    groups: Sequence[GroupCount]
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
    # One more than is shown: if it is there, there is another page.
    way, order, found = _ranking(asked, order, source, expired, k=k + 1, after=after)
    shown = found.answers[:k]
    total = _total(asked, order, source, expired) if counted else None
    facts = {fact for answer in shown for fact in answer.facts} if with_facts else set[Fact]()
    return Answers(
        shown,
        source.named(facts, {term for answer in shown for term in answer.terms if term}),
        len(found.answers) > k,
        found.complete_above,
        total,
        Plan(order.places, order.facts, order.estimates, way, found.read),
    )


def find_groups(question: Question[str], source: GraphFacts, expired: Expired) -> Groups:
    """The groups of `group_by`, most frequent first; OutOfTime if not all answers were seen in time."""
    asked = _with_ids(question, source)
    order = join_order(asked, source)
    groups = [] if order.is_empty else count_groups(asked, order.places, source, expired=expired)
    texts = source.texts({term for group in groups for term in group.terms if term})
    return Groups(groups, texts, Plan(order.places, order.facts, order.estimates, "all", 0))


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
    """The first answers, by the way that should be faster, and the order that was taken; both ways give the same."""
    if order.is_empty:
        return "nothing matches", order, Ranking([], None)
    unweighted = max(order.estimates) > _FEW and _is_unweighted(question, source)
    # Where all answers may weigh the same, finding the heaviest first is no help.
    if max(order.estimates) <= (_MANY if unweighted else _FEW):
        try:
            return "all", order, answered_together(question, order.places, source, k=k, after=after, expired=expired)
        except TooMany:
            pass
    if unweighted and question.selected and order.facts[0] == MOST_COUNTED:
        # Ties are in the order of the selected terms. What begins with them need not be found before what is wanted.
        order = join_order(question, source, question.selected[0])
    return "heaviest first", order, ranked(question, order.places, source, k=k, after=after, expired=expired)


def _is_unweighted(question: Question[int], source: GraphFacts) -> bool:
    """Whether so many facts of each pattern weigh the same that nearly all answers may do so."""
    for pattern in question.patterns:
        subject, predicate, object_ = (None if isinstance(place, Variable) else place for place in pattern)
        block = source.block((subject, predicate, object_), None, _SAME)
        if len({fact.weight for fact in block}) > 1:
            return False
    return True


def _total(question: Question[int], order: JoinOrder, source: GraphFacts, expired: Expired) -> Total | None:
    try:
        found = (
            0 if order.is_empty else count_answers(question, order.places, source, limit=COUNT_LIMIT, expired=expired)
        )
    except OutOfTime:
        return None
    return Total(min(found, COUNT_LIMIT), capped=found > COUNT_LIMIT)
