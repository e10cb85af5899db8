"""A backup of a service that is being written to all the time, with the service's own processes and clients."""

import asyncio

import pytest

from tests.conftest import StartService
from tests.service.load import (
    assert_each_request_is_whole_or_missing,
    assert_statistics_are_true,
    stored_facts,
    writing,
)
from tests.skg_site.ops.backups.databases import Databases, as_json, refused
from tests.triples.commands.runs import Shell

pytestmark = pytest.mark.both

CLIENTS = 8
SECONDS = 2.0


async def test_a_backup_under_full_write_load_restores_to_a_consistent_graph(
    service: StartService, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> None:
    one = service(workers=2)
    folder = str(tmp_path_factory.mktemp("backups"))
    shell = Shell(one.variables)
    async with writing(one, CLIENTS) as ledger:
        await ledger.fill(SECONDS)
        before = ledger.answered
        taken = await asyncio.to_thread(as_json, shell, "backup", "--to", folder)
        in_use = await asyncio.to_thread(refused, shell, "restore", folder, "--force", "--yes")
        await ledger.fill(SECONDS / 4)
    assert ledger.other_answers == {}
    assert in_use[0] == 75
    assert before

    other = databases.fresh()
    assert as_json(other, "restore", folder)["facts"] == taken["facts"]
    database = {
        name.removeprefix("SKG_").lower(): other.variables[name] for name in ("SKG_DB_PATH", "SKG_DATABASE_URL")
    }
    restored = service(**database)
    found = list(stored_facts(restored))
    assert len(found) == taken["facts"]
    assert before <= set(found)
    assert_each_request_is_whole_or_missing(ledger, found)
    assert_statistics_are_true(restored, found)
