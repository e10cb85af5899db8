"""All checks by name, and running them: a check cannot stop the others, and has a time limit."""

import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings

from skg_site.cli.service_urls import is_loopback
from skg_site.env import BASE_DIR, PREFIX, SECRETS
from skg_site.ops.checkup import certificates, database, host, web
from skg_site.ops.checkup.findings import Finding, Limits, Mark, failed, not_applicable

# In the order in which they are shown.
NAMES = (
    "api",
    "metrics",
    "database",
    "migrations",
    "replicas",
    "recursion",
    "clock",
    "disk",
    "certificates",
    "backup",
    "log",
    "secrets",
)

Check = Callable[[], Finding]


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """The options of the command; the limits are in seconds, shares and days."""

    url: str
    metrics_url: str
    timeout: float
    trusted: ssl.SSLContext
    certificates: Sequence[str]
    certificate_days: Limits
    clock_url: str | None
    clock: Limits
    disk: Limits
    backup: Limits
    log: Path | None
    log_window: timedelta
    log_errors: int


class Result(NamedTuple):
    name: str
    finding: Finding
    seconds: float

    @property
    def content(self) -> dict[str, Any]:
        mark, text = self.finding.mark, self.finding.text
        return {"check": self.name, "mark": mark.value, "text": text, "seconds": round(self.seconds, 3)}


def all_checks(options: CheckOptions, environment: Mapping[str, str]) -> dict[str, Check]:
    """The checks, in the order of NAMES."""
    env = settings.ENV
    site = web.Site(options.url, options.timeout, options.trusted)
    metrics = web.Site(options.metrics_url, options.timeout, options.trusted)
    return {
        "api": partial(web.check_api, site),
        "metrics": partial(web.check_metrics, metrics),
        "database": partial(database.if_it_exists, database.check_database),
        "migrations": partial(database.if_it_exists, database.check_migrations),
        "replicas": partial(database.if_it_exists, database.check_replicas),
        "recursion": partial(database.if_it_exists, database.check_recursion),
        "clock": partial(_check_clock, options),
        "disk": partial(host.check_disk, env.db_path.parent, options.disk),
        "certificates": partial(_check_certificates, options),
        "backup": partial(host.check_backup, env.state_dir, options.backup),
        "log": partial(host.check_log, options.log, options.log_window, options.log_errors),
        "secrets": partial(host.check_secrets, list(_files_with_secrets(environment))),
    }


def run(checks: Mapping[str, Check], timeout: float) -> Iterator[Result]:
    for name, check in checks.items():
        began = monotonic()
        finding = _bounded(check, timeout)
        yield Result(name, finding, monotonic() - began)


def _bounded(check: Check, timeout: float) -> Finding:
    """Run a check within the timeout. One that takes longer counts as failed, and its thread is abandoned."""
    found: SimpleQueue[Finding] = SimpleQueue()
    threading.Thread(target=lambda: found.put(_guarded(check)), daemon=True).start()
    try:
        return found.get(timeout=timeout)
    except Empty:
        return failed(f"No answer within {timeout:g} seconds.")


def _guarded(check: Check) -> Finding:
    try:
        return check()
    except Exception as error:  # noqa: BLE001  # whatever is broken is what a check is there to say
        return failed(f"{' '.join(str(error).split()) or type(error).__name__}".rstrip(".") + ".")


def _check_clock(options: CheckOptions) -> Finding:
    if options.clock_url is not None:
        return web.check_clock_by_site(web.Site(options.clock_url, options.timeout, options.trusted), options.clock)
    if settings.ENV.database_url:
        return database.check_clock_by_database(options.clock)
    if not is_loopback(urlsplit(options.url).hostname or ""):
        return web.check_clock_by_site(web.Site(options.url, options.timeout, options.trusted), options.clock)
    return not_applicable("Service and database have this host's clock; --clock URL compares it with another's.")


def _check_certificates(options: CheckOptions) -> Finding:
    places = list(options.certificates)
    parts = urlsplit(options.url)
    if parts.scheme == "https":
        places.append(f"{parts.hostname}:{parts.port or 443}")
    if not places:
        return not_applicable("--certificate FILE or HOST:PORT says how long one is good for.")
    findings = [
        certificates.check_certificate(place, options.certificate_days, options.timeout, options.trusted)
        for place in places
    ]
    order = [Mark.FAILED, Mark.WARNING, Mark.OK]
    worst = min((finding.mark for finding in findings), key=order.index)
    return Finding(worst, " ".join(finding.text for finding in findings))


def _files_with_secrets(environment: Mapping[str, str]) -> Iterator[Path]:
    env = settings.ENV
    yield BASE_DIR / ".env"
    yield env.state_dir / "secret_key"
    if not env.database_url:
        yield env.db_path
    for name in SECRETS:
        if file := environment.get(f"{PREFIX}{name.upper()}_FILE"):
            yield Path(file)
