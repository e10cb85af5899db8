"""A check of the machine's clock.

Facts, keys and runs record the time at which they were made, and keys expire by it. A machine whose clock has lost
its battery starts in 1970 until it is set. The service does not start then, rather than record such times.
"""

from datetime import UTC, datetime
from time import time

# The service did not exist before the first date, and no key or certificate of today is valid at the second.
EARLIEST = datetime(2024, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)


def clock_fault() -> str | None:
    """A sentence if the clock cannot be right, otherwise None."""
    now = time()
    if EARLIEST.timestamp() <= now < LATEST.timestamp():
        return None
    # Not every number of seconds can be shown as a date.
    return (
        f"The machine's clock is wrong: it tells {now:.0f} seconds since 1970, which is before "
        f"{EARLIEST.year} or after {LATEST.year}. Set it (timedatectl set-ntp true), then start again."
    )
