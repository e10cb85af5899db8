"""Permissions by scope. `scopes` of a view names the scope that each of its actions needs."""

from typing import TYPE_CHECKING

from django.core.exceptions import ImproperlyConfigured
from rest_framework.exceptions import NotAuthenticated, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from apikeys import audit
from apikeys.callers import REFUSED, Reason, caller_of
from skg_site.api.request import http_of

if TYPE_CHECKING:
    # DRF imports this module during its own import, so its views cannot be imported here.
    from skg_site.api.views import APIViewSet


class HasScope(BasePermission):
    """Requires a key with the scope of the action, or any key if that is empty."""

    def has_permission(self, request: Request, view: "APIViewSet") -> bool:  # type: ignore[override]  # every API view is one
        if view.action not in view.scopes:
            raise ImproperlyConfigured(f"{type(view).__name__}.scopes does not say which scope {view.action} needs")
        scope = view.scopes[view.action]
        caller = caller_of(request)
        if caller is None:
            audit.auth_failure(http_of(request), Reason.MISSING)
            raise NotAuthenticated(REFUSED)
        if scope and scope not in caller.scopes:
            raise PermissionDenied(f"This needs a key with the scope {scope}.")
        return True
