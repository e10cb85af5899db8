"""Start-up checks: warnings about risky settings, and an error for a wrong clock."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core import checks

from skg_site.host.clock import clock_fault


@checks.register(checks.Tags.security, deploy=True)
def authentication_is_on(**_: Any) -> Sequence[checks.CheckMessage]:
    if settings.ENV.enable_auth:
        return []
    return [
        checks.Warning(
            "SKG_ENABLE_AUTH=false: anybody who reaches the service can read and write.",
            hint="Leave it unset unless the service runs on a closed test bench.",
            id="skg_site.W001",
        )
    ]


@checks.register(checks.Tags.compatibility)
def traces_go_somewhere(**_: Any) -> Sequence[checks.CheckMessage]:
    if not settings.ENV.enable_tracing or settings.ENV.otlp_endpoint:
        return []
    return [
        checks.Warning(
            "SKG_ENABLE_TRACING=true without SKG_OTLP_ENDPOINT: traces have no destination.",
            hint="Name a collector that accepts OTLP over HTTP, such as http://localhost:4318.",
            id="skg_site.W002",
        )
    ]


@checks.register(checks.Tags.database)
def sqlite_keeps_what_it_acknowledged(**_: Any) -> Sequence[checks.CheckMessage]:
    env = settings.ENV
    if env.database_url or (env.enable_wal and env.synchronous != "NORMAL"):
        return []
    if env.enable_wal:
        return [
            checks.Warning(
                "SKG_SYNCHRONOUS=NORMAL: a power cut can lose writes that were acknowledged.",
                hint="Use FULL, the default. It costs one disk flush for each group of writes.",
                id="skg_site.W003",
            )
        ]
    return [
        checks.Warning(
            "SKG_ENABLE_WAL=false: every write makes all reads wait.",
            hint="Leave it on unless the database is on a file system without shared memory.",
            id="skg_site.W004",
        )
    ]


@checks.register(checks.Tags.compatibility)
def the_clock_can_be_right(**_: Any) -> Sequence[checks.CheckMessage]:
    fault = clock_fault()
    return [] if fault is None else [checks.Error(fault, id="skg_site.E001")]
