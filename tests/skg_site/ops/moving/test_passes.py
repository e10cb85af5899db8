"""The target is like the source after each pass, whatever has changed since the one before."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.database import empty_tables, in_orm
from tests.support.properties import examples

pytestmark = [pytest.mark.both, pytest.mark.process]

_TEXTS = st.sampled_from(["a", "b", "ü", "d e", "'", "\\N", "\t-", '"x"@en', "😀"])
_WEIGHTS = st.sampled_from([0.0, 5e-324, 0.1, 1 / 3, 0.30000000000000004, 1.0])
_METADATA = st.sampled_from([None, '{"a":1}', '{"b": 1.0, "a": 1e400}', '{"n":"\\u0000\\\\"}'])
_STEPS = st.one_of(
    st.tuples(st.just("add"), _TEXTS, _TEXTS, _TEXTS, _WEIGHTS, _METADATA),
    st.tuples(st.just("change"), st.integers(0, 30), _WEIGHTS, _METADATA),
    st.tuples(st.just("remove"), st.integers(0, 30)),
    st.tuples(st.just("rule"), st.sampled_from("ab"), _WEIGHTS.filter(bool)),
    st.tuples(st.just("swap rules")),
    st.tuples(st.just("key")),
    st.tuples(st.just("revoke")),
    st.tuples(st.just("rotate")),
    st.tuples(st.just("user"), st.booleans()),
    st.tuples(st.just("delete user")),
    st.tuples(st.just("vacuum")),
    st.tuples(st.just("run"), st.floats(allow_nan=False, allow_infinity=False)),
    st.tuples(st.just("pass")),
)


class Copied:
    """The database of the tests as the source, and a target of the given kind, which is migrated if on PostgreSQL."""

    def __init__(self, url: str) -> None:
        from skg_site.ops.moving.targets import Target
        from triples.store.backend import backend
        from triples.store.copying.tables import copied_tables

        target = Target.parse(url)
        if target.kind == "sqlite":
            target.migrate()
        self.source, self.target = backend().own_side(), target.open()
        self.tables = copied_tables()

    def pass_(self) -> None:
        from triples.ids import now_ms
        from triples.store.copying.passes import Pass

        with self.source.snapshot():
            Pass(self.source, self.target, self.tables, lambda *_: None, now_ms() - 60_000).catch_up()

    def differences(self) -> list[str]:
        from triples.store.copying.checksums import checksum
        from triples.store.copying.passes import compare

        found = []
        for table in self.tables:
            sums = [checksum(side, table, lambda: None) for side in (self.source, self.target)]
            ids = [side.last_id(table) if table.counts else 0 for side in (self.source, self.target)]
            if sums[0] != sums[1] or ids[0] != ids[1] or not compare(self.source, self.target, table).is_nothing:
                found.append(table.name)
        self.target.require_sound()
        return found


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def copied(
    request: pytest.FixtureRequest,
    postgresql: str,
    django_db_setup: None,
    tmp_path_factory: pytest.TempPathFactory,
    django_db_blocker: Any,
) -> Iterator[Copied]:
    from tests.support.postgresql import create_database
    from tests.support.several_processes import process_name

    folder = tmp_path_factory.mktemp("copied")
    if request.param == "sqlite":
        url = f"sqlite:///{folder}/copied.db"
    else:
        url = create_database(postgresql, f"copied_{process_name()}", request.getfixturevalue("migrated"))
    with django_db_blocker.unblock():
        both = Copied(url)
        with closing(both.source), closing(both.target):
            yield both


@settings(max_examples=examples(0.2))
@given(st.lists(_STEPS, max_size=25))
def test_passes_catch_up_with_any_changes(database: None, copied: Copied, steps: list[tuple[Any, ...]]) -> None:
    in_orm(empty_tables)
    for step in steps:
        if step[0] == "pass":
            copied.pass_()
        else:
            in_orm(_do, step)
    copied.pass_()
    assert copied.differences() == []


@pytest.mark.parametrize("ids", [(7_000_001, 7_000_003), (7_000_003, 7_000_001)], ids=["in order", "a later id first"])
def test_terms_are_found_in_whatever_order_they_are_committed(
    database: None, copied: Copied, ids: tuple[int, ...]
) -> None:
    from triples.models import Term

    for id_ in ids:
        in_orm(Term.objects.create, id=id_, text=f"committed as {id_}")
        copied.pass_()
    assert copied.differences() == []
    counted = (
        "SELECT count(*) FROM triples_term_search WHERE triples_term_search MATCH 'com'"
        if copied.target.kind == "sqlite"
        else "SELECT count(*) FROM triples_term_search JOIN triples_term AS t ON t.id = term_id"
    )
    assert copied.target.fetch(counted) == [(2,)]


@pytest.mark.once
def test_the_log_grows_in_a_snapshot_and_starts_anew_after_it(
    database: None, copied: Copied, monkeypatch: pytest.MonkeyPatch
) -> None:
    from skg_site.cli.progress import ProgressBar
    from skg_site.ops.moving import copying
    from skg_site.ops.moving.targets import Target

    told: list[str] = []
    monkeypatch.setattr(copying, "_TOLD_LOG_BYTES", 1)
    monkeypatch.setattr(ProgressBar, "say", lambda _, sentence: told.append(sentence))
    mover = copying.Mover(Target.parse("sqlite:////nowhere/x.db"), ProgressBar())
    if copied.source.kind != "sqlite":
        assert copied.source.log() is None
        return

    def frames(number: int) -> int:
        """The length of the log after a write."""
        in_orm(_write, "add", [f"log {number}", "b", "c", 1.0, None])
        [(_, found, _)] = copied.source.fetch("PRAGMA wal_checkpoint(PASSIVE)")
        return int(found)

    copied.source.empty_log()
    alone = frames(0)
    with copied.source.snapshot():
        mover._tell_log(copied.source)
        mover._tell_log(copied.source)
        for number in range(1, 10):
            in_orm(_write, "add", [f"log {number}", "b", "c", 1.0, None])
    grown = frames(10)
    assert grown > 5 * alone
    copied.source.empty_log()
    assert frames(11) < 3 * alone
    [sentence] = told
    assert "GiB are free on its disk" in sentence


def _do(step: tuple[Any, ...]) -> None:
    match step:
        case ("add" | "change" | "remove", *values):
            _write(step[0], values)
        case ("rule" | "swap rules", *values):
            _change_rules(*values)
        case ("key" | "revoke" | "rotate",):
            _change_keys(step[0])
        case ("user", is_staff):
            from django.contrib.auth.models import User

            User.objects.create(username=f"user {User.objects.count()}", is_staff=is_staff)
        case ("delete user",):
            from django.contrib.auth.models import User

            User.objects.all()[:1].get().delete() if User.objects.exists() else None
        case ("vacuum",):
            from triples.store.unused_terms import remove_unused_terms

            remove_unused_terms((), lambda *_: None, dry=False)
        case ("run", seconds):
            from django.utils import timezone

            from triples.models import RecursionRun

            RecursionRun.objects.create(
                active=None,
                requested_by="tests",
                seconds={"reading": seconds, "b": [1.0, 1e22]},
                created_at=timezone.now(),  # type: ignore[misc]  # the stubs take the column for a number
            )


def _write(kind: str, values: list[Any]) -> None:
    from triples.fields import to_milliseconds
    from triples.ids import fitting
    from triples.models import Source, Triple
    from triples.store.group_commit import write_now
    from triples.store.operations import AddOne, Change, Fact, Remove

    if kind == "add":
        subject, predicate, object_, weight, metadata = values
        write_now([AddOne(Fact(subject, predicate, object_, weight, metadata, Source.API), replace=True)])
        return
    place, *rest = values
    row: Any = Triple.objects.order_by("id")[place : place + 1].first()
    if row is None:
        return
    created = fitting(to_milliseconds(row.created_at))
    write_now([Change(row.id, created, *rest) if kind == "change" else Remove(row.id, created)])


def _change_rules(*values: Any) -> None:
    from django.utils import timezone

    from triples.models import Rule

    if values:
        name, weight = values
        now = timezone.now()
        content = {"weight": weight, "head": ["?x", "p", "?y"], "body": [["?x", "q", "?y"]], "updated_at": now}
        Rule.objects.update_or_create(name=name, defaults=content, create_defaults=content | {"created_at": now})
        return
    for before, after in (("a", "c"), ("b", "a"), ("c", "b")):
        Rule.objects.filter(name=before).update(name=after)


def _change_keys(kind: str) -> None:
    from apikeys.models import ApiKey
    from apikeys.services import key_issue, key_revoke, key_rotate

    if kind == "key":
        key_issue(name="one", scopes=["read"], actor="tests")
        return
    key = ApiKey.objects.filter(revoked_at=None, successor=None).first()
    if key is not None and kind == "revoke":
        key_revoke(key=key, actor="tests")
    elif key is not None:
        key_rotate(key=key, grace=timedelta(hours=1), actor="tests")
