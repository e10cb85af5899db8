"""What was acknowledged is kept, however the service's processes end.

CRASH_WORKERS, CRASH_CLIENTS and CRASH_SECONDS make the run larger than the suite has time for; with
--log-cli-level=INFO it says how many facts it counted.
"""

import logging
import os
import random
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.conftest import StartService
from tests.service.load import (
    assert_each_request_is_whole_or_missing,
    assert_statistics_are_true,
    stored_facts,
    writing,
)

WORKERS = int(os.environ.get("CRASH_WORKERS", "4"))
CLIENTS = int(os.environ.get("CRASH_CLIENTS", "12"))
SECONDS = float(os.environ.get("CRASH_SECONDS", "4"))

log = logging.getLogger(__name__)


async def test_every_answered_fact_survives_the_loss_of_a_worker_and_of_the_whole_service(
    service: StartService, disk_folder: Path
) -> None:
    one = service(disk_folder, workers=WORKERS)
    async with writing(one, CLIENTS) as ledger:
        await ledger.fill(SECONDS / 2)
        os.kill(random.choice(one.workers), signal.SIGKILL)
        await ledger.fill(SECONDS / 2)
        one.kill()
    assert ledger.other_answers == {}

    one.start()
    found = list(stored_facts(one))
    lost = ledger.answered.difference(found)
    log.info("answered %d, found %d, lost %d", len(ledger.answered), len(found), len(lost))
    assert not lost
    assert_each_request_is_whole_or_missing(ledger, found)
    assert_statistics_are_true(one, found)
    with closing(sqlite3.connect(one.folder / "skg.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
