"""The visible facts of one moment by the ids of their terms, for joins and paths: `triples.query.blocks.Source`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import nextafter
from typing import Any, Literal, NamedTuple

from triples.patterns import Shape
from triples.query.blocks import Ends, Fact
from triples.query.facts_by_key import texts_by_ids
from triples.query.join_statements import LEAST, grouped_statement, join_statement, numbers_statement
from triples.query.lookups import GroupedJoin, JoinedRow, Lookup, OfTerms, Part, Slots, Terms
from triples.query.predicates import Side, numbers_by_predicate, predicate_ids
from triples.query.term_places import as_keys
from triples.recursion.programs import Key
from triples.store.dialect import Dialect
from triples.store.fact_tables import EXACT, InferredFilter, Kind
from triples.store.inferred.key_batches import batches
from triples.store.inferred.layout import KEY
from triples.store.join_sql import linked
from triples.store.parts import fewest_dense, lightest, nth_id, nth_weight, number_heavier, ordered_terms
from triples.store.select import Select, Start, heaviest_first, shape_of, sql
from triples.store.sessions import Fetch, Rows
from triples.store.statistics import tallied

_COLUMNS = (*KEY, "weight", "id")
_OF_PREDICATE = (False, True, False)
_OF_PREDICATE_AND_OBJECT = (False, True, True)
_IDS = "SELECT text, id FROM triples_term WHERE"


class Named(NamedTuple):
    """The texts of terms, and when asserted facts were added, in milliseconds."""

    texts: Mapping[int, str]
    created: Mapping[Key, int]


@dataclass(frozen=True, slots=True)
class GraphFacts:
    """Asserted facts and, where there is a filter for them, inferred ones."""

    fetch: Fetch
    dialect: Dialect
    visible: InferredFilter | None

    def block(self, ends: Ends, after: Fact | None, size: int) -> list[Fact]:
        """At most `size` facts with these ends, heaviest first, from behind `after` on.

        At equal weight the asserted facts come first, by id, then the inferred ones, by key.
        """
        if after is None:
            return self._part(ends, "top", [LEAST], size)
        # Each is one range of an index.
        found = self._rest_of_weight(ends, after, size)
        if len(found) < size:
            found += self._part(ends, "lighter", [after.weight, LEAST], size - len(found))
        return found

    def together(self, ends: Sequence[Ends], limit: int) -> list[Fact]:
        shape = shape_of(ends[0])
        kinds: list[tuple[Kind, InferredFilter | None]] = [("asserted", None)]
        if self.visible is not None:
            kinds.append(("inferred", self.visible))
        found: list[Fact] = []
        for batch in batches([tuple([term or 0 for term in one]) for one in ends]):
            for kind, visible in kinds:
                one = [batch, limit + 1]
                parameters = one if visible is None else self._inferred(shape, one)
                found += _facts(self.fetch(_of_many(shape, kind, self.dialect, visible), parameters))
                if len(found) > limit:
                    return found
        return found

    def joined(
        self, lookups: Sequence[Lookup], given: Sequence[Terms] | Part, least: Sequence[float], limit: int
    ) -> Sequence[JoinedRow]:
        return self.fetch(*join_statement(lookups, given, least, limit, self.dialect, self.visible))

    def joined_terms(
        self, lookups: Sequence[Lookup], part: OfTerms, least: Sequence[float], limit: int, wanted: Slots
    ) -> Sequence[Terms]:
        return self.fetch(*join_statement(lookups, part, least, limit, self.dialect, self.visible, wanted))

    def joined_number(
        self, lookups: Sequence[Lookup], given: Sequence[Terms] | Part, least: Sequence[float], limit: int
    ) -> int:
        statement = join_statement(lookups, given, least, limit, self.dialect, self.visible, "number")
        [(found,)] = self.fetch(*statement)
        return int(found)

    def joined_groups(self, join: GroupedJoin, part: Part) -> Sequence[Sequence[Any]]:
        return self.fetch(*grouped_statement(join, part, self.dialect, self.visible))

    def numbers(self, lookups: Sequence[Lookup], given: Sequence[Terms], least: float, limit: int) -> Sequence[int]:
        return [n for _, n in self.fetch(*numbers_statement(lookups, given, least, limit, self.dialect, self.visible))]

    def size(self) -> int:
        return tallied(self.fetch, self.dialect)

    def linked(
        self, subjects: Collection[int], predicate: int | None, objects: Collection[int], least: float, limit: int
    ) -> list[Fact]:
        kinds: list[tuple[Kind, InferredFilter | None]] = [("asserted", None)]
        if self.visible is not None:
            kinds.append(("inferred", self.visible))
        given: list[Any] = [
            as_keys(list(subjects)),
            as_keys(list(objects)),
            *([] if predicate is None else [predicate]),
        ]
        given = [*given, max(least, LEAST)] * (2 if self.dialect.names_indexes else 1)
        found: list[Fact] = []
        for kind, visible in kinds:
            statement = linked(kind, self.dialect, visible, predicate=predicate is not None)
            found += _facts(self.fetch(statement, [*given, limit - len(found)]))
        return found

    def terms(self, ends: Ends, column: int, after: int, weight: float, size: int) -> Sequence[int]:
        shape = shape_of(ends)
        one: list[Any] = [*(term for term in ends if term is not None), max(weight, LEAST), after]
        by_subject = False
        if shape == _OF_PREDICATE and column == 0:
            # The index of asserted facts has them in order.
            by_subject = self.visible is not None and self._is_dense(shape, one, size)
        elif shape == _OF_PREDICATE_AND_OBJECT and self.visible is None and self.dialect.names_indexes:
            by_subject = self._is_dense(shape, one, size)
        statement = ordered_terms(shape, column, "asserted", self.dialect, None, by_subject=by_subject)
        found = [term for (term,) in self.fetch(statement, [*one, size])]
        if self.visible is not None:
            statement = ordered_terms(shape, column, "inferred", self.dialect, self.visible, by_subject=by_subject)
            inferred = [term for (term,) in self.fetch(statement, [*one, size])]
            found = sorted({*found, *inferred})[:size]
        return found

    def _is_dense(self, shape: Shape, bounds: Sequence[Any], wanted: int) -> bool:
        """True if there are enough asserted facts within the bounds: constants, the least weight, a term."""
        *constants, weight, _ = bounds
        fewest = fewest_dense(tallied(self.fetch, self.dialect), wanted)
        if shape == _OF_PREDICATE:
            if tallied(self.fetch, self.dialect, constants[0]) < fewest:
                return False
            least = self.fetch(lightest(shape, self.dialect), constants)
            # All of them may be meant.
            if least and least[0][0] >= weight:
                return True
        [(facts,)] = self.fetch(number_heavier(shape, self.dialect), [*constants, weight, fewest])
        return int(facts) >= fewest

    def weight_at(self, ends: Ends, most: float, place: int) -> float | None:
        if self.visible is not None:
            facts = self._part(ends, "lighter", [nextafter(most, 2.0), LEAST], place + 1)
            return facts[place].weight if len(facts) > place else None
        constants = [term for term in ends if term is not None]
        found = self.fetch(nth_weight(shape_of(ends), self.dialect), [*constants, most, LEAST, place])
        return float(found[0][0]) if found else None

    def id_at(self, ends: Ends, weight: float, after: int, place: int) -> int | None:
        constants = [term for term in ends if term is not None]
        found = self.fetch(nth_id(shape_of(ends), self.dialect), [*constants, weight, after, place])
        return int(found[0][0]) if found else None

    @property
    def most_joined(self) -> int:
        """Every pattern doubles a statement that has to look at both kinds of facts."""
        return 8 if self.visible is None else 2

    @property
    def scans_columns(self) -> bool:
        return self.dialect.names_indexes

    @property
    def joins_in_order(self) -> bool:
        """SQLite sorts the terms, and looks up the facts of each in turn."""
        return self.dialect.names_indexes and self.visible is None

    def number(self, ends: Ends, limit: int) -> int:
        constants = [term for term in ends if term is not None]
        shape = shape_of(ends)
        found = tallied(self.fetch, self.dialect, ends[1]) if shape == _OF_PREDICATE else 0
        if not found:
            [(found,)] = self.fetch(_number(shape, "asserted", self.dialect, None, limit), constants)
        if self.visible is not None:
            parameters = constants * (len(self.visible.merged_for(shape)) or 1)
            [(inferred,)] = self.fetch(_number(shape, "inferred", self.dialect, self.visible, limit), parameters)
            found += inferred
        return int(found)

    def texts(self, terms: Collection[int]) -> Mapping[int, str]:
        statement = texts_by_ids(self.dialect)
        return {
            id_: text for batch in batches([(term,) for term in terms]) for id_, text in self.fetch(statement, [batch])
        }

    def predicates(self, subject: int | None, limit: int = 1_000) -> list[int]:
        """The first predicates of the facts of a subject, or of all facts, by their ids."""
        return predicate_ids(self.fetch, self.dialect, self.visible, limit=limit, subject=subject)

    def numbers_by_predicate(self, place: Side, term: int, predicates: Sequence[int], limit: int) -> dict[int, int]:
        """The number of facts that have the term in this place and each predicate; the limit if there are more."""
        return numbers_by_predicate(self.fetch, self.dialect, self.visible, place, term, predicates, limit)

    def ids(self, texts: Collection[str]) -> dict[str, int]:
        """The ids of those texts that are terms."""
        if not texts:
            return {}
        given = ", ".join("?" * len(texts))
        statement = self.dialect.prepared(f"{_IDS} {self.dialect.term_key} IN ({given})")
        return dict(self.fetch(statement, list(map(self.dialect.key_of, texts))))

    def named(self, facts: Collection[Fact], terms: Collection[int] = ()) -> Named:
        """The texts and metadata that answers show of these facts, and of further terms."""
        statement = sql(Select("asserted", (*KEY, "created_at"), EXACT, given="keys"), self.dialect)
        asserted = {fact.key for fact in facts if fact.id is not None}
        created = {Key(*row[:3]): row[3] for batch in batches(list(asserted)) for row in self.fetch(statement, [batch])}
        return Named(self.texts({*terms, *(term for fact in facts for term in fact.key)}), created)

    def _part(self, ends: Ends, start: Start, bounds: Sequence[float], limit: int) -> list[Fact]:
        """The first facts of either kind within bounds that are the same for both."""
        shape = shape_of(ends)
        one: list[Any] = [*(term for term in ends if term is not None), *bounds, limit]
        if self.visible is None:
            return _facts(self.fetch(_first(shape, "asserted", start, self.dialect, None), one))
        return _facts(
            self.fetch(
                _first(shape, "both", start, self.dialect, self.visible), [*one, *self._inferred(shape, one), limit]
            )
        )

    def _rest_of_weight(self, ends: Ends, after: Fact, limit: int) -> list[Fact]:
        shape = shape_of(ends)
        constants = [term for term in ends if term is not None]
        found: list[Fact] = []
        if after.id is not None:
            statement = _first(shape, "asserted", "same weight", self.dialect, None)
            found = _facts(self.fetch(statement, [*constants, after.weight, after.id, limit]))
        if self.visible is None or len(found) == limit:
            return found
        left = limit - len(found)
        start: Start = "same weight" if after.id is None else "whole weight"
        behind = after.key if after.id is None else ()
        one: list[Any] = [*constants, after.weight, *behind, left]
        statement = _first(shape, "inferred", start, self.dialect, self.visible)
        return found + _facts(self.fetch(statement, self._inferred(shape, one)))

    def _inferred(self, shape: Shape, one: list[Any]) -> list[Any]:
        """The parameters of inferred facts: where predicates are merged, those of one for each, and the limit again."""
        assert self.visible is not None
        merged = len(self.visible.merged_for(shape))
        return [*one * merged, one[-1]] if merged else one


def _facts(rows: Rows) -> list[Fact]:
    return [Fact(Key(subject, predicate, object_), weight, id_) for subject, predicate, object_, weight, id_ in rows]


@cache
def _first(
    shape: Shape, kind: Kind | Literal["both"], start: Start, dialect: Dialect, visible: InferredFilter | None
) -> str:
    """Facts by falling weight; parameters as in `triples.query.reads`."""
    return sql(heaviest_first(kind, _COLUMNS, shape, start, given="ids")._replace(filter=visible), dialect)


@cache
def _of_many(shape: Shape, kind: Kind, dialect: Dialect, visible: InferredFilter | None) -> str:
    """Facts of a batch of keys, in no order. Parameters: the batch, the limit."""
    return sql(Select(kind, _COLUMNS, shape, given="keys", limit="given", filter=visible), dialect)


@cache
def _number(shape: Shape, kind: Kind, dialect: Dialect, visible: InferredFilter | None, limit: int) -> str:
    return sql(Select(kind, shape=shape, given="ids", limit=limit, counted=True, filter=visible), dialect)
