"""Rotations from the command line: of one key or of many, shown or stored as secrets."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from django.utils import timezone

from apikeys.keys import NewKey
from apikeys.models import ApiKey
from apikeys.responses import issued_content, key_content
from apikeys.scopes import Scope
from apikeys.secrets_manager import SecretsManager, SecretVersion
from apikeys.services import DEFAULT_GRACE, IssuedKey, key_rotate, lineage_replace

# Placeholders in the name of a secret.
NAME, LINEAGE = "{name}", "{lineage}"


@dataclass(frozen=True, slots=True)
class Rotation:
    """A new key, the keys that it replaced, and the secret that has its clear text, if it is not shown."""

    issued: IssuedKey
    ended: Sequence[ApiKey]
    secret: SecretVersion | None

    @property
    def content(self) -> dict[str, Any]:
        """The new key as `IssuedKeyOut`, without its clear text if a secret has that."""
        replaced = {"replaced": [key_content(key) for key in self.ended]}
        if self.secret is None:
            return issued_content(self.issued) | replaced
        secret = {"name": self.secret.name, "version_id": self.secret.version}
        return key_content(self.issued.key) | {"secret": secret} | replaced

    @property
    def endings(self) -> Iterator[str]:
        """A sentence for each key that was replaced."""
        for old in self.ended:
            if old.revoked_at is not None:
                yield f"The old key {old.public_id} is revoked."
            elif old.expires_at is not None:
                yield f"The old key {old.public_id} works until {old.expires_at:%Y-%m-%d %H:%M:%S} UTC."


@dataclass(frozen=True, slots=True)
class Rotator:
    """`grace` None means the default; `secret_name` None means that new keys are shown."""

    actor: str
    grace: timedelta | None
    emergency: bool
    secret_name: str | None

    def rotate(self, key: ApiKey) -> Rotation:
        """Raises SecretError, NotRotatable and ValueError."""
        if self.secret_name is None:
            issued, ended = self._replace(key, None)
            return Rotation(issued, ended, None)
        name = self.secret_name.replace(NAME, key.name).replace(LINEAGE, key.lineage)
        (issued, ended), secret = SecretsManager().rotate_into(name, partial(self._replace, key))
        return Rotation(issued, ended, secret)

    def _replace(self, key: ApiKey, made: NewKey | None) -> tuple[IssuedKey, Sequence[ApiKey]]:
        if self.emergency:
            return lineage_replace(key=key, grace=self.grace or timedelta(0), actor=self.actor, made=made)
        grace = DEFAULT_GRACE if self.grace is None else self.grace
        issued = key_rotate(key=key, grace=grace, actor=self.actor, made=made)
        return issued, [issued.key.rotated_from] if issued.key.rotated_from else []


def newest_of_lineages(scope: Scope | None) -> list[ApiKey]:
    """The newest key of each lineage with a working key, limited to a scope if one is given."""
    working = ApiKey.objects.working(timezone.now())
    if scope is not None:
        working = working.filter(scopes__contains=scope)
    lineages = set(working.values_list("lineage", flat=True))
    return list(ApiKey.objects.filter(lineage__in=lineages, successor__isnull=True).order_by("id"))
