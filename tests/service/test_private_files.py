"""Whatever the umask is, nobody else may read what the service and its commands make."""

import os
import stat
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from skg_site.env import BASE_DIR
from skg_site.host.metrics_folder import SHARED_MEMORY, VARIABLE
from tests.conftest import StartService
from tests.support.environment import process_environment
from tests.support.service import manage

RULE = {"name": "path", "head": ["?x", "in", "?z"], "body": [["?x", "in", "?y"], ["?y", "in", "?z"]]}


@contextmanager
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    try:
        yield
    finally:
        os.umask(before)


def open_to_others(folder: Path) -> dict[str, str]:
    found = {}
    for path in [folder, *folder.rglob("*")]:
        mode = path.lstat().st_mode
        wanted = 0o700 if stat.S_ISDIR(mode) else 0o600
        if not stat.S_ISLNK(mode) and stat.S_IMODE(mode) != wanted:
            found[str(path)] = stat.filemode(mode)
    return found


def test_all_that_is_made_is_closed_to_others(service: StartService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.support.service.process_environment", _with_metrics_where_the_service_puts_them)
    one = service(workers=1, database_url="")
    one.stop()
    # Made anew, with all that stands beside it.
    folder = one.folder / "data" / "of" / "the service"
    one.variables["SKG_DB_PATH"] = str(folder / "skg.db")
    one.variables["SKG_SECRET_KEY"] = ""
    exported = one.folder / "facts.csv"
    with open_umask():
        folder.parent.parent.mkdir(mode=0o700)
        migrated = manage("migrate", "--no-input", variables=one.variables)
        assert migrated.returncode == 0, migrated.stderr
        one.start()
        with one.client() as client:
            for subject, object_ in (("a", "b"), ("b", "c")):
                fact = {"subject": subject, "predicate": "in", "object": object_}
                assert client.post("/triples/add", json=fact).status_code == 201
            assert client.post("/rules", json=RULE).status_code == 201
            client.get("/stats", headers={"Authorization": "Bearer wrong"})
            client.get("/admin/login/")
            client.get("/metrics")
            [shared] = [path for path in SHARED_MEMORY.glob(f"skg-{os.getuid()}-*") if _is_of(path, one.workers[0])]
            for command in (
                ["recurse"],
                ["bootstrap"],
                ["apikey", "create", "another", "--scopes", "read"],
                ["import_triples", "--format", "tsv", "-"],
                ["export_triples", str(exported)],
                ["backup"],
                ["vacuum"],
            ):
                done = manage(*command, variables=one.variables, input_text="x\ty\tz\n")
                assert done.returncode == 0, (command, done.stderr)
            assert client.post("/query", json={"pattern": ["a", "in", "c"]}).json()["total"] == 1
            assert open_to_others(shared) == {}
            assert open_to_others(folder.parent) == {}
            one.kill()
            one.start()
        one.stop()
        restored = manage("restore", "--force", "--yes", variables=one.variables)
        assert restored.returncode == 0, restored.stderr
    assert list(folder.glob("skg.db.before-*"))
    assert list(folder.glob("skg.state/backups/*"))
    assert open_to_others(folder.parent) == {}
    assert open_to_others(exported) == {}


def _is_of(folder: Path, process_id: int) -> bool:
    return any(folder.glob(f"*_{process_id}.db"))


def test_what_a_restore_leaves_behind_is_no_part_of_the_checkout() -> None:
    names = ["ucm_skg.db.before-20260101T000000Z", "ucm_skg.db.before-20260101T000000Z-wal"]
    names += ["ucm_skg.db.log-aside-20260101T000000Z", ".unfinished-ucm_skg-20260101T000000Z.sqlite.zst.unpacked"]
    checked = subprocess.run(
        ["git", "check-ignore", *names], cwd=BASE_DIR, capture_output=True, text=True, timeout=20, check=False
    )
    assert checked.stdout.split() == names


def _with_metrics_where_the_service_puts_them(variables: Mapping[str, str], **options: bool) -> dict[str, str]:
    environment = process_environment(variables, **options)
    del environment[VARIABLE]
    return environment
