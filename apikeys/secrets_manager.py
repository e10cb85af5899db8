"""AWS Secrets Manager as the store of new keys. Needs boto3, which the service does not.

A new key is put into its secret as AWSPENDING before it is stored here, and made AWSCURRENT once it works, so a reader
of the secret always gets a working key.
"""

import logging
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from django.conf import settings

from apikeys.keys import NewKey, make_key

PENDING, CURRENT = "AWSPENDING", "AWSCURRENT"

CONNECT_SECONDS, ANSWER_SECONDS, ATTEMPTS = 5, 10, 3

Rotated = TypeVar("Rotated")


class SecretError(Exception):
    """A secret could not be changed; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class SecretVersion:
    """The version of a secret that has the key; `name` as it was given."""

    name: str
    version: str


class SecretsManager:
    """A client of the region and the account that AWS_REGION, AWS_PROFILE and so on name."""

    def __init__(self) -> None:
        try:
            import boto3  # noqa: PLC0415  # most services run without it
            from botocore.config import Config  # noqa: PLC0415  # as above
            from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  # as above
        except ImportError:
            raise SecretError("AWS Secrets Manager needs the package boto3: pip install boto3.") from None
        # At DEBUG it logs its requests, which have the key.
        logging.getLogger("botocore").setLevel(logging.WARNING)
        self._failures = (BotoCoreError, ClientError)
        retries = {"total_max_attempts": ATTEMPTS, "mode": "standard"}
        config = Config(connect_timeout=CONNECT_SECONDS, read_timeout=ANSWER_SECONDS, retries=retries)
        with self._sentences("AWS Secrets Manager could not be used"):
            self._client: Any = boto3.client("secretsmanager", config=config)

    def rotate_into(self, name: str, rotate: Callable[[NewKey], Rotated]) -> tuple[Rotated, SecretVersion]:
        """Make a key, put it into the secret, and let `rotate` store it; SecretError.

        Nothing changes if the key cannot be put there, or if `rotate` fails.
        """
        made = make_key(settings.ENV.environment)
        try:
            pending = self._put(name, made)
        except SecretError as error:
            raise SecretError(f"{error} No key was changed.") from error
        try:
            rotated = rotate(made)
        except BaseException:
            # AWS deletes a version without labels.
            with suppress(SecretError):
                self._withdraw(pending)
            raise
        try:
            self._promote(pending)
        except SecretError as error:
            raise SecretError(
                f"The new key {made.public_id} works, but its version of the secret {name} is still {PENDING}: {error} "
                f"Finish with: aws secretsmanager update-secret-version-stage --secret-id {name} --version-stage "
                f"{CURRENT} --move-to-version-id {pending.version} --remove-from-version-id VERSION_THAT_IS_CURRENT"
            ) from error
        return rotated, pending

    def _put(self, name: str, made: NewKey) -> SecretVersion:
        version = str(uuid.uuid4())
        with self._sentences(f"The secret {name} could not be changed"):
            self._client.put_secret_value(
                SecretId=name, ClientRequestToken=version, SecretString=made.clear_text, VersionStages=[PENDING]
            )
        return SecretVersion(name, version)

    def _promote(self, pending: SecretVersion) -> None:
        with self._sentences(f"The secret {pending.name} could not be changed"):
            stages = self._client.describe_secret(SecretId=pending.name).get("VersionIdsToStages", {})
            current = [version for version, labels in stages.items() if CURRENT in labels]
            # The first version of a secret is current at once.
            if current != [pending.version]:
                removed = {"RemoveFromVersionId": current[0]} if current else {}
                self._client.update_secret_version_stage(
                    SecretId=pending.name, VersionStage=CURRENT, MoveToVersionId=pending.version, **removed
                )
        # The key is in place; the next rotation replaces a label that is left.
        with suppress(SecretError):
            self._withdraw(pending)

    def _withdraw(self, pending: SecretVersion) -> None:
        with self._sentences(f"The secret {pending.name} could not be changed"):
            self._client.update_secret_version_stage(
                SecretId=pending.name, RemoveFromVersionId=pending.version, VersionStage=PENDING
            )

    @contextmanager
    def _sentences(self, what: str) -> Iterator[None]:
        try:
            yield
        except self._failures as error:
            raise SecretError(f"{what}: {str(error).rstrip('.')}.") from error
