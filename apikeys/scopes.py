"""Scopes of keys: sets, written in a fixed order so that equal sets are equal texts."""

from collections.abc import Iterable
from enum import StrEnum
from itertools import combinations


class Scope(StrEnum):
    """`admin` manages keys and implies no other scope: over HTTP a key issues no scope that it lacks."""

    READ = "read"
    WRITE = "write"
    RECURSE = "recurse"
    ADMIN = "admin"


ALL_SCOPES = frozenset(Scope)


def scope_text(scopes: Iterable[str]) -> str:
    """The text of a set of scopes, such as `read write`; ValueError for an empty set or an unknown scope."""
    wanted = set(scopes)
    if unknown := wanted - ALL_SCOPES:
        raise ValueError(f"there is no scope {', '.join(sorted(unknown))}, only {', '.join(Scope)}")
    if not wanted:
        raise ValueError(f"a key needs at least one scope of {', '.join(Scope)}")
    return " ".join(scope for scope in Scope if scope in wanted)


LEGAL_SCOPE_TEXTS = [scope_text(some) for size in range(1, 5) for some in combinations(Scope, size)]
