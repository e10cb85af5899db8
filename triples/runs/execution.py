"""A run's work: it reads what has changed, derives facts incrementally or from nothing, and writes them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from math import inf
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING

import orjson
from django.conf import settings

from triples.ids import now_ms
from triples.models import RecursionRun, Rule, RunStatus
from triples.recursion.counts import Counts
from triples.recursion.incremental import Changes, Difference, TooMuch, update
from triples.recursion.outcome import Materialised, Options, Round
from triples.recursion.programs import Program, bind, constants
from triples.recursion.rules import RuleDocument, rule_document
from triples.runs.alarms import alarm
from triples.runs.engine_choice import EMBEDDED, EngineChoice
from triples.runs.options import RunOptions
from triples.runs.outcomes import Outcome, Watcher
from triples.runs.stopping import Stop
from triples.store.backend import Holder, backend
from triples.store.inferred.hiding import hide_unknown
from triples.store.inferred.journal import prune
from triples.store.inferred.run_snapshots import Marks, Snapshot
from triples.store.inferred.state import State
from triples.store.term_lookup import ensure_terms
from triples.text import MAX_PREDICATE_LENGTH

if TYPE_CHECKING:
    import pyarrow as pa

    from triples.recursion.engine import Engine
    from triples.recursion.outcome import Rows

# With more changed facts, or more facts touched by them, it is faster to derive everything from nothing.
MOST_CHANGES = 20_000
MOST_TOUCHED = 300_000
# So too if it takes longer than the last run from nothing did, or than this if that took less.
LEAST_SECONDS = 5.0


def execute(
    options: RunOptions,
    watcher: Watcher,
    holder: Holder,
    *,
    engine: EngineChoice = EMBEDDED,
    dry: bool = False,
    cancelled: Event | None = None,
) -> Outcome:
    """Derive what the enabled rules say, and write it unless `dry`. The caller holds the lease.

    Raises TimedOut, or Cancelled once `cancelled` is set, unless the facts are in place by then.
    """
    stop = Stop(settings.ENV.recursion_timeout, cancelled)
    return _Execution(options, watcher, holder, stop, engine, dry=dry).run()


class _Execution:
    def __init__(
        self, options: RunOptions, watcher: Watcher, holder: Holder, stop: Stop, engine: EngineChoice, *, dry: bool
    ) -> None:
        self.options = options
        self.watcher = watcher
        self.holder = holder
        self.dry = dry
        self.stop = stop
        self.engine = engine
        self.seconds: dict[str, float] = {}

    def run(self) -> Outcome:
        rules = [rule.parsed for rule in _chosen(self.options.rules)]
        ids = ensure_terms({text for rule in rules for text in constants(rule)})
        self.program = bind(rules, ids)
        documents = [rule_document(rule) for rule in sorted(rules, key=lambda rule: rule.name)]
        self.parameters = _parameters(self.options, documents, self.program)
        self.state = backend().read_state()
        if self.state is not None and not self.dry:
            hide_unknown(self.state, self.holder)
        outcome = self._unchanged_or_incremental() or self._full()
        if self.state is not None and outcome.mode and not self.dry:
            # What the run before had seen; later entries may be wanted by readers that still have its facts.
            prune(self.state.changes_up_to)
        return replace(outcome, seconds={name: round(value, 3) for name, value in self.seconds.items()})

    def _unchanged_or_incremental(self) -> Outcome | None:
        """The outcome, or None when everything is to be derived anew."""
        state = self.state
        if self.options.force or self.dry or state is None or state.parameters != self.parameters:
            return None
        with backend().snapshot() as view:
            with self._timed("reading"):
                changes = view.changes(Marks(state.triples_up_to, state.changes_up_to), MOST_CHANGES)
            if changes is None:
                return None
            if not changes.keys:
                return Outcome(RunStatus.UNCHANGED, facts=state.facts, complete_above=state.complete_above)
            if self.options.max_depth is not None or self.options.partial or state.complete_above is not None:
                return None
            return self._incremental(view, state, changes)

    def _incremental(self, view: Snapshot, state: State, changes: Changes) -> Outcome | None:
        last = monotonic() + max(LEAST_SECONDS, _seconds_from_nothing())

        def check() -> None:
            self.stop.check()
            if monotonic() > last:
                raise TooMuch

        with self._timed("inference"):
            try:
                source = view.source(state.program)
                found = update(
                    state.program,
                    source,
                    changes,
                    min_weight=self.options.min_weight,
                    budget=MOST_TOUCHED,
                    check=check,
                )
            except TooMuch:
                return None
        counts = _counts(found, len(source.proofs(found.put)))
        facts = state.facts + counts.added - counts.removed
        if facts > settings.ENV.max_inferred:
            return None
        self.stop.check()
        with self._timed("writing"):
            state = self._next_state(view.marks, facts, None)
            backend().inferred.apply(found.removed, found.put, state, self.holder)
        return Outcome(RunStatus.SUCCEEDED, "incremental", counts, facts)

    def _full(self) -> Outcome:
        # Not with the others: most runs find little to do, and the engine takes a while to load.
        from triples.runs.engines import limit_arrow_threads, open_engine  # noqa: PLC0415

        limit_arrow_threads()
        with open_engine(self.engine, dry=self.dry) as engine:
            return self._derived(engine)

    def _derived(self, engine: "Engine") -> Outcome:
        from triples.runs.last_run import Kept, with_last_run  # noqa: PLC0415

        kept = None
        with self._timed("reading"), backend().snapshot() as view:
            marks = view.marks
            # What a partial run keeps may rest on facts that its own rules do not read.
            read = None if self.options.partial else self.program.named
            total = view.count(read)
            facts = view.facts(lambda done: self._stage("reading", done, total), read)
            types = self.options.entity_types
            subjects = view.subjects(settings.ENV.type_predicates, types) if types else None
            unfit = view.unfit() if self.program.makes_predicates else None
            if self.options.partial:
                kept = Kept(facts.read_all(), set(self.options.rules) or None, subjects)
                facts = kept.facts.to_reader()
            engine.load(facts, self.program)
        with self._timed("inference"):
            found = self._inferred(engine, subjects, unfit)
        derived, counts = found.derived, Counts(found.derived.num_rows, 0, 0)
        if self.state is not None:
            with self._timed("comparison"):
                derived, self.program, counts = with_last_run(self.state, self.program, derived, kept, self.stop)
        status = RunStatus.SUCCEEDED if found.complete_above is None else RunStatus.LIMITED
        outcome = Outcome(status, "full", counts, derived.num_rows, found.complete_above)
        if not self.dry:
            self.stop.check()
            with self._timed("writing"):
                self._write(derived, self._next_state(marks, derived.num_rows, found.complete_above), counts)
        return outcome

    def _inferred(self, engine: "Engine", subjects: "pa.Array | None", unfit: "pa.Array | None") -> Materialised:
        """Everything that follows from what the engine has. Raises the reason to stop when there is one."""
        began = monotonic()

        def tell(done: Round) -> None:
            nonlocal began
            now = monotonic()
            self.watcher.round(done.number, done.new, done.improved, done.total, now - began)
            began = now
            self.stop.check()

        options = Options(
            max_depth=self.options.max_depth,
            min_weight=self.options.min_weight,
            subjects=subjects,
            unfit=unfit,
            max_inferred=settings.ENV.max_inferred,
        )
        with alarm(self.stop, engine.interrupt):
            return engine.materialise(options, tell)

    def _write(self, derived: "Rows", state: State, counts: Counts) -> None:
        if self.state is not None and self.state.program == state.program and not any(counts):
            backend().inferred.apply((), {}, state, self.holder)
            return
        backend().inferred.replace_all(
            derived.to_reader(), state, self.holder, lambda step, steps: self._stage("writing", step, steps)
        )

    def _next_state(self, marks: Marks, facts: int, complete_above: float | None) -> State:
        # The generation is of a time rather than counted, so that none comes again after all was discarded.
        moment = now_ms()
        return State(
            generation=max(moment, self.state.generation + 1 if self.state else 0),
            triples_up_to=marks.triples_up_to,
            changes_up_to=marks.changes_up_to,
            facts=facts,
            complete_above=complete_above,
            parameters=self.parameters,
            program=self.program,
            written_ms=moment,
        )

    def _stage(self, name: str, done: int, total: int) -> None:
        self.watcher.stage(name, done, total)
        # What is written in full is as good as in place.
        if done < total:
            self.stop.check()

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        began = monotonic()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + monotonic() - began


def _chosen(names: tuple[str, ...]) -> list[Rule]:
    rules = Rule.objects.filter(enabled=True)
    return list(rules.filter(name__in=names) if names else rules)


def _seconds_from_nothing() -> float:
    """The seconds that the last run from nothing took; infinite if none is known any more."""
    runs = RecursionRun.objects.filter(status=RunStatus.SUCCEEDED, mode="full")
    seconds = runs.values_list("seconds", flat=True).first()
    return sum(seconds.values()) if seconds else inf


def _parameters(options: RunOptions, documents: list[RuleDocument], program: Program) -> str:
    """All that decides the outcome besides the facts."""
    content = options.content | {
        "rules": documents,
        "partial": options.partial,
        "max_inferred": settings.ENV.max_inferred,
        "type_predicates": settings.ENV.type_predicates if options.entity_types else [],
    }
    del content["force"]
    if program.makes_predicates:
        content["longest_predicate"] = MAX_PREDICATE_LENGTH
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS).decode()


def _counts(found: Difference, standing: int) -> Counts:
    """`standing`: how many of the facts that are put stood there before."""
    return Counts(len(found.put) - standing, standing, len(found.removed))
