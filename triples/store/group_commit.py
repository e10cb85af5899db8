"""Group commit: many operations under one lock, in one transaction, with one fsync."""

from collections.abc import Sequence

from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

from skg_site.host.refused_writes import WritesRefused
from skg_site.host.write_lock import write_lock
from triples.store.backend import backend
from triples.store.operations import AddMany, DuplicateFacts, Operation, Outcome, StoreError
from triples.store.sessions import Session
from triples.store.term_cache import TermCache
from triples.store.transaction import Transaction

# The result of an operation: its outcome, or the database's error.
Result = Outcome | DatabaseError | InterfaceError

# How often a single operation is tried: other writers may change its rows, and connections may break.
ATTEMPTS = 3


def open_session(database: BaseDatabaseWrapper) -> Session:
    """A session on this thread's connection."""
    database.ensure_connection()
    return backend().session(database.connection)


def write_now(operations: Sequence[Operation]) -> list[Outcome]:
    """Commit operations together in this thread, for commands and the admin.

    Raises `DuplicateFacts` if an all-or-nothing batch has duplicates, and Django's database errors; then nothing is
    stored. Inside an outer transaction, the outer commit decides.
    """
    with write_lock():
        try:
            return _commit(operations, TermCache())
        except _Unreachable as error:
            raise error.cause from None


def commit_group(operations: Sequence[Operation], cache: TermCache) -> list[Result]:
    """Commit operations together or, if one of them fails, one by one.

    The caller holds the write lock. Each operation gets its own outcome or error. Raises OperationalError if the
    database cannot be reached or its lock cannot be taken: then nothing was stored or, if the connection broke during
    the commit, the outcome is unknown.
    """
    together = [operation for operation in operations if not _stands_alone(operation)]
    grouped = iter(_commit_or_split(together, cache) if together else ())
    alone = iter(_commit_each([operation for operation in operations if _stands_alone(operation)], cache))
    return [next(alone if _stands_alone(operation) else grouped) for operation in operations]


def _stands_alone(operation: Operation) -> bool:
    """True for an operation that may roll its transaction back, so that it needs a transaction of its own."""
    return isinstance(operation, AddMany) and not operation.skip_duplicates


def _commit_or_split(operations: Sequence[Operation], cache: TermCache) -> Sequence[Result]:
    try:
        try:
            return _commit(operations, cache, alone=True)
        except IntegrityError:
            # Another writer has made one of the terms meanwhile, or one that was remembered is gone.
            cache.clear()
            return _commit(operations, cache)
    except _Unreachable as error:
        raise error.cause from None
    except DatabaseError:
        cache.clear()
        return _commit_each(operations, cache)


def _commit_each(operations: Sequence[Operation], cache: TermCache) -> list[Result]:
    outcomes: list[Result] = []
    for operation in operations:
        try:
            outcomes.append(_commit_alone(operation, cache))
        except _Unreachable as error:
            # The operations before it are stored; those after it would meet the same error.
            return outcomes + [error.cause] * (len(operations) - len(outcomes))
    return outcomes


def _commit_alone(operation: Operation, cache: TermCache) -> Result:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _commit([operation], cache, alone=attempt == 1)[0]
        except StoreError as error:
            return error
        except DatabaseError as error:
            # A remembered id of a term may have caused the error.
            cache.clear()
            if attempt == ATTEMPTS:
                return error
    raise AssertionError("the last attempt returns")


class GaveUp(OperationalError):
    """The transaction waited for a lock, or worked, for longer than a write may take."""


class _Unreachable(Exception):
    """The transaction could not begin, gave up, its commit failed, or the database refuses all writes.

    To try its operations again would not help.
    """

    def __init__(self, cause: DatabaseError | InterfaceError) -> None:
        self.cause = cause


def _commit(operations: Sequence[Operation], cache: TermCache, *, alone: bool = False) -> list[Outcome]:
    """Commit the operations; IntegrityError if `alone` and another writer makes the same terms at this moment."""
    began = applied = False
    try:
        with connection.wrap_database_errors, backend().transaction():
            began = True
            changes = Transaction(open_session(connection), cache, alone=alone)
            outcomes = changes.apply(operations)
            for outcome in outcomes:
                if isinstance(outcome, DuplicateFacts):
                    raise outcome
            applied = True
    except (OperationalError, InterfaceError) as error:
        if not connection.in_atomic_block:
            connection.close()
        if not began or applied or isinstance(error, (GaveUp, WritesRefused)):
            raise _Unreachable(error) from error
        raise
    changes.terms.remember()
    return outcomes
