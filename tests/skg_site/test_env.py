"""Settings as they are written, and as they are taken."""

from pathlib import Path

import pytest

from skg_site.databases import databases
from skg_site.env import SettingsError, load
from tests.support.environment import service_variables


def test_type_predicates_are_taken_as_terms_are_kept(tmp_path: Path) -> None:
    variables = service_variables(tmp_path) | {"SKG_TYPE_PREDICATES": "is_a, esp\u00e8ce, genre\u0301"}
    assert load(variables).type_predicates == ["is_a", "esp\u00e8ce", "genr\u00e9"]


def test_a_type_predicate_that_no_term_can_be_stops_the_start(tmp_path: Path) -> None:
    variables = service_variables(tmp_path) | {"SKG_TYPE_PREDICATES": "x" * 501}
    with pytest.raises(SettingsError, match="must have at most 500 characters"):
        load(variables)


def test_a_secret_s_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    variables = service_variables(tmp_path)
    secret = variables.pop("SKG_SECRET_KEY")
    file = tmp_path / "secret"
    file.write_text(f"{secret}\r\n", encoding="utf-8-sig")
    assert load(variables | {"SKG_SECRET_KEY_FILE": str(file)}).secret_key == secret


REPLICAS = "postgresql://one/skg, postgresql://two/skg?options=-c%20a%2Cb"


def test_replicas_are_listed_by_commas(tmp_path: Path) -> None:
    variables = service_variables(tmp_path, database_url="postgresql://primary/skg")
    found = load(variables | {"SKG_DATABASE_REPLICA_URLS": REPLICAS})
    assert found.database_replica_urls == ["postgresql://one/skg", "postgresql://two/skg?options=-c%20a%2Cb"]
    made = databases(found)
    assert [(name, made[name]["HOST"]) for name in made] == [
        ("default", "primary"), ("replica_1", "one"), ("replica_2", "two"),
    ]  # fmt: skip


def test_replicas_may_be_in_a_file(tmp_path: Path) -> None:
    variables = service_variables(tmp_path, database_url="postgresql://primary/skg")
    del variables["SKG_DATABASE_REPLICA_URLS"]
    file = tmp_path / "replicas"
    file.write_text(f"{REPLICAS}\n")
    assert len(load(variables | {"SKG_DATABASE_REPLICA_URLS_FILE": str(file)}).database_replica_urls) == 2


@pytest.mark.parametrize(
    ("database", "replicas", "sentence"),
    [
        ("", REPLICAS, "SKG_DATABASE_REPLICA_URLS needs SKG_DATABASE_URL"),
        ("postgresql://one/skg", REPLICAS, "names the database of SKG_DATABASE_URL"),
        ("postgresql://p/skg", "postgresql://a:secret,b@one/skg", "must be postgresql:// URLs, separated by commas"),
        ("postgresql://p/skg", "mysql://one/skg", "must be postgresql:// URLs"),
        ("postgresql://p/skg", "postgresql://one/skg,postgresql://one/skg", "names a replica twice"),
    ],
)
def test_replicas_that_cannot_be_any_stop_the_start(
    tmp_path: Path, database: str, replicas: str, sentence: str
) -> None:
    variables = service_variables(tmp_path, database_url=database) | {"SKG_DATABASE_REPLICA_URLS": replicas}
    with pytest.raises(SettingsError, match=sentence) as raised:
        load(variables)
    assert "secret" not in str(raised.value)


def test_the_direct_way_is_beside_another(tmp_path: Path) -> None:
    variables = service_variables(tmp_path) | {"SKG_DATABASE_DIRECT_URL": "postgresql://one/skg"}
    with pytest.raises(SettingsError, match="SKG_DATABASE_DIRECT_URL needs SKG_DATABASE_URL"):
        load(variables)


@pytest.mark.parametrize(
    ("name", "value"),
    [("SKG_DATABASE_URL", "mysql://one/skg"), ("SKG_REDIS_URL", "http://one"), ("SKG_ENVIRONMENT", "A")],
)
def test_what_a_setting_should_be_is_told_without_a_regular_expression(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is not as it should be: ") as raised:
        load(service_variables(tmp_path) | {name: value})
    assert "pattern" not in str(raised.value)
