"""Why a process that reads or writes a file for the service failed: one reading of its exit code and its words."""

import signal
from enum import Enum, auto

import structlog
from django.conf import settings

from skg_site.api.problems import Invalid, Problem, Unavailable
from skg_site.cli.exit_codes import MISUSED
from triples.files.processes import option_fault
from triples.services.imports import NO_DATABASE

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
    """Why a process ended."""

    OF_ITS_OWN = auto()
    # The content takes more of it than an import or an export may have.
    MEMORY = auto()
    OPTIONS = auto()
    FROM_OUTSIDE = auto()
    # It told a fault of the database or the system in a sentence.
    SERVICE = auto()
    CRASH = auto()

    @property
    def is_of_service(self) -> bool:
        """True if neither the content nor the options are to blame, so that the same may be sent again."""
        return self in {End.FROM_OUTSIDE, End.SERVICE, End.CRASH}


def end_of(code: int | None, complaint: bytes) -> End:
    if ran_out_of_memory(complaint):
        return End.MEMORY
    if code == 0:
        return End.OF_ITS_OWN
    if code in _FROM_OUTSIDE:
        return End.FROM_OUTSIDE
    told = complaint.strip()
    if code is None or code < 0 or b"Traceback (most recent call last)" in told or not told:
        return End.CRASH
    return End.OPTIONS if code == MISUSED else End.SERVICE


def fault_of(what: str, code: int | None, complaint: bytes) -> Problem:
    """The problem of a process for an import or an export that has ended without doing anything, or not all."""
    told = complaint.decode(errors="replace").strip()
    sentence = told.rsplit("CommandError: ", 1)[-1]
    match end_of(code, complaint):
        case End.MEMORY:
            return Invalid([{"loc": [], "msg": _too_large(what), "type": "memory"}])
        case End.FROM_OUTSIDE:
            return Unavailable(f"The process of the {what} was ended from outside; try again.")
        case End.OPTIONS:
            return Invalid([option_fault(sentence)])
        case End.SERVICE:
            log.warning("process_failed", what=what, error=sentence)
            return Unavailable(f"{NO_DATABASE} Try again.")
        case _:
            # Also one that ended well and has done nothing.
            log.error("process_crashed", what=what, code=code, error=told[-2000:])
            return Crashed(what)


def death_of(code: int, complaint: bytes) -> str:
    """The sentence for the row of an import whose process has died."""
    match end_of(code, complaint):
        case End.MEMORY:
            return _too_large("import")
        case End.SERVICE:
            return NO_DATABASE
        case End.CRASH:
            crashed = "The process of the import crashed; the log of the service has its last words."
            if code == -signal.SIGABRT:
                crashed += " It may have needed more memory than SKG_IMPORT_MEMORY allows."
            return crashed
        case _:
            return "The process of the import was ended from outside."


def ran_out_of_memory(complaint: bytes) -> bool:
    # Rust tells it before a long list of calls.
    return any(words in complaint for words in _OUT_OF_MEMORY)


def _too_large(what: str) -> str:
    return f"The {what} needs more than {settings.ENV.import_memory:,} MiB of memory (SKG_IMPORT_MEMORY)."
