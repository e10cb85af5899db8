"""Look-up of terms, for callers that need a few of them and write no facts."""

from collections.abc import Collection

from django.db import connection, transaction
from django.db.models import QuerySet

from skg_site.host.write_lock import write_lock
from triples.models import Term
from triples.store.group_commit import open_session
from triples.term_keys import KEPT, TermKey


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
        found, made = open_session(connection).find_or_make_terms(texts)
        return found | made


def terms_beginning_with(prefix: str) -> QuerySet[Term]:
    """The terms that begin with a text: one range of the index."""
    found = Term.objects.alias(key=TermKey("text")).filter(**_range("key", prefix[:KEPT]))
    # Those that agree in all that their keys have of them may differ beyond.
    return found if len(prefix) <= KEPT else found.filter(**_range("text", prefix))


def _range(column: str, prefix: str) -> dict[str, str]:
    """The condition that a column begins with a text."""
    end = following(prefix)
    return {f"{column}__gte": prefix} | ({} if end is None else {f"{column}__lt": end})


def following(prefix: str) -> str | None:
    """The least text that is greater than all that begin with `prefix`, by code points; None if there is none."""
    shortened = prefix.rstrip("\U0010ffff")
    if not shortened:
        return None
    # Between these two lie the surrogates, which are no characters.
    last = "\ue000" if shortened[-1] == "\ud7ff" else chr(ord(shortened[-1]) + 1)
    return shortened[:-1] + last
