"""The state of the inferred facts: the moment, the rules and the options from which they were derived."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from triples.patterns import BoundPattern, BoundPlace, Variable
from triples.recursion.programs import BoundRule, Program
from triples.store.inferred.layout import STATE

COLUMNS = (
    "generation",
    "triples_up_to",
    "changes_up_to",
    "facts",
    "complete_above",
    "parameters",
    "program",
    "written_ms",
)
SELECT_STATE = f"SELECT {', '.join(COLUMNS)} FROM {STATE}"


@dataclass(frozen=True, slots=True)
class State:
    """The state of the inferred facts after a run."""

    # Differs after every run that changed them.
    generation: int
    # The ids up to which asserted facts, and changes in the journal, are taken into account.
    triples_up_to: int
    changes_up_to: int
    # The number of inferred facts.
    facts: int
    # Set if the run was limited: all facts of at least this weight are there, and no others.
    complete_above: float | None
    # Everything besides the facts that determines the outcome, as text: equal texts mean equal outcomes.
    parameters: str
    # The rules, by the numbers that proofs refer to.
    program: Program
    written_ms: int


_last_seen: State | None = None


def current_state(fetch: Callable[[str], Sequence[Sequence[Any]]]) -> State | None:
    """The state that a connection sees. It is read in full only if its generation is not the one last seen."""
    global _last_seen  # noqa: PLW0603  # one for all threads: whichever they find there, they compare
    rows = fetch(f"SELECT generation FROM {STATE}")
    seen = _last_seen
    if not rows or seen is None or seen.generation != rows[0][0]:
        seen = _last_seen = state_of(fetch(SELECT_STATE) if rows else [])
    return seen


def state_of(rows: Sequence[Sequence[Any]]) -> State | None:
    """The state from the result of SELECT_STATE."""
    if not rows:
        return None
    values = dict(zip(COLUMNS, rows[0], strict=True))
    return State(**values | {"program": _program(values["program"])})


def state_row(state: State) -> tuple[Any, ...]:
    """The values of the state's row, in the order of COLUMNS."""
    return tuple(_program_text(state.program) if name == "program" else getattr(state, name) for name in COLUMNS)


def write_state(execute: Callable[[str, Sequence[Any]], Any], state: State, placeholder: str) -> None:
    """Replace the state, in the transaction that writes the facts."""
    execute(f"DELETE FROM {STATE}", ())
    values = ", ".join([placeholder] * len(COLUMNS))
    execute(f"INSERT INTO {STATE} (id, {', '.join(COLUMNS)}) VALUES (1, {values})", state_row(state))


def _program_text(program: Program) -> str:
    """The program as JSON. A number is the id of a term, a text the name of a variable."""
    return orjson.dumps(
        [
            {
                "name": rule.name,
                "weight": rule.weight,
                "head": _places(rule.head),
                "body": [_places(pattern) for pattern in rule.body],
                "distinct": [_places(pair) for pair in rule.distinct],
                "free": _places(rule.free),
            }
            for rule in program.rules
        ]
    ).decode()


def _places(places: Sequence[BoundPlace]) -> list[int | str]:
    return [place.name if isinstance(place, Variable) else place for place in places]


@lru_cache(maxsize=2)
def _program(text: str) -> Program:
    return Program(
        tuple(
            BoundRule(
                number=number,
                name=rule["name"],
                weight=rule["weight"],
                head=_pattern(rule["head"]),
                body=tuple(_pattern(pattern) for pattern in rule["body"]),
                distinct=tuple((Variable(left), Variable(right)) for left, right in rule["distinct"]),
                free=tuple(Variable(name) for name in rule["free"]),
            )
            for number, rule in enumerate(orjson.loads(text))
        )
    )


def _pattern(places: Sequence[int | str]) -> BoundPattern:
    subject, predicate, object_ = (Variable(place) if isinstance(place, str) else place for place in places)
    return subject, predicate, object_
