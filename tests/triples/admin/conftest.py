"""The admin as a browser without scripts sees it, and a small graph in it."""

from typing import TYPE_CHECKING

import pytest
from django.test import Client

if TYPE_CHECKING:
    from triples.models import Triple


@pytest.fixture
def admin(database: None) -> Client:
    """A client that is logged in as somebody who may do everything."""
    from django.contrib.auth.models import User

    client = Client()
    client.force_login(User.objects.create_superuser("somebody"))
    return client


@pytest.fixture
def animals(database: None) -> "list[Triple]":
    from tests.support.facts import store
    from triples.models import Source

    return store(
        ("dog", "is_a", "mammal", 0.9),
        ("dog.n.01", "is_a", "dog", 0.5),
        ("dogma", "is_a", "belief", 1.0, '{"source":"book"}'),
        ("cat", "chased_by", "dog", 0.2, None, Source.IMPORT),
        ("Dog", "is_a", "name", 0.0, None, Source.ADMIN),
    )
