"""The choice of an engine, in settings and on the command line, and what is refused with a sentence."""

from pathlib import Path

import pytest

from skg_site.env import SettingsError, load
from tests.support.environment import service_variables
from tests.triples.commands.runs import Inside

SPARK = {"SKG_RECURSION_ENGINE": "spark", "SKG_SPARK_REMOTE": "sc://spark:15002"}


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"SKG_RECURSION_ENGINE": "hadoop"}, "SKG_RECURSION_ENGINE .*'duckdb' or 'spark'"),
        ({"SKG_RECURSION_ENGINE": "spark"}, "needs the address of a Spark Connect server, .*SKG_SPARK_REMOTE"),
        (SPARK, "needs a folder or an s3://bucket/prefix .*SKG_RECURSION_EXCHANGE"),
        (SPARK | {"SKG_RECURSION_EXCHANGE": "/never/there"}, "The exchange /never/there is not a folder"),
        (SPARK | {"SKG_RECURSION_EXCHANGE": "there"}, "SKG_RECURSION_EXCHANGE must be an absolute path, or s3://"),
        (SPARK | {"SKG_RECURSION_EXCHANGE": "s3://"}, "SKG_RECURSION_EXCHANGE must be an absolute path, or s3://"),
        (SPARK | {"SKG_RECURSION_EXCHANGE": "gs://a/b"}, "SKG_RECURSION_EXCHANGE must be an absolute path, or s3://"),
        ({"SKG_SPARK_REMOTE": "spark:15002"}, "SKG_SPARK_REMOTE must be the address of a Spark Connect server"),
        ({"SKG_SPARK_REMOTE": "sc://a b:1"}, "SKG_SPARK_REMOTE must be the address of a Spark Connect server"),
        ({"SKG_SPARK_REMOTE": "sc://:1"}, "SKG_SPARK_REMOTE must be the address of a Spark Connect server"),
    ],
)
def test_what_cannot_work_stops_the_start(tmp_path: Path, variables: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        load(service_variables(tmp_path) | variables)


@pytest.mark.parametrize("remote", ["sc://spark", "sc://[::1]:15002", "sc://10.0.0.7:443/;use_ssl=true;token=abc"])
def test_addresses_of_servers(tmp_path: Path, remote: str) -> None:
    assert load(service_variables(tmp_path) | {"SKG_SPARK_REMOTE": remote}).engine.remote == remote


def test_packages_that_are_not_installed_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("triples.runs.engine_choice.find_spec", lambda _: None)

    with pytest.raises(SettingsError, match=r"pip install -r requirements-spark\.txt"):
        load(service_variables(tmp_path) | SPARK | {"SKG_RECURSION_EXCHANGE": str(tmp_path)})


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--engine", "spark"], b"The engine spark needs the address of a Spark Connect server"),
        (["--engine", "spark", "--remote", "sc://h"], b"The engine spark needs a folder or an s3://bucket/prefix"),
        (["--engine", "spark", "--remote", "sc://h", "--exchange", "/no"], b"The exchange /no is not a folder"),
        (["--engine", "pig"], b"argument --engine: invalid choice: 'pig'"),
        (["--remote", "h:1"], b"argument --remote: must be the address of a Spark Connect server"),
        (["--exchange", "here"], b"argument --exchange: must be an absolute path, or s3://"),
    ],
)
def test_a_command_line_that_cannot_work_is_refused(arguments: list[str], sentence: bytes) -> None:
    done = Inside().run("recurse", *arguments)

    assert done.returncode == 2
    assert sentence in done.stderr
