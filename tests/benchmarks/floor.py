"""What each part of the service costs a request, found by putting it together part by part."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from tests.benchmarks.floor_steps import STEPS, VARIABLE, Step, has
from tests.benchmarks.plots import bars
from tests.benchmarks.report import Plot, Section, Settings, Table
from tests.benchmarks.servers import SERVICE, Server, processor_seconds, running, service
from tests.benchmarks.wrk import drive

FACTS, QUICK_FACTS = 100_000, 10_000
WARM_UP_SECONDS = 1
APPLICATION = "tests.benchmarks.floor_app:application"


def run(settings: Settings) -> Section:
    complete = service(settings.folder)
    with running(complete):
        complete.fill(complete.url, QUICK_FACTS if settings.quick else FACTS)
    servers = {step: _server(settings, step) for step in STEPS}
    found: dict[Step, list[float]] = {step: [] for step in STEPS}
    for _ in range(settings.rounds):
        for step, server in servers.items():
            with running(server) as process:
                drive(server, "query", WARM_UP_SECONDS)
                before = processor_seconds(process.pid)
                load = drive(server, "query", settings.seconds)
                seconds = processor_seconds(process.pid) - before
                found[step].append(seconds / load.requests * 1_000_000)
    whole = {step: min(values) for step, values in found.items()}
    prices = _prices(whole)
    return Section(
        "The floor under a query",
        "The same query, sent to the service's own parts put together one after the other: so each part's price is"
        " seen, in microseconds of a processor's time, the kernel's share included. The last step is the whole service"
        f" over {QUICK_FACTS if settings.quick else FACTS:,} facts. Rounds: {settings.rounds} of {settings.seconds} s,"
        " of which the least counts, as the one that was least disturbed. A price below zero is lost in the noise.",
        tables=[_table(whole, prices)],
        plots=[_plot(prices)],
        commands=[f"{VARIABLE}='{Step.DOOR}' gunicorn -c deploy/gunicorn.conf.py {APPLICATION}"],
    )


def _server(settings: Settings, step: Step) -> Server:
    made = service(
        settings.folder,
        application=SERVICE if step is Step.STORE else APPLICATION,
        name=step,
        log_level="INFO" if has(step, Step.LOG) else "WARNING",
    )
    command: Sequence[str] = made.command
    if step is Step.UVICORN:
        command = [sys.executable, "-m", "uvicorn", APPLICATION, "--port", str(made.port), "--no-access-log"]
    return replace(made, command=command, environment={**made.environment, VARIABLE: step.value})


def _prices(whole: Mapping[Step, float]) -> dict[Step, float]:
    """What each step costs more than the one before it."""
    return {STEPS[0]: whole[STEPS[0]]} | {step: whole[step] - whole[before] for before, step in pairwise(STEPS)}


def _table(whole: Mapping[Step, float], prices: Mapping[Step, float]) -> Table:
    rows = [[step.value, whole[step], prices[step], 1_000_000 / whole[step]] for step in STEPS]
    return Table(["with", "µs in all", "µs more", "requests/s at most"], rows)


def _plot(prices: Mapping[Step, float]) -> Plot:
    series = {step.value: [max(price, 0.0)] for step, price in prices.items()}
    return Plot(bars("A query", [""], series, y="µs", stacked=True), "What a query costs, part by part.")
