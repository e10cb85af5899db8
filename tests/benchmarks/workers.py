"""What a second worker adds."""

from statistics import median

from tests.benchmarks.report import LeftOut, Section, Settings, Table
from tests.benchmarks.servers import processors, running, service
from tests.benchmarks.wrk import WORK, drive

FACTS, QUICK_FACTS = 100_000, 10_000
TARGET = 1.8


def run(settings: Settings) -> Section:
    available = processors()
    if len(available) < 3:
        raise LeftOut(
            f"Two workers and the load need a processor each, and this machine has {len(available)} for them: with two"
            " workers on one processor there would be nothing to see."
        )
    one = service(settings.folder, name="one worker")
    two = service(settings.folder, name="two workers", workers=2)
    rates: dict[str, list[tuple[float, float]]] = {work: [] for work in WORK}
    for number in range(settings.rounds):
        found = []
        for server, count in ((one, 1), (two, 2)):
            with running(server, *available[:count]):
                if number == 0 and server is one:
                    server.fill(server.url, QUICK_FACTS if settings.quick else FACTS)
                found.append([drive(server, work, settings.seconds).per_second for work in WORK])
        for work, pair in zip(WORK, zip(*found, strict=True), strict=True):
            rates[work].append((pair[0], pair[1]))
    rows = [
        [
            *(work, median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)),
            (ratio := median(pair[1] / pair[0] for pair in pairs)),
            "yes" if ratio >= TARGET else "**no**",
        ]
        for work, pairs in rates.items()
    ]
    return Section(
        "Two workers over one",
        "The same database and load, with one worker on one processor and with two on two. One database file takes one"
        f" commit at a time, whoever makes it. The target is {TARGET} times the requests.",
        tables=[Table(["work", "one worker, requests/s", "two workers, requests/s", "ratio", "reached"], rows)],
    )
