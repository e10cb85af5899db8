"""The rounds in a run's row: one by one or, if there are many, in groups that are summed up."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

# A row with more is longer than anybody reads, and it is written again and again while the run goes on.
MAX_ENTRIES = 500


def add_round(entries: list[dict[str, Any]], new: int, improved: int, total: int, seconds: float) -> None:
    """Append a round; of more than MAX_ENTRIES every two become one."""
    entries.append({"new": new, "improved": improved, "total": total, "seconds": round(seconds, 3)})
    if len(entries) > MAX_ENTRIES:
        pairs = (entries[place : place + 2] for place in range(0, len(entries), 2))
        entries[:] = [_summed_up(pair) for pair in pairs]


def count_rounds(entries: Sequence[dict[str, Any]]) -> int:
    return sum(map(_rounds, entries))


def round_labels(entries: Sequence[dict[str, Any]]) -> list[str]:
    """For each entry which rounds it is, for people: `7`, or `7 to 10`."""
    lasts = accumulate(map(_rounds, entries))
    pairs = zip(lasts, map(_rounds, entries), strict=True)
    return [f"{last}" if count == 1 else f"{last - count + 1} to {last}" for last, count in pairs]


def _rounds(entry: dict[str, Any]) -> int:
    count: int = entry.get("rounds", 1)
    return count


def _summed_up(entries: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "new": sum(entry["new"] for entry in entries),
        "improved": sum(entry["improved"] for entry in entries),
        "total": entries[-1]["total"],
        "seconds": round(sum(entry["seconds"] for entry in entries), 3),
        "rounds": count_rounds(entries),
    }
