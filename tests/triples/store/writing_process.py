"""One of many processes that write to the same graph at once; run with a seed, it prints what went wrong as JSON."""

import asyncio
import json
import random
import sys
from collections import Counter

import django

CLIENTS = 8
WRITES = 15
# Longer than any write takes unless writers wait for each other in a circle.
PATIENCE = 15


async def main(seed: int) -> Counter[str]:
    from tests.triples.store.graphs import fact
    from triples.store.operations import (
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
    from triples.store.writer import Writer

    dice = random.Random(seed)
    writer = Writer(PATIENCE)
    rows: list[Row] = []
    faults: Counter[str] = Counter()

    def some_fact(turn: int) -> Fact:
        # Half of the subjects are new in each turn, to all processes at about the same time.
        subject = dice.choice([f"s{dice.randrange(30)}", f"turn {turn} {dice.randrange(4)}"])
        return fact(subject, f"p{dice.randrange(3)}", f"s{dice.randrange(40)}", dice.random())

    def operation(turn: int) -> Operation:
        kind = dice.random()
        if kind < 0.35 or not rows:
            return AddOne(some_fact(turn), replace=dice.random() < 0.5)
        if kind < 0.7:
            batch = [some_fact(turn) for _ in range(dice.randrange(1, 30))]
            return AddMany(batch, skip_duplicates=dice.random() < 0.8)
        row = dice.choice(rows)
        if kind < 0.85:
            return Change(row.id, row.created_ms, weight=dice.random(), metadata=dice.choice([KEEP, None, '{"a":1}']))
        return Remove(row.id, row.created_ms)

    async def client() -> None:
        for turn in range(WRITES):
            try:
                outcome = await writer.write(operation(turn))
            except (DuplicateFacts, NoSuchFact):
                continue
            except Exception as error:
                faults[f"{type(error).__name__}: {error}"] += 1
            else:
                if isinstance(outcome, Stored):
                    rows.append(outcome.row)

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    await asyncio.to_thread(writer.close)
    return faults


if __name__ == "__main__":
    django.setup()
    sys.stdout.write(json.dumps(asyncio.run(main(int(sys.argv[1])))) + "\n")
