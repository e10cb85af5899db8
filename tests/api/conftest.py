"""What the tests of the API share beside the fixtures that all tests have."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.apikeys.conftest import change_settings
from tests.support.database import in_orm

# The fixture of the tests of keys, for these tests too.
__all__ = ["change_settings"]

StoreFacts = Callable[..., None]


@pytest.fixture
def store_facts(database: None) -> StoreFacts:
    """A function that stores facts past the API, given as `tests.support.facts.store` takes them."""
    # pytest loads this module before there are settings, which this needs.
    from tests.support.facts import store

    def store_all(*facts: tuple[Any, ...]) -> None:
        in_orm(store, *facts)

    return store_all
