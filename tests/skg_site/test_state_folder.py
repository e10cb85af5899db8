"""The folder of the state beside the database, and those who may open it."""

import os
from pathlib import Path

import pytest

from skg_site.env import Settings, SettingsError, load
from skg_site.state_folder import state_opened

NOBODY = 65534


def of(path: Path) -> Settings:
    return load({"SKG_DB_PATH": str(path)})


def test_it_is_made_for_its_user_alone(tmp_path: Path) -> None:
    env = of(tmp_path / "new" / "skg.db")
    with state_opened(env):
        assert env.state_dir.stat().st_mode & 0o777 == 0o700


def test_where_it_cannot_be_made_the_setting_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(SettingsError, match=r"^SKG_DB_PATH needs a folder") as caught,
        state_opened(of(tmp_path / "file/x")),
    ):
        pytest.fail("it is no folder")
    assert str(tmp_path / "file") in str(caught.value)


def test_what_cannot_be_made_in_it_is_named_too(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="secret_key: No space left"), state_opened(of(tmp_path / "skg.db")):
        raise OSError(28, "No space left on device", "secret_key")


@pytest.mark.parametrize("made", ["skg.db", "skg.state"])
def test_root_makes_nothing_beside_the_database_of_another_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: str
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    (tmp_path / made).touch()
    if os.getuid() == 0:
        os.chown(tmp_path / made, NOBODY, NOBODY)
    with (
        pytest.raises(SettingsError, match=r"belongs to .*, and this is root.* sudo -u "),
        state_opened(of(tmp_path / "skg.db")),
    ):
        pytest.fail("what root makes there, the service cannot read")


@pytest.mark.skipif(os.getuid() != 0, reason="what root owns")
def test_root_may_run_its_own_service(tmp_path: Path) -> None:
    (tmp_path / "skg.db").touch()
    with state_opened(of(tmp_path / "skg.db")):
        pass
