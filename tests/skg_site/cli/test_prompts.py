"""The user who runs a command."""

import os

import pytest

from skg_site.cli.prompts import user_name


@pytest.mark.parametrize("error", [KeyError("uid not found"), OSError("No username set in the environment")])
def test_a_user_of_a_container_may_have_no_name(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail() -> str:
        raise error

    monkeypatch.setattr("getpass.getuser", fail)
    assert user_name() == str(os.getuid())
