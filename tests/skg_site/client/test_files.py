"""Files through the client, to a service and back, over connections that break."""

import gzip
from pathlib import Path

import pytest

from skg_site.client import AsyncClient, Client, Options, Refused
from tests.skg_site.client.breaking import BreakingProxy
from tests.support.service import KEY, Service

pytestmark = pytest.mark.process


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "facts.tsv.gz"
    path.write_bytes(gzip.compress("".join(f"s{number}\tp\to\n" for number in range(2_000)).encode()))
    return path


def test_a_file_goes_in_comes_out_and_is_taken_back(one_service: Service, file: Path, tmp_path: Path) -> None:
    with Client(one_service.url, KEY) as client:
        done = client.import_file(file)
        assert (done["status"], done["inserted"], done["source"]) == ("finished", 2_000, "facts.tsv.gz")
        assert client.import_of(done["import_id"]) == done
        assert [each["number"] for each in client.imports()] == [done["number"]]
        client.export_file(tmp_path / "out.csv.gz", "csv", compress="gzip")
        assert gzip.decompress((tmp_path / "out.csv.gz").read_bytes()).count(b"\n") == 2_001
        assert b"".join(client.export("tsv", subject="s7")) == b"s7\tp\to\n"
        with pytest.raises(Refused) as refused:
            list(client.export("turtle", weights="graphs"))
        assert refused.value.status == 422
        undone = client.undo_import(done["import_id"], wait=True)
        assert (undone["status"], undone["undone"]) == ("undone", 2_000)
        assert client.stats()["total_triples"] == 0


async def test_the_asynchronous_client_does_the_same(client: AsyncClient, file: Path, tmp_path: Path) -> None:
    done = await client.import_file(file, on_duplicate="replace")
    assert (done["status"], done["inserted"], done["options"]) == ("finished", 2_000, {"on_duplicate": "replace"})
    await client.export_file(tmp_path / "out.tsv", "tsv")
    assert (tmp_path / "out.tsv").read_bytes().count(b"\n") == 2_000


def test_an_import_whose_answers_are_lost_is_one_import(one_service: Service, file: Path) -> None:
    with (
        BreakingProxy(one_service.port, breaks={1, 2}) as proxy,
        Client(proxy.url, KEY, options=Options(patience=60)) as client,
    ):
        done = client.import_file(file)
        assert proxy.broken == 2
        assert (done["status"], done["inserted"], done["duplicates"]) == ("finished", 2_000, 0)
        assert len(list(client.imports())) == 1
