"""Proof trees: the facts that an inferred fact rests on, down to asserted facts."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import orjson
from django.db import connection

from triples import ids
from triples.patterns import BoundPattern, BoundPlace, Pattern, Place, Variable
from triples.query.fact_rows import AnyRow, InferredRow
from triples.query.facts_by_key import asserted_by_keys, fact, inferred_by_keys, inferred_fact, texts_by_ids
from triples.recursion.programs import Key, Program
from triples.recursion.rules import Rule
from triples.store.backend import backend
from triples.store.dialect import Dialect
from triples.store.group_commit import open_session
from triples.store.inferred import key_batches
from triples.store.inferred.read_snapshots import VisibleFacts
from triples.store.operations import NoSuchFact, Row
from triples.store.sessions import Fetch, Session

MAX_NODES = 1_000
DEFAULT_DEPTH = 10
MAX_DEPTH = 64


class Asserted(NamedTuple):
    """The id and time of an asserted fact, from its public id."""

    id: int
    created_ms: int


@dataclass(slots=True)
class Node:
    """A fact in a proof tree."""

    row: AnyRow
    # Of an inferred fact: the rule that its best proof ends with, and the premises in the order of its body.
    rule: Rule | None = None
    premises: "list[Node]" = field(default_factory=list)
    # Why an inferred fact has no premises here: the same fact has them elsewhere in the tree, or the tree is cut.
    without: Literal["seen", "truncated"] | None = None


def explain(fetch: Fetch, dialect: Dialect, shown: VisibleFacts | None, wanted: Asserted | Key, *, depth: int) -> Node:
    """The proof tree of a fact to this depth, or NoSuchFact.

    It has at most MAX_NODES nodes. A fact that several proofs share has its own proof where it stands highest, and
    among those first; so a tree is no larger than the facts in it make it.
    """
    if isinstance(wanted, Asserted):
        row = fact(fetch, dialect, wanted.id)
        if row is None or ids.fitting(row.created_ms) != wanted.created_ms:
            raise NoSuchFact
        return Node(row)
    if shown is None or inferred_fact(fetch, dialect, shown, wanted) is None:
        raise NoSuchFact
    return _Tree(fetch, dialect, shown).grown(wanted, depth)


def explain_now(wanted: Asserted | Key, *, depth: int = DEFAULT_DEPTH) -> Node:
    """Like `explain`, in this thread and on a connection of its own, for the admin and commands.

    The thread's own connection may be within a transaction, and must not have the inferred facts attached, since
    its transactions would lock them.
    """
    with own_connection() as (session, dialect, shown):
        return explain(session.rows, dialect, shown, wanted, depth=depth)


@contextmanager
def own_connection(*, always: bool = False) -> Iterator[tuple[Session, Dialect, VisibleFacts | None]]:
    """Open a connection for one read. `always` is that of `ReadSnapshots.taken`."""
    own = connection.copy()
    try:
        session = open_session(own)
        dialect = backend().dialect
        snapshots = backend().read_snapshots(session.driver)
        with own.wrap_database_errors, snapshots.taken(session.rows, always=always) as shown:
            yield session, dialect, shown
    finally:
        own.close()


class _Derived(NamedTuple):
    """An inferred fact and what its best proof rests on."""

    row: InferredRow
    rule: int
    premises: list[Key]


class _Tree:
    """A proof tree, built level by level, so that the premises of a level are looked up together."""

    def __init__(self, fetch: Fetch, dialect: Dialect, shown: VisibleFacts) -> None:
        self._fetch = fetch
        self._dialect = dialect
        self._state = shown.state
        self._rules = _rules_as_texts(fetch, dialect, shown.state.program)
        self._found: dict[Key, Row | _Derived] = {}
        self._met: set[Key] = set()
        self._size = 1

    def grown(self, root: Key, depth: int) -> Node:
        self._look_up_derived([root])
        tree = self._node(root)
        self._met.add(root)
        level = [tree]
        for _ in range(depth):
            self._look_up({premise for node in level for premise in self._premises(node)})
            level = [below for node in level for below in self._expanded(node)]
        for node in level:
            node.without = "truncated"
        return tree

    def _expanded(self, node: Node) -> list[Node]:
        """Give a node its premises. Returns those that must be expanded next."""
        proof = self._premises(node)
        if self._size + len(proof) > MAX_NODES:
            node.without = "truncated"
            return []
        self._size += len(proof)
        node.premises = [self._node(key) for key in proof]
        below: list[Node] = []
        for premise in node.premises:
            if isinstance(premise.row, Row):
                continue
            if premise.row.key in self._met:
                premise.without = "seen"
                continue
            self._met.add(premise.row.key)
            below.append(premise)
        return below

    def _node(self, key: Key) -> Node:
        found = self._found.get(key)
        match found:
            case Row():
                return Node(found)
            case _Derived():
                return Node(found.row, self._rules[found.rule])
            case None:
                # Somebody changed the database without the store. A fact without its premise is no fact.
                raise NoSuchFact

    def _premises(self, node: Node) -> list[Key]:
        assert isinstance(node.row, InferredRow)
        found = self._found[node.row.key]
        assert isinstance(found, _Derived)
        return found.premises

    def _look_up(self, wanted: Iterable[Key]) -> None:
        """Look up facts. A fact that is now asserted is shown as asserted, even if it was derived."""
        unknown = set(wanted).difference(self._found)
        for batch in key_batches.batches(sorted(unknown)):
            for subject, predicate, object_, *row in self._fetch(asserted_by_keys(self._dialect), [batch]):
                self._found[Key(subject, predicate, object_)] = Row(*row)
        self._look_up_derived(sorted(unknown.difference(self._found)))

    def _look_up_derived(self, wanted: Sequence[Key]) -> None:
        for batch in key_batches.batches(wanted):
            for row in self._fetch(inferred_by_keys(self._dialect), [batch]):
                self._found[Key(*row[:3])] = self._derived(row)

    def _derived(self, values: Sequence[Any]) -> _Derived:
        key = Key(*values[:3])
        weight, depth, number, first, rest, *texts = values[3:]
        rule = self._state.program.rules[number]
        free = () if first is None else (first, *orjson.loads(rest or "[]"))
        row = InferredRow(key, self._state.written_ms, weight, depth, rule.name, *texts)
        return _Derived(row, number, rule.premises(key, free))


def _rules_as_texts(fetch: Fetch, dialect: Dialect, program: Program) -> list[Rule]:
    """The program's rules with the texts of their constants."""
    patterns = [pattern for rule in program.rules for pattern in (rule.head, *rule.body)]
    constants = {place for pattern in patterns for place in pattern if isinstance(place, int)}
    texts: dict[int, str] = {}
    for batch in key_batches.batches([[id_] for id_ in sorted(constants)]):
        texts.update(dict(fetch(texts_by_ids(dialect), [batch])))

    def place(bound: BoundPlace) -> Place:
        return bound if isinstance(bound, Variable) else texts[bound]

    def pattern(bound: BoundPattern) -> Pattern:
        subject, predicate, object_ = bound
        return place(subject), place(predicate), place(object_)

    return [
        Rule(rule.name, pattern(rule.head), tuple(map(pattern, rule.body)), rule.weight, rule.distinct)
        for rule in program.rules
    ]
