"""The admin, loaded by what serves or checks it: commands and runs have no use for it."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core import checks


def discovered_admin_is_right(app_configs: Any, **options: Any) -> Sequence[checks.CheckMessage]:
    """Django's check of the admin, which looks at no more than what is registered."""
    admin.autodiscover()
    found: Sequence[checks.CheckMessage] = check_admin_app(app_configs, **options)
    return found


class LateAdminConfig(SimpleAdminConfig):
    """Django's own would load it in every process; `skg_site.urls` loads it here."""

    def ready(self) -> None:
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(discovered_admin_is_right, checks.Tags.admin)
