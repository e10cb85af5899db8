"""The tabs above lists of facts: asserted ones, inferred ones, or both, each with its number."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol, get_args

from triples.admin.links import ANYTHING, Kinds, list_url
from triples.query.profile import Number
from triples.query.reads import Wanted, number
from triples.store.dialect import Dialect
from triples.store.inferred.read_snapshots import VisibleFacts
from triples.store.operations import Pattern
from triples.store.sessions import Fetch
from triples.store.statistics import tallied_facts

# The facts of a pattern are counted up to this number, unless their number is known.
COUNTED = 100_000
_LABELS: dict[Kinds, str] = {"asserted": "Asserted", "inferred": "Inferred", "both": "Both"}


class Tab(NamedTuple):
    label: str
    number: str
    url: str
    current: bool


class Numbers(NamedTuple):
    """The number of facts of each kind that match a pattern. Inferred facts that are also asserted count as these."""

    asserted: Number
    inferred: Number

    def of(self, kinds: Kinds) -> Number:
        if kinds == "both":
            return Number(self.asserted.facts + self.inferred.facts, self.asserted.more or self.inferred.more)
        return self.asserted if kinds == "asserted" else self.inferred


class User(Protocol):
    def has_perm(self, perm: str) -> bool: ...


def visible_kinds(user: User) -> list[Kinds]:
    """The kinds that the user may look at."""
    asserted, inferred = user.has_perm("triples.view_triple"), user.has_perm("triples.view_inferredtriple")
    may: dict[Kinds, bool] = {"asserted": asserted, "inferred": inferred, "both": asserted and inferred}
    return [kinds for kinds in get_args(Kinds) if may[kinds]]


def numbers_of(
    fetch: Fetch, dialect: Dialect, shown: VisibleFacts | None, pattern: Pattern, min_weight: float = 0.0
) -> Numbers:
    def counted(*, asserted: bool) -> Number:
        wanted = Wanted(pattern, min_weight, asserted=asserted, inferred=not asserted)
        found = number(fetch, dialect, shown, wanted, limit=COUNTED + 1)
        return Number(min(found, COUNTED), more=found > COUNTED)

    subject, predicate, object_ = pattern
    tallied = subject is None and object_ is None and not min_weight
    asserted = Number(tallied_facts(fetch, predicate)) if tallied else counted(asserted=True)
    whole = pattern == ANYTHING and not min_weight
    if whole and shown is not None and shown.filter is not None and not (shown.filter.asserted or shown.filter.hidden):
        # None of those of the last run is hidden, or asserted since.
        return Numbers(asserted, Number(shown.state.facts))
    return Numbers(asserted, counted(asserted=False))


def tabs(kinds: Sequence[Kinds], current: Kinds, pattern: Pattern, numbers: Numbers) -> list[Tab]:
    """A tab for each kind, if there is more than one to choose from."""
    if len(kinds) == 1:
        return []
    return [Tab(_LABELS[one], str(numbers.of(one)), list_url(pattern, one), current=one == current) for one in kinds]
