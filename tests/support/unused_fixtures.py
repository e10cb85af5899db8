"""Fixtures of pytest-django that every test would set up and none uses: half of the time of a test that does little.

They are for markers, Django's own classes of tests, mail and `django.contrib.sites`, which this project has not.
"""

import pytest

UNUSED = {
    "_dj_autoclear_mailbox",
    "_django_clear_site_cache",
    "_django_db_marker",
    "_django_isolate_apps",
    "_django_set_urlconf",
    "_django_setup_unittest",
    "_live_server_helper",
    "_template_string_if_invalid_marker",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # The rows of a table share one list.
    for names in {id(names): names for item in items if (names := getattr(item, "fixturenames", None))}.values():
        names[:] = [name for name in names if name not in UNUSED]
