"""The engine on a server that speaks Spark Connect: for closures that one machine cannot hold.

It evaluates as `triples.recursion.duckdb` does, round by round. Facts go to the server and come back as Parquet files
in an exchange. This process holds no more of them than one batch.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from math import inf, nextafter
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc

from triples.recursion.duckdb.workspace import Resources
from triples.recursion.engine import EVERYTHING, Stopped
from triples.recursion.outcome import DERIVED, Materialised, Options, Round
from triples.recursion.packing import Listed, largest_constant, packing_for
from triples.recursion.programs import Program
from triples.recursion.spark.exchange import Exchange, Folder
from triples.recursion.spark.heights import put_right
from triples.recursion.spark.reading import give_back
from triples.recursion.spark.relation import ASSERTED, Found, Relation
from triples.recursion.spark.session import Session
from triples.recursion.sql import COLUMNS, program_variants

_INTEGERS = {"BIGINT": 63}
_LISTED = Listed("ARRAY<BIGINT>", "array({})", first_index=0)
_BY_PREDICATE = pa.schema([("predicate", pa.int64())])
_NOTHING = Materialised(DERIVED.empty_table(), [], None)


class SparkEngine:
    """An `Engine`. `resources` are for sorting what comes back."""

    def __init__(self, remote: str, exchange: Exchange, resources: Resources) -> None:
        self._remote = remote
        self._exchange = exchange
        self._resources = resources
        self._stopped = threading.Event()
        self._session: Session | None = None
        self._opened = ExitStack()
        self._folder: Folder | None = None
        self._program = Program(())
        # Of the asserted facts.
        self._predicates: set[int] = set()
        self._largest_id = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def interrupt(self) -> None:
        self._stopped.set()
        if session := self._session:
            session.interrupt()

    def load(self, facts: pa.RecordBatchReader, program: Program) -> None:
        self._program = program
        self._largest_id = largest_constant(program)
        if not program.rules:
            return
        # Before anything is written there: the server may not be there.
        session = Session(self._remote, self._stopped)
        self._opened.callback(session.close)
        self._session = session
        self._folder = self._opened.enter_context(self._exchange.folder())
        named = None if program.named is None else pa.array(program.named, pa.int64())
        batches = pa.RecordBatchReader.from_batches(facts.schema, self._concerned(facts, named))
        self._folder.write(ASSERTED, batches, None if named is None else _BY_PREDICATE)

    def materialise(
        self, options: Options = EVERYTHING, on_round: Callable[[Round], None] | None = None
    ) -> Materialised:
        if self._stopped.is_set():
            raise Stopped
        session, folder, program = self._session, self._folder, self._program
        # Without asserted facts there are no files either.
        if session is None or folder is None or not self._predicates:
            return _NOTHING
        relation = Relation(
            session, folder, program, options, packing_for(program, self._largest_id, _INTEGERS, _LISTED)
        )
        evaluation = _Evaluation(relation, program, options, self._predicates)
        evaluation.run(on_round or (lambda _: None))
        if not evaluation.rounds:
            return Materialised(DERIVED.empty_table(), [], relation.threshold if evaluation.limited else None)
        back = give_back(relation, program, evaluation.total, self._resources, self._stopped)
        derived, lightest = self._opened.enter_context(back)
        if not evaluation.limited:
            return Materialised(derived, evaluation.rounds, None)
        return Materialised(derived, evaluation.rounds, relation.threshold if lightest is None else lightest)

    def _concerned(self, facts: pa.RecordBatchReader, named: pa.Array | None) -> Iterator[pa.RecordBatch]:
        """The facts that the program can read or derive."""
        for batch in facts:
            concerned = batch if named is None else batch.filter(pc.is_in(batch.column("predicate"), named))
            if concerned.num_rows:
                self._predicates.update(pc.unique(concerned.column("predicate")).to_pylist())
                self._largest_id = max(self._largest_id, *(pc.max(concerned.column(name)).as_py() for name in COLUMNS))
                yield concerned


class _Evaluation:
    """One evaluation, in the rounds of DuckDB's. What does not fit into memory is the server's own concern."""

    def __init__(self, relation: Relation, program: Program, options: Options, asserted: set[int]) -> None:
        self.rounds: list[Round] = []
        self.limited = False
        self._relation = relation
        self._program = program
        self._options = options
        self._variants = program_variants(program, relation.packing)
        # The predicates of the relations that rules read.
        self._earlier: set[int] = set()
        self._changed = asserted
        self.total = 0

    def run(self, on_round: Callable[[Round], None]) -> None:
        self._find_weights(on_round)
        if self._options.max_depth is None and any(made.improved for made in self.rounds):
            put_right(self._relation, self._program)

    def _find_weights(self, on_round: Callable[[Round], None]) -> None:
        number = 0
        while number != self._options.max_depth:
            number += 1
            found = self._round(number)
            if not found.predicates:
                return
            made = Round(number, found.new, found.improved, self.total)
            self.rounds.append(made)
            on_round(made)

    def _round(self, number: int) -> Found:
        known = self._earlier | self._changed
        selects = [variant.sql for variant in self._variants if variant.can_find(self._changed, known, self._earlier)]
        if not selects:
            return Found(0, 0, set())
        self._relation.look_ahead()
        part = self._relation.find(selects, number)
        found = self._relation.count(part)
        if not found.predicates:
            self._relation.drop(part)
            return found
        self._relation.absorb(part, improves=found.improved > 0)
        self.total += found.new
        if self._over_limit():
            found = self._relation.count(part)
        self._earlier, self._changed = known, found.predicates
        return found

    def _over_limit(self) -> bool:
        """Leave out the lightest facts, if there are too many; return whether there were.

        The outcome equals that of a greater `min_weight`: products never rise, so no heavier fact rests on them.
        """
        limit, relation = self._options.max_inferred, self._relation
        if limit is None or self.total <= limit:
            return False
        relation.look()
        heaviest = relation.heaviest_beyond(limit)
        assert heaviest is not None, "there are more than that"
        self.limited = True
        relation.threshold = nextafter(heaviest, inf)
        relation.look()
        self.total = relation.count_derived()
        return True
