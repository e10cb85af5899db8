"""Keys that were ended after a backup was made: a restore lists those that it revives, or keeps them ended."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.skg_site.ops.backups.databases import as_json, done, is_sqlite, next_second, refused
from tests.triples.commands.runs import Shell

pytestmark = pytest.mark.both

# All in one process each, since each takes seconds to load the site.
ISSUE = """
from datetime import timedelta
from apikeys.services import key_issue, key_revoke, key_rotate
keys = {name: key_issue(name=name, scopes=["read"], actor="tests").key
        for name in ("revoked", "replaced", "in grace", "before", "works")}
key_revoke(key=keys["before"], actor="tests")
"""
END = """
from datetime import timedelta
from apikeys.models import ApiKey
from apikeys.services import key_issue, key_revoke, key_rotate
key = {key.name: key for key in ApiKey.objects.all()}
key_revoke(key=key["revoked"], actor="tests")
key_rotate(key=key["replaced"], grace=timedelta(0), actor="tests")
key_rotate(key=key["in grace"], grace=timedelta(days=1), actor="tests")
key_revoke(key=key_issue(name="new", scopes=["read"], actor="tests").key, actor="tests")
"""
SHOW = """
import json
from apikeys.models import ApiKey, KeyEvent
ends = {key.name: [key.state, bool(key.expires_at)] for key in ApiKey.objects.order_by("-id")}
events = [[event.key.name, event.kind] for event in KeyEvent.objects.filter(actor="restore").order_by("id")]
print(json.dumps([ends, events]))
"""
FORGET = """
from django.db import connection
connection.cursor().execute("ALTER TABLE apikeys_apikey RENAME revoked_at TO forgotten")
"""


@pytest.fixture
def ended(graph: Shell, tmp_path: Path) -> Shell:
    """A database in which keys were ended after its backup in `tmp_path` was made."""
    done(graph, "shell", "-v0", "-c", ISSUE)
    done(graph, "backup", "--to", str(tmp_path))
    done(graph, "shell", "-v0", "-c", END)
    return graph


def shown(shell: Shell) -> Any:
    return orjson.loads(done(shell, "shell", "-v0", "-c", SHOW))


def names(told: list[str]) -> list[str]:
    return [name.rpartition(" (")[0] for name in told]


def test_revived_keys_are_listed(ended: Shell, tmp_path: Path) -> None:
    told = done(ended, "restore", str(tmp_path), "--force", "--yes")
    warning = told.splitlines()[-1]
    assert warning.startswith("WARNING: These keys were revoked, or replaced, after the backup was made")
    assert all(f"{name} (" in warning for name in ("revoked", "replaced", "in grace"))
    assert not any(f"{name} (" in warning for name in ("before", "works", "one", "new"))
    ends, events = shown(ended)
    assert {name: state for name, (state, _) in ends.items()} == {
        "revoked": "active",
        "replaced": "active",
        "in grace": "active",
        "before": "revoked",
        "works": "active",
        "one": "active",
    }
    assert events == []


def test_revocations_are_kept_if_that_is_wanted(ended: Shell, tmp_path: Path) -> None:
    told = as_json(ended, "restore", str(tmp_path), "--force", "--yes", "--keep-revocations")
    assert names(told["kept_ended_keys"]) == ["revoked", "replaced", "in grace"]
    assert told["revived_keys"] == []
    ends, events = shown(ended)
    assert ends == {
        "revoked": ["revoked", False],
        "replaced": ["expired", True],
        "in grace": ["active", True],
        "before": ["revoked", False],
        "works": ["active", False],
        "one": ["active", False],
    }
    assert events == [["revoked", "revoked"], ["replaced", "changed"], ["in grace", "changed"]]
    # Nothing is left to keep.
    next_second()
    told = as_json(ended, "restore", str(tmp_path), "--force", "--yes")
    assert names(told["revived_keys"]) == ["revoked", "replaced", "in grace"]


def test_where_nobody_knows_what_was_revoked_it_is_said(ended: Shell, tmp_path: Path) -> None:
    if is_sqlite(ended):
        database = Path(ended.variables["SKG_DB_PATH"])
        database.write_bytes(b"no database at all" * 1000)
        Path(f"{database}-wal").unlink(missing_ok=True)
    else:
        done(ended, "shell", "-v0", "-c", FORGET)
    code, sentence = refused(ended, "restore", str(tmp_path), "--force", "--yes", "--keep-revocations")
    assert code == 1
    assert "nobody can tell which keys were revoked" in sentence
    told = as_json(ended, "restore", str(tmp_path), "--force", "--yes")
    assert (told["revived_keys"], told["kept_ended_keys"]) == ([], [])
