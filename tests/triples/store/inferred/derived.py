"""Graphs with inferred facts, as runs leave them; what is derived comes from the recursion's oracle."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from time import time_ns
from typing import Any

import orjson
import psycopg
import pyarrow as pa
from django.db import connection

from tests.triples.recursion.oracle import evaluate
from triples.fields import from_milliseconds
from triples.models import Change, RecursionRun, Rule, RunStatus, Term, Triple
from triples.recursion.grammar import parse_rule
from triples.recursion.programs import Key, Program, Proof, bind, constants
from triples.store.backend import Holder, backend
from triples.store.inferred.arrow_batches import DERIVED
from triples.store.inferred.state import State
from triples.store.postgresql.connections import connect
from triples.store.term_lookup import ensure_terms

TRANSITIVE = {"name": "transitive", "head": ["?x", "p", "?z"], "body": [["?x", "p", "?y"], ["?y", "p", "?z"]]}


def program(*documents: Mapping[str, Any]) -> Program:
    """Rules over the terms of the graph; those that they name are made."""
    rules = [parse_rule(document) for document in documents]
    for text in {text for rule in rules for text in constants(rule)}:
        Term.objects.get_or_create(text=text)
    return bind(rules, term_ids())


def run(rules: Program, *, small: bool = False, meanwhile: Callable[[], object] = lambda: None) -> dict[Key, Proof]:
    """Derive everything and write it: all anew, or only the difference; then prune the journal.

    `meanwhile` is done between the snapshot and the writing.
    """
    _note_run()
    # First, so that what changes while the facts are read is known to have changed.
    state = _next_state(rules)
    derived = evaluate(asserted(), rules)
    state = replace(state, facts=len(derived))
    meanwhile()
    if small:
        before = stored()
        put = {key: proof for key, proof in derived.items() if before.get(key) != proof}
        _with_holder(lambda holder: backend().inferred.apply(before.keys() - derived.keys(), put, state, holder))
    else:
        _with_holder(lambda holder: replace_all(derived, state, holder))
    Change.objects.filter(id__lte=state.changes_up_to).delete()
    return derived


def run_stored() -> None:
    """Derive everything by the rules that are stored, without the engine, which takes ten times as long to begin."""
    rules = [rule.parsed for rule in Rule.objects.filter(enabled=True)]
    ensure_terms({text for rule in rules for text in constants(rule)})
    run(bind(rules, term_ids()))


def put(derived: Mapping[Key, Proof], rules: Program) -> None:
    """Write these facts, whatever they follow from."""
    _note_run()
    state = replace(_next_state(rules), facts=len(derived))
    _with_holder(lambda holder: replace_all(derived, state, holder))


def replace_all(
    derived: Mapping[Key, Proof],
    state: State,
    holder: Holder,
    progress: Callable[[int, int], None] = lambda _done, _steps: None,
) -> None:
    backend().inferred.replace_all(table(derived).to_reader(), state, holder, progress)


def table(derived: Mapping[Key, Proof]) -> pa.Table:
    rows = [_row(key, proof) for key, proof in derived.items()]
    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in DERIVED]
    return pa.table(columns, schema=DERIVED)


def stored() -> dict[Key, Proof]:
    """The inferred facts as they stand, hidden or not."""
    rows = (tuple(record.values()) for record in backend().inferred.contents().to_pylist())
    return {
        Key(subject, predicate, object_): Proof(weight, depth, rule, _free(first, rest))
        for subject, predicate, object_, weight, depth, rule, first, rest in rows
    }


def asserted() -> dict[Key, float]:
    rows = Triple.objects.values_list("subject_id", "predicate_id", "object_id", "weight")
    return {Key(*row[:3]): row[3] for row in rows}


def term_ids() -> dict[str, int]:
    return dict(Term.objects.values_list("text", "id"))


def key(*texts: str) -> Key:
    ids = term_ids()
    return Key(*(ids[text] for text in texts))


def _row(key: Key, proof: Proof) -> Sequence[Any]:
    weight, depth, rule, free = proof
    return (*key, weight, depth, rule, free[0] if free else None, _json(free[1:]) if len(free) > 1 else None)


def _free(first: int | None, rest: str | None) -> tuple[int, ...]:
    return () if first is None else (first, *orjson.loads(rest or "[]"))


def _json(values: Iterable[int]) -> str:
    return orjson.dumps(list(values)).decode()


def _note_run() -> None:
    """The journal is kept from the first run on."""
    if not RecursionRun.objects.exists():
        now: Any = from_milliseconds(time_ns() // 1_000_000)
        RecursionRun.objects.create(status=RunStatus.SUCCEEDED, active=None, requested_by="tests", created_at=now)


def _next_state(rules: Program) -> State:
    before = backend().read_state()
    # As runs have it: none comes again after all was discarded.
    now_ms = time_ns() // 1_000_000
    return State(
        generation=max(now_ms, before.generation + 1 if before else 0),
        triples_up_to=max(Triple.objects.values_list("id", flat=True), default=0),
        changes_up_to=max(Change.objects.values_list("id", flat=True), default=0),
        facts=0,
        complete_above=None,
        parameters="",
        program=rules,
        written_ms=now_ms,
    )


def _with_holder(write: Callable[["psycopg.Connection[Any] | None"], None]) -> None:
    if connection.vendor == "sqlite":
        write(None)
        return
    with connect() as holder:
        write(holder)
