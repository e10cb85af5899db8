"""Copying the graph to another database while it is written to, and the moment at which it moves there.

Passes copy what differs, each in less time than the one before. The last one runs while the source's write locks are
held. Its end commits triggers into the source that refuse all writes: whatever was acknowledged before is copied, and
nothing is acknowledged afterwards. If this process dies earlier, the locks go with it and the source is as it was.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from time import monotonic, sleep

from skg_site.cli.exit_codes import BUSY, DAMAGED
from skg_site.cli.progress import ProgressBar
from skg_site.host import refused_writes
from skg_site.ops.moving.outcomes import Moved, Plan
from skg_site.ops.moving.preparing import alone, checked_name, known_tables, left_out, may_continue, prepare
from skg_site.ops.moving.targets import Target
from triples.ids import now_ms
from triples.store.backend import backend
from triples.store.copying.checksums import Checksum, checksum
from triples.store.copying.failures import CopyFailure, StoppedTooLong
from triples.store.copying.passes import Pass
from triples.store.copying.record import Stage
from triples.store.copying.side import Side
from triples.store.copying.tables import Table

# Catching up ends when a pass takes less than this, or does not get shorter.
_SHORT_PASS_SECONDS = 2.0
_MOST_PASSES = 8
_ATTEMPTS = 3
# Longer than any transaction: in this time, a change may be committed after a later one was.
_LATE_MS = 600_000
_LEASE_PAUSE_SECONDS = 0.2
# A log of this size is told, and again whenever it has doubled.
_TOLD_LOG_BYTES = 256 << 20
_GIB = 1 << 30

Consent = Callable[[str, str], None]


@dataclass(slots=True)
class Mover:
    """One copy. `longest_stop` is in seconds."""

    target_place: Target
    bar: ProgressBar
    longest_stop: float = 30.0
    restart: bool = False
    passes: list[int] = field(default_factory=list)
    # The size of the source's log up to which nothing is said of it.
    quiet_log: int = field(default_factory=lambda: _TOLD_LOG_BYTES)

    def plan(self) -> Plan:
        """The plan of the copy. Raises CopyFailure if it would be refused."""
        with closing(backend().own_side()) as source:
            tables = known_tables(source)
            continues = False
            name = self.target_place.place
            if self.target_place.is_made:
                with closing(self.target_place.open()) as target:
                    continues, name = may_continue(self.target_place, source, target, restart=self.restart), target.name
            with source.snapshot():
                rows = {table.name: source.count(table.name) for table in tables}
            state = backend().read_state()
            return Plan(
                source.name, name, rows, state.facts if state else 0, left_out(source, tables), continues=continues
            )

    def move(self, consent: Consent) -> Moved:
        began = monotonic()
        with alone(), closing(backend().own_side()) as source:
            tables = known_tables(source)
            record = source.record()
            if record is not None and record.stage is Stage.MOVED:
                return self._finish(source, tables, record.copy, began)
            consent(source.name, checked_name(self.target_place, source, restart=self.restart))
            self.bar.say("Preparing the target …")
            copy = prepare(self.target_place, source, tables, restart=self.restart)
            with closing(self.target_place.open()) as target:
                target.write_for(copy)
                self._fill(source, target, tables)
                with self._without_runs():
                    inferred = self._copy_inferred(target)
                    verified = self._verify(source, target, tables)
                    stop_seconds = self._cut_over(source, target, tables, copy)
                name = self._complete(target, copy)
            not_copied = left_out(source, tables)
        return Moved(name, verified, inferred, not_copied, self.passes, stop_seconds, monotonic() - began)

    def _fill(self, source: Side, target: Side, tables: Sequence[Table]) -> None:
        record = target.record()
        assert record is not None
        if record.rebuild:
            self.bar.say("Copying …")
            self._pass(source, target, tables, fill=True)
            self._rebuild(target, record.copy, record.rebuild)
        self._catch_up(source, target, tables)

    def _catch_up(self, source: Side, target: Side, tables: Sequence[Table]) -> None:
        self.bar.say("Catching up …")
        seconds = float("inf")
        for _ in range(_MOST_PASSES):
            before, seconds = seconds, self._pass(source, target, tables)
            if seconds < _SHORT_PASS_SECONDS or seconds > before / 2:
                return

    def _pass(self, source: Side, target: Side, tables: Sequence[Table], *, fill: bool = False) -> float:
        began = monotonic()
        source.empty_log()
        with source.snapshot():
            one = self._new_pass(source, target, tables)
            if fill:
                one.fill()
            else:
                one.catch_up()
        self.passes.append(one.written)
        return monotonic() - began

    def _new_pass(self, source: Side, target: Side, tables: Sequence[Table], deadline: float = float("inf")) -> Pass:
        def progress(table: str, done: int, total: int) -> None:
            self.bar.report(table, done, total or None)
            self._tell_log(source)
            if monotonic() > deadline:
                raise StoppedTooLong

        # A copy that goes on does not know when the one before it read the source. So all changes of the last minutes
        # are compared, in each pass.
        return Pass(source, target, tables, progress, now_ms() - _LATE_MS)

    def _tell_log(self, source: Side) -> None:
        log = source.log()
        if log is not None and log.size >= self.quiet_log:
            self.quiet_log = 2 * log.size
            self.bar.say(
                f"The write-ahead log of {source.name} has grown to {log.size / _GIB:.1f} GiB, as the copy reads one "
                f"moment; {log.free / _GIB:.1f} GiB are free on its disk. It starts anew between two passes. If there "
                "is too little room, end this with Ctrl-C, and go on when less is written."
            )

    def _rebuild(self, target: Side, copy: str, statements: Sequence[str]) -> None:
        self.bar.say("Building indexes …")
        for done, statement in enumerate(statements, 1):
            with target.writing():
                target.rebuild(statement)
                target.write_record(copy, Stage.FILLING, statements[done:])
            self.bar.report("indexes", done, len(statements))
        target.analyze()

    @contextmanager
    def _without_runs(self) -> Iterator[None]:
        """Hold the lease of runs, so that the inferred facts stay as they are."""
        with backend().locks.open_lease() as lease:
            if not lease.take():
                self.bar.say("Waiting for the run that is under way …")
                while not lease.take():
                    sleep(_LEASE_PAUSE_SECONDS)
            yield

    def _copy_inferred(self, target: Side) -> int:
        state = backend().read_state()
        if state is None:
            return 0
        if target.inferred_generation() != state.generation:
            self.bar.say("Copying the inferred facts …")
            rows = backend().inferred.contents().to_reader()
            # A run replaces them whole; here too, they are there when all of them are.
            target.write_inferred(rows, state, lambda done, total: self.bar.report("inferred facts", done, total))
        return state.facts

    def _verify(self, source: Side, target: Side, tables: Sequence[Table]) -> dict[str, Checksum]:
        self.bar.say("Verifying …")
        found: dict[str, Checksum] = {}
        source.empty_log()
        with source.snapshot():
            one = self._new_pass(source, target, tables)
            one.catch_up()
            self.passes.append(one.written)
            for done, table in enumerate(tables):
                report = _reporter(self.bar, done, len(tables))
                ours, theirs = checksum(source, table, report), checksum(target, table, report)
                if ours != theirs:
                    raise CopyFailure(
                        f"The copy is not like the source: {table.name} has {ours.rows:,} rows there and "
                        f"{theirs.rows:,} here, or others. --restart begins anew.",
                        DAMAGED,
                    )
                found[table.name] = ours
        target.require_sound()
        return found

    def _cut_over(self, source: Side, target: Side, tables: Sequence[Table], copy: str) -> float:
        for _ in range(_ATTEMPTS):
            # The less there is left to copy, the shorter writers wait.
            self._catch_up(source, target, tables)
            try:
                return self._stop_and_move(source, target, tables, copy)
            except StoppedTooLong:
                self.bar.say(f"Writers waited for {self.longest_stop:g} s, and go on.")
        raise CopyFailure(
            f"The last pass takes longer than {self.longest_stop:g} s. Try again when less is written, or let writers "
            "wait longer: --longest-stop.",
            BUSY,
        )

    def _stop_and_move(self, source: Side, target: Side, tables: Sequence[Table], copy: str) -> float:
        self.bar.say("Stopping writes …")
        with source.stopped():
            began = monotonic()
            deadline = began + self.longest_stop
            one = self._new_pass(source, target, tables, deadline)
            one.catch_up()
            self.passes.append(one.written)
            if differing := one.differing():
                raise CopyFailure(f"The copy is not like the source: {', '.join(differing)} differ.", DAMAGED)
            if monotonic() > deadline:
                raise StoppedTooLong
            self.bar.say("Moving …")
            source.write_record(copy, Stage.MOVED)
            source.refuse(refused_writes.MOVED, "")
        return monotonic() - began

    def _complete(self, target: Side, copy: str) -> str:
        with target.writing():
            target.allow()
            target.write_record(copy, Stage.COMPLETE)
        target.publish()
        return target.name

    def _finish(self, source: Side, tables: Sequence[Table], copy: str, began: float) -> Moved:
        """Go on with a copy that ended after the source had been told that its graph has moved."""
        if not self.target_place.is_made:
            raise CopyFailure("The graph has moved to another database already.")
        with closing(self.target_place.open()) as target:
            record = target.record()
            if record is None or record.copy != copy or record.stage not in {Stage.FILLING, Stage.COMPLETE}:
                raise CopyFailure(f"The graph has moved to another database already, which is not {target.name}.")
            target.write_for(copy)
            verified: dict[str, Checksum] = {}
            if record.stage is Stage.FILLING:
                verified = self._verify(source, target, tables)
                name = self._complete(target, copy)
            else:
                target.publish()
                name = target.name
        state = backend().read_state()
        return Moved(
            name,
            verified,
            state.facts if state else 0,
            left_out(source, tables),
            self.passes,
            0.0,
            monotonic() - began,
        )


def _reporter(bar: ProgressBar, done: int, total: int) -> Callable[[], None]:
    return lambda: bar.report("verifying", done, total)
