"""Whether the machine's clock can be right.

Facts, keys and runs keep the time at which they were made, and keys end by it. A machine whose clock has lost its
battery starts in 1970, until it is set; the service waits for that rather than write such times.
"""

from datetime import UTC, datetime
from time import time

# This service did not exist before the one, and no key or certificate of today will by the other.
EARLIEST = datetime(2024, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)


def clock_fault() -> str | None:
    """What is wrong with the clock, in a sentence; None where it can be right."""
    now = time()
    if EARLIEST.timestamp() <= now < LATEST.timestamp():
        return None
    # Not as a date: there is none for every number.
    return (
        f"The machine's clock is wrong: it tells {now:.0f} seconds since 1970, which is before "
        f"{EARLIEST.year} or after {LATEST.year}. Set it (timedatectl set-ntp true), then start again."
    )
