"""Backups in a bucket, of a server that speaks as S3 does."""

from pathlib import Path

import boto3
import pytest

from tests.skg_site.ops.backups.databases import Databases, as_json, exported, refused, state_folder
from tests.triples.commands.runs import Shell

pytestmark = pytest.mark.both


def keys() -> set[str]:
    return {found["Key"] for found in boto3.client("s3").list_objects_v2(Bucket="backups").get("Contents", ())}


def test_a_backup_goes_to_a_bucket_and_comes_back(bucket: str, graph: Shell, databases: Databases) -> None:
    first = as_json(graph, "backup", "--to", bucket)["file"]
    assert first.startswith(f"{bucket}/")
    taken = as_json(graph, "backup", "--to", bucket, "--keep", "1")
    key = taken["file"].removeprefix("s3://backups/")
    assert keys() == {key, f"{key}.sha256"}
    assert list((state_folder(graph) / "backups").iterdir()) == []
    for wanted in (bucket, taken["file"]):
        other = databases.fresh()
        assert as_json(other, "restore", wanted)["file"] == taken["file"]
        assert exported(other) == exported(graph)
        assert list((state_folder(other) / "backups").iterdir()) == []


@pytest.mark.once
def test_what_is_not_there_is_a_sentence(bucket: str, graph: Shell, tmp_path: Path) -> None:
    taken = as_json(graph, "backup", "--to", bucket)["file"]
    assert refused(graph, "restore", "s3://backups/elsewhere") == (66, "There is no backup in s3://backups/elsewhere/.")
    assert refused(graph, "backup", "--to", "s3://nowhere/skg")[0] in {66, 69}
    wanted = taken.replace("-2", "-1")
    code, sentence = refused(graph, "restore", wanted, "--force", "--yes")
    assert (code, sentence) == (66, f"There is no {wanted}.sha256.")


@pytest.mark.once
def test_a_server_that_is_not_there_is_a_sentence(bucket: str, graph: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    code, sentence = refused(graph, "restore", bucket)
    assert code == 69
    assert "Could not connect" in sentence
