"""Exit codes of the commands. Those from 64 on are the ones of sysexits.h, which cron and systemd understand."""

FAILED, MISUSED = 1, 2
# EX_DATAERR, EX_NOINPUT, EX_UNAVAILABLE, EX_TEMPFAIL ("try again later") and EX_NOPERM.
DAMAGED, MISSING, UNAVAILABLE, BUSY, NOT_ALLOWED = 65, 66, 69, 75, 77


def after_signal(number: int) -> int:
    """The code that a shell shows for a process that this signal ended."""
    return 128 + number
