"""`manage.py system_check`"""

import os
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser

from skg_site.cli.arguments import argument, seconds, share
from skg_site.cli.exit_codes import FAILED, MISUSED
from skg_site.cli.service_urls import local_url, parse_service_url
from skg_site.host.attention_levels import LITTLE_DISK, OLD_BACKUP_SECONDS
from skg_site.ops.checkup.checks import NAMES, CheckOptions, Result, all_checks, run
from skg_site.ops.checkup.findings import Limits, Mark

ONLY_WARNINGS = 2
service_url = argument(parse_service_url)

SIGNS = {Mark.OK: "✓", Mark.WARNING: "!", Mark.FAILED: "✗", Mark.NOT_APPLICABLE: "-"}
# Addresses to listen on that a client cannot connect to.
REACHED_AT = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # compared with, not listened on


class Command(BaseCommand):
    # Django's checks would stop at the first fault, which this command is to find.
    requires_system_checks = []
    help = (
        "Check everything that the service needs, one line each: ✓ fine, ! worth a look, ✗ broken, - does not apply. "
        "Changes nothing. Exit code 0 when nothing is broken, 1 when something is, 2 with --strict when "
        "there are only warnings, or when the command line makes no sense."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add = parser.add_argument
        add("--url", type=service_url, help="the service (default: SKG_HOST and SKG_PORT)")
        add(
            "--metrics-url",
            type=service_url,
            metavar="URL",
            help="where /metrics is (default: there, or on SKG_METRICS_PORT)",
        )
        add("--ca", type=Path, metavar="FILE", help="trust these certificates instead of the system's")
        add(
            "--only",
            action="append",
            choices=NAMES,
            metavar="CHECK",
            help=f"only this, of {', '.join(NAMES)}; repeatable",
        )
        add("--timeout", type=seconds, default=10.0, metavar="TIME", help="for each check (default: 10s)")
        add("--strict", action="store_true", help="exit with 2 for warnings")
        add("--json", action="store_true", help="print what was found as JSON")
        self._add_limits(parser)

    def _add_limits(self, parser: CommandParser) -> None:
        add = parser.add_argument_group("what to look at, and from where on it is too much").add_argument
        days: dict[str, Any] = {"type": float, "metavar": "DAYS"}
        part: dict[str, Any] = {"type": share, "metavar": "SHARE"}
        time: dict[str, Any] = {"type": seconds, "metavar": "TIME"}
        add(
            "--certificate",
            action="append",
            default=[],
            metavar="PLACE",
            help="a PEM file, or HOST:PORT of a server; repeatable. That of an https --url is looked at anyway",
        )
        add("--certificate-warning", **days, default=21.0, help="left (default: 21)")
        add("--certificate-failure", **days, default=7.0, help="left (default: 7)")
        add("--disk-warning", **part, default=LITTLE_DISK, help="of the disk free (default: 15%%)")
        add("--disk-failure", **part, default=0.05, help="of the disk free (default: 5%%)")
        add("--backup-warning", **time, default=OLD_BACKUP_SECONDS, help="since the last backup (default: 26h)")
        add("--backup-failure", **time, default=50 * 3600.0, help="since the last backup (default: 50h)")
        add(
            "--clock",
            type=service_url,
            metavar="URL",
            help="compare this host's clock with the Date field of this server's answer (default: with PostgreSQL's "
            "clock where that is the database; with the service's where --url is on another host)",
        )
        add("--clock-warning", **time, default=2.0, help="apart (default: 2s)")
        add("--clock-failure", **time, default=30.0, help="apart (default: 30s)")
        add("--log", type=Path, metavar="FILE", help="the service's JSON log, to look for errors in")
        add("--log-window", **time, default=3600.0, help="the time to look back (default: 1h)")
        add("--log-errors", type=int, default=0, metavar="N", help="this many are no failure (default: 0)")

    def handle(self, *_: Any, **options: Any) -> None:
        checks = all_checks(_check_options(options), os.environ)
        chosen = {name: check for name, check in checks.items() if not options["only"] or name in options["only"]}
        results = []
        # Most checks keep the timeout themselves; the extra second is for those that hang.
        for result in run(chosen, options["timeout"] + 1):
            results.append(result)
            if not options["json"]:
                self._show(result)
        marks = {result.finding.mark for result in results}
        if options["json"]:
            self._show_json(results, is_well=Mark.FAILED not in marks)
        if Mark.FAILED in marks:
            raise CommandError(_count(results, Mark.FAILED, "broken"), returncode=FAILED)
        if Mark.WARNING in marks and options["strict"]:
            raise CommandError(_count(results, Mark.WARNING, "worth a look"), returncode=ONLY_WARNINGS)

    def _show(self, result: Result) -> None:
        mark, text = result.finding.mark, result.finding.text
        styles = {Mark.OK: self.style.SUCCESS, Mark.WARNING: self.style.WARNING, Mark.FAILED: self.style.ERROR}
        sign = styles[mark](SIGNS[mark]) if mark in styles else SIGNS[mark]
        self.stdout.write(f"{sign} {result.name:<12}  {text}")
        self.stdout.flush()

    def _show_json(self, results: list[Result], *, is_well: bool) -> None:
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        content = {"ok": is_well, "checked_at": now, "checks": [result.content for result in results]}
        self.stdout.write(orjson.dumps(content, option=orjson.OPT_INDENT_2).decode())


def _check_options(options: dict[str, Any]) -> CheckOptions:
    env = settings.ENV
    host = REACHED_AT.get(env.host, env.host)
    url = options["url"] or local_url(env.port, host)
    # A service that is named by --url may not expose its metrics port.
    metrics_url = options["url"] or local_url(env.metrics_port or env.port, host)
    return CheckOptions(
        url=url,
        metrics_url=options["metrics_url"] or metrics_url,
        timeout=options["timeout"],
        trusted=_trusted(options["ca"]),
        certificates=options["certificate"],
        certificate_days=Limits(options["certificate_warning"], options["certificate_failure"]),
        clock_url=options["clock"],
        clock=Limits(options["clock_warning"], options["clock_failure"]),
        disk=Limits(options["disk_warning"], options["disk_failure"]),
        backup=Limits(options["backup_warning"], options["backup_failure"]),
        log=options["log"],
        log_window=timedelta(seconds=options["log_window"]),
        log_errors=options["log_errors"],
    )


def _trusted(file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=file)
    except (OSError, ssl.SSLError) as error:
        raise CommandError(f"{file} cannot be read as certificates: {error}.", returncode=MISUSED) from None


def _count(results: list[Result], mark: Mark, what: str) -> str:
    names = [result.name for result in results if result.finding.mark is mark]
    return f"{len(names)} of {len(results)} {what}: {', '.join(names)}."
