"""A small graph with an inferred fact, and clients that are logged in to the admin."""

from collections.abc import Callable

import httpx
import pytest

from tests.support.database import in_orm

LogIn = Callable[..., httpx.AsyncClient]
VIEW = ("view_triple", "view_inferredtriple")


@pytest.fixture
def log_in(anonymous: httpx.AsyncClient, places: None) -> LogIn:
    """A function that logs the client in as a user with these permissions."""
    from django.contrib.auth.models import Permission, User
    from django.test import Client

    def session(permissions: tuple[str, ...], staff: bool) -> str:
        user = User.objects.create_user("reader", is_staff=staff)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client = Client()
        client.force_login(user)
        return client.cookies["sessionid"].value

    def log_in(*permissions: str, staff: bool = True) -> httpx.AsyncClient:
        anonymous.cookies.set("sessionid", in_orm(lambda: session(permissions, staff)), domain="testserver.local")
        # A token of Django's for forms, which the page gives to its script.
        token = "t" * 32
        anonymous.cookies.set("csrftoken", token, domain="testserver.local")
        anonymous.headers["X-CSRFToken"] = token
        return anonymous

    return log_in


@pytest.fixture
def places(database: None) -> None:
    from tests.support.facts import store
    from tests.triples.store.inferred.derived import program, run

    rule = {
        "name": "located_in is transitive",
        "weight": 0.5,
        "head": ["?x", "located_in", "?z"],
        "body": [["?x", "located_in", "?y"], ["?y", "located_in", "?z"]],
    }

    def make() -> None:
        store(
            ("Ulm", "located_in", "Germany", 0.5, '{"seen": 3}'),
            ("Germany", "located_in", "Europe"),
            ("Ulm", "twin_of", "Jinja", 0.75),
        )
        run(program(rule))

    in_orm(make)
