"""What the tests of the API share beside the fixtures that all tests have."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.database import in_orm

StoreFacts = Callable[..., None]


@pytest.fixture
def store_facts(database: None) -> StoreFacts:
    """A function that stores facts past the API, given as `tests.support.facts.store` takes them."""
    # pytest loads this module before there are settings, which this needs.
    from tests.support.facts import store

    def store_all(*facts: tuple[Any, ...]) -> None:
        in_orm(store, *facts)

    return store_all


@pytest.fixture(autouse=True)
def no_process(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands of processes that a request would have started for a run."""
    started: list[list[str]] = []

    def start(command: list[str], **_: Any) -> None:
        started.append(command)

    monkeypatch.setattr("triples.runs.requests.subprocess.run", start)
    return started
