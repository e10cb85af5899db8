"""Litestream's settings and unit, beside those of the service. The page says what was tried with Litestream itself."""

import yaml
from dotenv import dotenv_values

from tests.deploy.programs import DEPLOY
from tests.support.pages import TEXTS

SETTINGS = yaml.safe_load((DEPLOY / "litestream.yml").read_text(encoding="utf-8"))
UNIT = (DEPLOY / "systemd/skg-api-litestream.service").read_text(encoding="utf-8")


def test_it_copies_the_file_that_the_service_has() -> None:
    environment = dotenv_values(DEPLOY / "systemd/environment")
    assert [one["path"] for one in SETTINGS["dbs"]] == [environment["SKG_DB_PATH"]]
    assert f"restore -config /etc/skg-api/litestream.yml {environment['SKG_DB_PATH']}" in TEXTS["deploy/LITESTREAM.md"]


def test_no_secret_is_in_its_settings_and_the_service_s_are_not_in_its_unit() -> None:
    [replica] = [one["replica"] for one in SETTINGS["dbs"]]
    assert not any("key" in name for name in replica)
    assert "/etc/skg-api/secrets" not in UNIT
    assert "\nEnvironmentFile=/etc/skg-api/litestream.secrets\n" in UNIT


def test_it_runs_as_the_service_does() -> None:
    service = (DEPLOY / "systemd/skg-api.service").read_text(encoding="utf-8")
    for line in ("User=skg", "Group=skg", "UMask=0077", "StateDirectory=skg-api"):
        assert f"\n{line}\n" in UNIT
        assert f"\n{line}\n" in service
