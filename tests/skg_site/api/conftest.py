"""The door under test, in front of the views of `door_urls`."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    # pytest loads this module before there are settings, which these need.
    from skg_site.api.door import APIDoor
    from tests.skg_site.api.door_urls import Happenings


@pytest.fixture
def door() -> "APIDoor":
    from skg_site.api.door import APIDoor

    return APIDoor("tests.skg_site.api.door_urls")


@pytest.fixture
async def happenings() -> "Happenings":
    from tests.skg_site.api import door_urls

    door_urls.happenings = door_urls.Happenings()
    return door_urls.happenings
