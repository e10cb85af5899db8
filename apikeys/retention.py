"""Key events that are older than anybody has to account for."""

from datetime import datetime

from apikeys.models import KeyEvent
from apikeys.transactions import key_transaction

EVENTS_AT_ONCE = 500


def remove_old_events(before: datetime, *, dry: bool) -> int:
    """How many were removed, or would be if `dry`; the keys themselves stay."""
    old = KeyEvent.objects.filter(at__lt=before).order_by("id")
    if dry:
        return old.count()
    removed = 0
    while ids := list(old.values_list("id", flat=True)[:EVENTS_AT_ONCE]):
        with key_transaction():
            removed += KeyEvent.objects.filter(id__in=ids).delete()[0]
    return removed
