"""Requests that last: their key is checked again and again."""

import asyncio
from typing import Any

import pytest
from rest_framework.exceptions import AuthenticationFailed

from skg_site.api import views
from skg_site.api.problems import Unavailable
from skg_site.api.views import APIViewSet


class Lasting(APIViewSet):
    """A view whose key is found to be as `fault` says."""

    request: Any = None

    def __init__(self, fault: Exception | None) -> None:
        super().__init__()
        self.fault = fault
        self.looks = 0

    async def authenticate(self, _request: object) -> None:
        self.looks += 1
        if self.fault is not None:
            raise self.fault

    def check_permissions(self, _request: object) -> None:
        """Whoever has a key may do this."""


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "LOOK_AGAIN_SECONDS", 0.001)


async def answer_of(view: Lasting) -> str:
    async def work() -> str:
        while view.looks < 3:
            await asyncio.sleep(0)
        return "done"

    return await view.while_allowed(work())


@pytest.mark.parametrize("fault", [None, Unavailable("The key cannot be checked now.")])
async def test_a_database_that_is_away_for_a_moment_ends_nothing(fault: Exception | None) -> None:
    assert await answer_of(Lasting(fault)) == "done"


async def test_a_key_that_works_no_more_ends_it() -> None:
    with pytest.raises(AuthenticationFailed):
        await answer_of(Lasting(AuthenticationFailed("no more")))
