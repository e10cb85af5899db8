"""Why a process that reads or writes a file for the service failed: one reading of its exit code and its words."""

import signal
from enum import Enum, auto

import structlog
from django.conf import settings

from skg_site.api.problems import Invalid, Problem, Unavailable
from skg_site.cli.exit_codes import MISUSED, UNAVAILABLE
from triples.files.processes import option_fault

log = structlog.get_logger("skg.exchange")

# Somebody else ended it, such as the system when its memory is full, or the one who restarts the service.
_FROM_OUTSIDE = {-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP}
# The last words of Python, Arrow, Rust and C++ when an allocation fails. The last two abort the process.
_OUT_OF_MEMORY = (b"MemoryError", b"malloc of size", b"memory allocation of", b"bad_alloc")


class Crashed(Problem):
    """A fault of the service itself, of which the log has the details."""

    def __init__(self, what: str) -> None:
        super().__init__(f"The process of the {what} crashed; the log of the service has its last words.")


class End(Enum):
    """Why a process ended that had begun to work on the content."""

    OF_ITS_OWN = auto()
    FROM_OUTSIDE = auto()
    CRASH = auto()


def end_of(code: int, complaint: bytes) -> End:
    # The content that takes too much memory is at fault itself.
    if not code or ran_out_of_memory(complaint):
        return End.OF_ITS_OWN
    return End.FROM_OUTSIDE if code in {*_FROM_OUTSIDE, UNAVAILABLE} else End.CRASH


def fault_of(what: str, code: int | None, complaint: bytes) -> Problem:
    """The problem of a process for an import or an export that has ended without doing anything, or not all."""
    told = complaint.decode(errors="replace").strip()
    sentence = told.rsplit("CommandError: ", 1)[-1]
    if ran_out_of_memory(complaint):
        return Invalid([{"loc": [], "msg": _too_large(what), "type": "memory"}])
    if code in _FROM_OUTSIDE:
        return Unavailable(f"The process of the {what} was ended from outside; try again.")
    if code is None or code < 0 or "Traceback (most recent call last)" in told or not told:
        log.error("process_crashed", what=what, code=code, error=told[-2000:])
        return Crashed(what)
    if code == MISUSED:
        return Invalid([option_fault(sentence)])
    # It told a fault of the database or the system in a sentence.
    log.warning("process_failed", what=what, error=sentence)
    return Unavailable("The database cannot be reached or is busy; try again.")


def death_of(code: int, complaint: bytes) -> str:
    """The sentence for the row of an import whose process has died."""
    if ran_out_of_memory(complaint):
        return _too_large("import")
    if end_of(code, complaint) != End.CRASH:
        return "The process of the import was ended from outside."
    crashed = "The process of the import crashed; the log of the service has its last words."
    if code == -signal.SIGABRT:
        crashed += " It may have needed more memory than SKG_IMPORT_MEMORY allows."
    return crashed


def ran_out_of_memory(complaint: bytes) -> bool:
    # Rust tells it before a long list of calls.
    return any(words in complaint for words in _OUT_OF_MEMORY)


def _too_large(what: str) -> str:
    return f"The {what} needs more than {settings.ENV.import_memory:,} MiB of memory (SKG_IMPORT_MEMORY)."
