"""Writes that the database itself refuses, because its graph is, or is about to be, in another database.

`manage.py copy_to` puts triggers on all tables. They refuse what any process writes, whichever way it goes and whatever
version it is of, and they cost nothing while they are not there.
"""

from types import TracebackType

from django.db.utils import DatabaseErrorWrapper

from skg_site.host.unfit_database import UnfitDatabase

# An error of SQLite's trigger begins with this.
MARK = "SKG: "
# PostgreSQL's class 55 is "object not in prerequisite state".
SQLSTATE = "55SKG"

MOVED = (
    "The graph has moved to another database. It can still be read here, but nothing is stored until the service is "
    "restarted with that database in SKG_DATABASE_URL, or in SKG_DB_PATH."
)
UNFINISHED = (
    "This database is an unfinished copy of another one, which manage.py copy_to fills. Nothing else is stored here "
    "until the copy is finished."
)


class WritesRefused(UnfitDatabase):
    """A trigger has refused a write; the transaction stores nothing."""

    # For an operator to restart the service.
    retry_after_seconds = 30


def refusal(error: BaseException) -> str | None:
    """The sentence of the trigger that caused a driver's error; None if the error has another cause."""
    text = str(error)
    if text.startswith(MARK):
        return text.removeprefix(MARK)
    if getattr(error, "sqlstate", None) == SQLSTATE:
        # Without the lines that tell where in the trigger it was raised.
        return text.partition("\n")[0]
    return None


class ErrorWrapper(DatabaseErrorWrapper):
    """Django's, which turns a driver's errors into Django's own, with WritesRefused among them."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            return
        if (sentence := refusal(error)) is not None:
            raise WritesRefused(sentence).with_traceback(traceback) from error
        super().__exit__(kind, error, traceback)
