from collections.abc import Callable
from typing import Any

import pytest
from pytest_django.fixtures import Settings

ChangeSettings = Callable[..., None]


@pytest.fixture
def change_settings(settings: Settings) -> ChangeSettings:
    """A function that gives the service other settings, by field name, for the rest of the test."""

    def change(**fields: Any) -> None:
        settings.ENV = settings.ENV.model_copy(update=fields)

    return change
