"""Prometheus metrics of a worker and of its host."""

import asyncio
import resource
from pathlib import Path
from time import process_time

import structlog
from django.conf import settings
from prometheus_client import Counter, Gauge

from skg_site.host.backup_record import read_backup_record
from skg_site.host.certificates import expiry
from skg_site.observe.metric_files import carry_over_the_ended
from skg_site.server.overload import OTHER, QUICK

log = structlog.get_logger("skg.metrics")

INSIDE = Gauge("skg_requests_inside", "Requests under way", ["gate"], multiprocess_mode="livesum")
LIMIT = Gauge(
    "skg_requests_limit", "Requests under way beyond which others are refused", ["gate"], multiprocess_mode="livesum"
)
WORKERS = Gauge("skg_workers", "Workers that serve", multiprocess_mode="livesum")
CPU = Counter("skg_worker_cpu_seconds_total", "Processor time of the workers")
MEMORY = Gauge("skg_worker_memory_bytes", "Resident memory of the workers", multiprocess_mode="livesum")
BACKUP = Gauge(
    "skg_backup_last_success_timestamp_seconds",
    "When the last backup from this host was complete; 0 if none is known",
    multiprocess_mode="livemostrecent",
)
BACKUP_SIZE = Gauge("skg_backup_size_bytes", "Size of that backup", multiprocess_mode="livemostrecent")
CERTIFICATE = Gauge(
    "skg_certificate_expiry_timestamp_seconds",
    "When a certificate of SKG_CERTIFICATES expires",
    ["file"],
    multiprocess_mode="livemostrecent",
)

_counted = 0.0


async def sample() -> None:
    global _counted  # noqa: PLW0603  # one for each process, as the processor time is
    for name, gate in (("quick", QUICK), ("other", OTHER)):
        INSIDE.labels(name).set(gate.inside)
        LIMIT.labels(name).set(gate.limit)
    WORKERS.set(1)
    used = process_time()
    CPU.inc(used - _counted)
    _counted = used
    await asyncio.to_thread(_sample_files)


def _sample_files() -> None:
    MEMORY.set(int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize())
    carry_over_the_ended()
    _sample_backup()
    for name in settings.ENV.certificates:
        try:
            CERTIFICATE.labels(name).set(expiry(Path(name).read_bytes()).timestamp())
        except (OSError, ValueError) as error:
            log.warning("certificate_unreadable", file=name, error=str(error))


def _sample_backup() -> None:
    try:
        record = read_backup_record(settings.ENV.state_dir)
    except ValueError:
        log.warning("backup_record_damaged", advice="the next manage.py backup writes a new one")
        return
    # Without a backup it is 0, so that an alert on the age of the last one fires.
    BACKUP.set(record.finished_at.timestamp() if record else 0)
    if record:
        BACKUP_SIZE.set(record.bytes)
