"""Lineages: a key, its successor, the successor of that, and so on."""

from collections.abc import Iterator
from typing import NamedTuple

from django.db.models import QuerySet
from django.utils import timezone

from apikeys.models import ApiKey, ApiKeys, KeyEvent, Kind
from apikeys.services import key_revoke
from skg_site.host.write_lock import locked_transaction


class Revocation(NamedTuple):
    """The revoked keys, and the related keys that still work."""

    key: ApiKey
    also_revoked: list[ApiKey]
    # In its lineage: the one who rotated the key has one of these.
    still_working: list[ApiKey]
    # Issued with a key of the lineage.
    issued_still_working: list[ApiKey]

    @property
    def sentences(self) -> Iterator[str]:
        """A sentence for each result, with what is left to do."""
        yield f"{self.key} is revoked."
        if self.also_revoked:
            yield f"Of the same row of rotations, revoked too: {_listed(self.also_revoked)}."
        if self.still_working:
            yield (
                f"Of the same row of rotations, still working: {_listed(self.still_working)}. If the key was in wrong "
                "hands, revoke the whole row: whoever has a key can rotate it."
            )
        if self.issued_still_working:
            yield f"Made with it, and still working: {_listed(self.issued_still_working)}."


def revoke(*, key: ApiKey, actor: str, lineage: bool = False) -> Revocation:
    """Revoke a key, or with `lineage` every working key of its lineage."""
    with locked_transaction():
        revoked = key_revoke(key=key, actor=actor)
        also: list[ApiKey] = []
        # Repeated: a rotation under way may have made one more key.
        while lineage and (rows := list(working_in_lineage(key).select_for_update())):
            also += [key_revoke(key=row, actor=actor) for row in rows]
        return Revocation(revoked, also, list(working_in_lineage(key)), list(_issued_by(key)))


def newest_named(name: str) -> list[ApiKey]:
    """The newest working key of each lineage that has a working key of this name."""
    newest = {key.lineage: key for key in ApiKey.objects.working(timezone.now()).filter(name=name).order_by("id")}
    return list(newest.values())


def _listed(keys: list[ApiKey]) -> str:
    return ", ".join(key.public_id for key in keys)


def working_in_lineage(key: ApiKey) -> ApiKeys:
    """The working keys of its lineage, oldest first."""
    return ApiKey.objects.working(timezone.now()).filter(lineage=key.lineage).order_by("id")


def _issued_by(key: ApiKey) -> QuerySet[ApiKey]:
    makers = ApiKey.objects.filter(lineage=key.lineage).values_list("public_id", flat=True)
    events = KeyEvent.objects.filter(kind=Kind.ISSUED, actor__in=[f"key {maker}" for maker in makers])
    made = ApiKey.objects.working(timezone.now()).filter(pk__in=events.values("key"))
    return made.exclude(lineage=key.lineage).order_by("id")
