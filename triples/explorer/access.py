"""Access of admin users to the graph in the explorer."""

from typing import NamedTuple

from django.http import HttpRequest
from rest_framework.exceptions import NotAuthenticated, PermissionDenied


class Access(NamedTuple):
    facts: bool
    inferred: bool


def access_of(request: HttpRequest) -> Access:
    """The access of a user, as in the admin: facts and inferred facts each have their permission."""
    user = request.user
    if not (user.is_authenticated and user.is_staff and user.has_perm("triples.view_triple")):
        return Access(facts=False, inferred=False)
    return Access(facts=True, inferred=user.has_perm("triples.view_inferredtriple"))


def check(request: HttpRequest) -> Access:
    """401 without a login, 403 for a user who may not view facts."""
    access = access_of(request)
    if access.facts:
        return access
    if request.user.is_authenticated:
        raise PermissionDenied("This user may not view facts. Ask an administrator, or use a read key.")
    refusal = NotAuthenticated("Log in to the admin, or use a read key.")
    refusal.auth_header = 'Session realm="admin"'  # type: ignore[attr-defined]  # as DRF does it
    raise refusal
