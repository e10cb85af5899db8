"""The admin's index: the service in numbers, what needs attention, and the way to everything else."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse

from skg_site.overview.attention import attention
from skg_site.overview.pictures import pictures
from skg_site.overview.totals import totals

# The graph is what people come for, then who may call; the service's own users change least.
APPS = ("triples", "apikeys", "auth")
MODELS = ("Triple", "InferredTriple", "Term", "Rule", "RecursionRun")


def index(request: HttpRequest) -> HttpResponse:
    """GET /admin/: everything on it is what the user may view."""
    user = request.user
    assert isinstance(user, User), "the admin lets in nobody else"
    context = {
        "app_list": sorted(admin.site.get_app_list(request), key=_rank),
        "attention": attention(user),
        "totals": totals(user),
        "pictures": list(pictures(user)),
    }
    return admin.site.index(request, context)


def _rank(app: dict[str, Any]) -> int:
    app["models"].sort(key=lambda model: _place(model["object_name"], MODELS))
    return _place(app["app_label"], APPS)


def _place(name: str, names: tuple[str, ...]) -> int:
    return names.index(name) if name in names else len(names)
