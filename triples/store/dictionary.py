"""Look-up of term ids, for callers that need a few of them and write no facts."""

from collections.abc import Collection

from django.db import connection, transaction

from skg_site.host.write_lock import write_lock
from triples.store.group_commit import open_session
from triples.store.terms import TermCache, Terms


def find_term_ids(texts: Collection[str]) -> dict[str, int]:
    """The ids of the texts that are terms."""
    if not texts:
        return {}
    with connection.wrap_database_errors:
        return open_session(connection).find_terms(texts)


def ensure_terms(texts: Collection[str]) -> dict[str, int]:
    """The id of each text. Texts that are not terms yet become terms, in a commit of their own."""
    ids = find_term_ids(texts)
    if all(text in ids for text in texts):
        return ids
    with write_lock(), transaction.atomic(), connection.wrap_database_errors:
        return Terms(open_session(connection), TermCache()).ids(texts)
