"""The work of `triples.runs.previews`, for the process that does it."""

import pyarrow as pa
import pyarrow.compute as pc
from django.conf import settings

from triples.models import Term
from triples.recursion.duckdb.engine import DuckDBEngine
from triples.recursion.duckdb.workspace import Resources
from triples.recursion.outcome import Options, Round
from triples.recursion.programs import Program, bind, constants
from triples.recursion.rules import Rule
from triples.runs.alarms import alarm
from triples.runs.engines import limit_arrow_threads
from triples.runs.outcomes import TimedOut
from triples.runs.previews import SECONDS, Example, Preview, TooMuch
from triples.runs.stopping import Stop
from triples.store.backend import backend
from triples.store.inferred.state import State
from triples.store.term_lookup import find_term_ids
from triples.weights import computed

# Above this number of facts, "more than" is as good as the number.
MOST_COUNTED = 100_000
EXAMPLES = 10
# No term has so large an id.
_NO_TERM = 1 << 36


def derive_preview(rule: Rule) -> Preview:
    """Apply the rule by itself, to its own facts too, on top of all other facts. Raises TooMuch."""
    # Without files: what needs more than memory is no preview.
    engine = DuckDBEngine(Resources(settings.ENV.recursion_memory << 20, settings.ENV.recursion_threads))
    limit_arrow_threads()
    # To start the engine is not the rule's fault.
    stop = Stop(SECONDS)
    ids = find_term_ids(constants(rule))
    # A constant that only the head names need not be a term yet.
    unknown = {text: _NO_TERM + place for place, text in enumerate(sorted(constants(rule) - ids.keys()))}
    program = bind([rule], ids | unknown)
    rounds: list[Round] = []
    try:
        with alarm(stop, engine.interrupt):
            facts, unfit = _read(rule.name, program, stop)
            engine.load(facts.to_reader(), program)
            found = engine.materialise(Options(unfit=unfit, max_inferred=MOST_COUNTED), rounds.append)
    except (TimedOut, MemoryError):
        if not rounds:
            raise TooMuch from None
        return Preview(rounds[-1].total, exact=False, examples=[], rounds=len(rounds), in_time=False)
    names = {number: text for text, number in unknown.items()}
    exact = found.complete_above is None
    derived = found.derived.to_reader().read_all()
    return Preview(derived.num_rows, exact, _examples(derived, names), len(rounds), in_time=True)


def _read(name: str, program: Program, stop: Stop) -> tuple[pa.Table, pa.Array | None]:
    """The facts that the program may read, and the terms that cannot be predicates.

    They are the asserted ones, and those inferred by other rules.
    """
    with backend().snapshot() as view:
        facts = view.facts(lambda _: stop.check(), program.named).read_all()
        unfit = view.unfit() if program.makes_predicates else None
    state = backend().read_state()
    return (facts if state is None else _with_inferred(facts, state, name)), unfit


def _with_inferred(facts: pa.Table, state: State, name: str) -> pa.Table:
    own = [rule.number for rule in state.program.rules if rule.name == name]
    inferred = backend().inferred.contents()
    others = inferred.filter(pc.invert(pc.is_in(inferred.column("rule"), pa.array(own, pa.int32()))))
    both = pa.concat_tables([facts, others.select(facts.column_names)])
    # What has been asserted since it was inferred is there twice; the asserted one comes first.
    return (
        both.group_by(["subject", "predicate", "object"], use_threads=False)
        .aggregate([("weight", "first")])
        .rename_columns({"weight_first": "weight"})
    )


def _examples(derived: pa.Table, names: dict[int, str]) -> list[Example]:
    heaviest = derived.sort_by([("weight", "descending")]).slice(0, EXAMPLES).to_pylist()
    texts = names | _texts({row[place] for row in heaviest for place in ("subject", "predicate", "object")})
    return [
        Example(texts[row["subject"]], texts[row["predicate"]], texts[row["object"]], computed(row["weight"]))
        for row in heaviest
    ]


def _texts(ids: set[int]) -> dict[int, str]:
    return dict(Term.objects.filter(id__in=ids).values_list("id", "text"))
