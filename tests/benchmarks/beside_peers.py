"""Requests a second, and how long the slowest hundredth takes, beside what a user would run instead."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from statistics import median

import psycopg

from tests.benchmarks import peers
from tests.benchmarks.plots import bars
from tests.benchmarks.report import Plot, Section, Settings, Table
from tests.benchmarks.servers import Server, running, service
from tests.benchmarks.wrk import CONNECTIONS, WORK, Load, drive, shown
from tests.support.postgresql import TestServer, create_database

FACTS, QUICK_FACTS = 100_000, 10_000
# Not counted; whoever has just started is still loading.
WARM_UP_SECONDS = 1
# In requests a second for each kind of work; the p99 of two peers is only told.
FASTAPI_TARGETS = dict.fromkeys(WORK, 4.0)
FLASK_TARGETS = dict.fromkeys(WORK, 10.0)
ASYNCPG_TARGETS = dict.fromkeys(WORK, 2.0)
OXIGRAPH_TARGETS = {"query": 0.3, "add": 0.2, "batch": 0.6}
P99_TARGET = 0.5


@dataclass(slots=True)
class Rounds:
    """What both did at one kind of work, round by round."""

    ours: list[Load] = field(default_factory=list)
    theirs: list[Load] = field(default_factory=list)

    @property
    def throughput(self) -> float:
        return median(our.per_second / their.per_second for our, their in zip(self.ours, self.theirs, strict=True))

    @property
    def p99(self) -> float:
        return median(our.p99 / their.p99 for our, their in zip(self.ours, self.theirs, strict=True))


def beside_fastapi(settings: Settings) -> Section:
    return _section(settings, peers.fastapi, FASTAPI_TARGETS, p99_target=P99_TARGET)


def beside_asyncpg(settings: Settings) -> Section:
    # On the disk of the report: flushing to a folder in memory would cost nothing.
    folder = settings.folder / "postgresql"
    folder.mkdir()
    server = TestServer(folder)
    try:
        with psycopg.connect(server.url, autocommit=True) as connection:
            # As it is delivered: what is acknowledged is on disk.
            connection.execute("ALTER SYSTEM RESET ALL")
            connection.execute("SELECT pg_reload_conf()")
        ours = service(settings.folder / "service", database_url=create_database(server.url, "skg"))
        theirs = create_database(server.url, "peer")
        return _section(settings, partial(peers.asyncpg, database_url=theirs), ASYNCPG_TARGETS, ours=ours)
    finally:
        server.stop()


def beside_flask(settings: Settings) -> Section:
    return _section(settings, peers.flask, FLASK_TARGETS)


def beside_oxigraph(settings: Settings) -> Section:
    return _section(settings, peers.oxigraph, OXIGRAPH_TARGETS)


def _section(
    settings: Settings,
    make_peer: Callable[[Settings], Server],
    targets: Mapping[str, float],
    p99_target: float | None = None,
    ours: Server | None = None,
) -> Section:
    peer = make_peer(settings)
    facts = QUICK_FACTS if settings.quick else FACTS
    ours = ours or service(settings.folder / "service")
    measured = _measure(ours, peer, settings, facts)
    about = (getattr(make_peer, "func", make_peer).__doc__ or "").partition("\n")[0]
    return Section(
        f"Over HTTP, beside {peer.name}",
        f"{peer.name}: {about} The service: one worker, authentication, limits that are counted, metrics, a log line"
        f" for each request, every acknowledged write on disk. Both take turns on one processor, over {facts:,}"
        f" facts each; wrk asks on {CONNECTIONS} connections from another one. Rounds: {settings.rounds} of"
        f" {settings.seconds} s; ratios, requests and times are their medians.",
        tables=[_table(measured, peer.name, targets, p99_target)],
        plots=[_plot(measured, peer.name)],
        commands=[ours.shown, peer.shown, shown(ours, settings.seconds), shown(peer, settings.seconds)],
    )


def _measure(ours: Server, peer: Server, settings: Settings, facts: int) -> dict[str, Rounds]:
    measured = {work: Rounds() for work in WORK}
    for number in range(settings.rounds):
        for server in (ours, peer):
            with running(server):
                if number == 0:
                    server.fill(server.url, facts)
                drive(server, "query", WARM_UP_SECONDS)
                for work, rounds in measured.items():
                    load = drive(server, work, settings.seconds)
                    (rounds.ours if server is ours else rounds.theirs).append(load)
    return measured


def _table(measured: Mapping[str, Rounds], peer: str, targets: Mapping[str, float], p99_target: float | None) -> Table:
    columns = [
        *("work", "SKG API, requests/s", f"{peer}, requests/s", "ratio", "target"),
        *("SKG API, p99 ms", f"{peer}, p99 ms", "p99 ratio", "p99 target", "reached"),
    ]
    rows = []
    for work, rounds in measured.items():
        reached = rounds.throughput >= targets[work] and (p99_target is None or rounds.p99 <= p99_target)
        rows.append(
            [
                *(work, *_medians(rounds, lambda load: load.per_second), rounds.throughput, f"≥ {targets[work]:g}"),
                *(*_medians(rounds, lambda load: load.p99), rounds.p99),
                *(f"≤ {p99_target:g}" if p99_target else None, "yes" if reached else "**no**"),
            ]
        )
    return Table(columns, rows)


def _medians(rounds: Rounds, value: Callable[[Load], float]) -> tuple[float, float]:
    return median(map(value, rounds.ours)), median(map(value, rounds.theirs))


def _plot(measured: Mapping[str, Rounds], peer: str) -> Plot:
    series = [_medians(rounds, lambda load: load.per_second) for rounds in measured.values()]
    ours, theirs = zip(*series, strict=True)
    drawn = bars(f"Beside {peer}", list(measured), {"SKG API": ours, peer: theirs}, y="requests a second")
    return Plot(drawn, f"Requests a second on one processor; a batch is 100 facts. SKG API and {peer}.")
