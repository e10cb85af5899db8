"""Backups in a bucket of S3, or of a compatible service (AWS_ENDPOINT_URL).

boto3 finds the credentials and the region: in variables, in profiles, or by the machine's role.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from skg_site.cli.exit_codes import MISSING, UNAVAILABLE
from skg_site.cli.progress import Report
from skg_site.ops.backups.storage import S3_SCHEME, Storage
from triples.store.backups.failures import BackupFailure

try:
    import boto3
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError
except ImportError as error:
    raise BackupFailure("Backups in S3 need boto3: pip install boto3.", UNAVAILABLE) from error

# It logs where it found its credentials, each time.
logging.getLogger("botocore").setLevel(logging.WARNING)

_NOT_FOUND = {"404", "NoSuchKey", "NoSuchBucket"}


class S3Storage(Storage):
    work_folder = None

    def __init__(self, url: str) -> None:
        self._bucket, _, prefix = url.removeprefix(S3_SCHEME).partition("/")
        self._prefix = f"{prefix.rstrip('/')}/" if prefix.strip("/") else ""
        with _told(url):
            self._client: Any = boto3.client("s3")

    def names(self) -> Iterable[str]:
        with _told(self.shown("")):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._prefix, Delimiter="/"
            )
            return [found["Key"].removeprefix(self._prefix) for page in pages for found in page.get("Contents", ())]

    def shown(self, name: str) -> str:
        return f"{S3_SCHEME}{self._bucket}/{self._prefix}{name}"

    def put(self, file: Path, name: str, report: Report) -> None:
        size = file.stat().st_size
        with _told(self.shown(name)):
            self._client.upload_file(
                str(file),
                self._bucket,
                self._prefix + name,
                # The server refuses a part that was damaged on its way.
                ExtraArgs={"ChecksumAlgorithm": "SHA256"},
                Callback=_summed("uploading", size, report),
            )
        file.unlink()

    def fetch(self, name: str, folder: Path, report: Report) -> Path:
        file = folder / name
        with _told(self.shown(name)):
            size = self._client.head_object(Bucket=self._bucket, Key=self._prefix + name)["ContentLength"]
            self._client.download_file(
                self._bucket, self._prefix + name, str(file), Callback=_summed("downloading", size, report)
            )
        return file

    def remove(self, name: str) -> None:
        with _told(self.shown(name)):
            self._client.delete_object(Bucket=self._bucket, Key=self._prefix + name)


@contextmanager
def _told(url: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in _NOT_FOUND:
            raise BackupFailure(f"There is no {url}.", MISSING) from error
        raise BackupFailure(f"{url}: {error}.", UNAVAILABLE) from error
    except (BotoCoreError, Boto3Error) as error:
        raise BackupFailure(f"{url}: {error}.", UNAVAILABLE) from error


def _summed(stage: str, total: int, report: Report) -> Callable[[int], None]:
    """A callback for boto3, which reports the bytes of each part."""
    done = 0

    def add(more: int) -> None:
        nonlocal done
        done += more
        report(stage, done, total)

    return add
