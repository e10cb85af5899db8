"""One of many processes that write to the same graph at once; run with a seed, it prints what went wrong as JSON."""

import asyncio
import json
import random
import sys
from collections import Counter

import django
from django.db import connection

django.setup()

from tests.triples.store.graphs import fact  # noqa: E402  # models can be imported only now
from triples.store.operations import (  # noqa: E402
    KEEP,
    AddMany,
    AddOne,
    Change,
    DuplicateFacts,
    Fact,
    NoSuchFact,
    Operation,
    Remove,
    Row,
    Stored,
)
from triples.store.writer import Writer  # noqa: E402

CLIENTS = 8
# SQLite lets in one writer at a time.
THREADS = 3 if connection.vendor == "postgresql" else 1
TURNS = 15
# Seconds: longer than any write takes unless writers wait for each other in a circle.
PATIENCE = 15


class Clients:
    """Clients of one writer that add, change and remove what the other processes work on as well."""

    def __init__(self, seed: int) -> None:
        self.faults: Counter[str] = Counter()
        self._dice = random.Random(seed)
        # Threads of one process meet over the same terms and facts as those of several do.
        self._writer = Writer(PATIENCE, threads=THREADS)
        self._rows: list[Row] = []

    async def run(self) -> None:
        await asyncio.gather(*(self._write() for _ in range(CLIENTS)))
        await asyncio.to_thread(self._writer.close)

    async def _write(self) -> None:
        for turn in range(TURNS):
            try:
                outcome = await self._writer.write(self._operation(turn))
            except (DuplicateFacts, NoSuchFact):
                continue
            except Exception as error:  # noqa: BLE001  # whatever it is, the test wants to hear of it
                self.faults[f"{type(error).__name__}: {error}"] += 1
            else:
                if isinstance(outcome, Stored):
                    self._rows.append(outcome.row)

    def _operation(self, turn: int) -> Operation:
        dice = self._dice
        kind = dice.random()
        if kind < 0.35 or not self._rows:
            return AddOne(self._fact(turn), replace=dice.random() < 0.5)
        if kind < 0.7:
            batch = [self._fact(turn) for _ in range(dice.randrange(1, 30))]
            return AddMany(batch, skip_duplicates=dice.random() < 0.8)
        row = dice.choice(self._rows)
        if kind < 0.85:
            return Change(row.id, row.created_ms, weight=dice.random(), metadata=dice.choice([KEEP, None, '{"a":1}']))
        return Remove(row.id, row.created_ms)

    def _fact(self, turn: int) -> Fact:
        # Half of the subjects are new in each turn, to all processes at about the same time.
        dice = self._dice
        subject = dice.choice([f"s{dice.randrange(30)}", f"turn {turn} {dice.randrange(4)}"])
        return fact(subject, f"p{dice.randrange(3)}", f"s{dice.randrange(40)}", dice.random())


async def main() -> None:
    clients = Clients(int(sys.argv[1]))
    await clients.run()
    sys.stdout.write(json.dumps(clients.faults) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
