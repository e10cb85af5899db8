"""Tables of keys and their events. Only `apikeys.services` makes and changes rows."""

from datetime import datetime
from ipaddress import IPv4Network, IPv6Network

from django.db import models
from django.db.models.functions import Length
from django.db.models.lookups import Exact, GreaterThanOrEqual, In
from django.utils import timezone
from django_prometheus.models import ExportModelOperationsMixin

from apikeys.cleaning import MAX_NAME_LENGTH
from apikeys.functions import LTrim
from apikeys.keys import PUBLIC_ID_LENGTH
from apikeys.scopes import LEGAL_SCOPE_TEXTS
from skg_site.api.addresses import parse_networks
from skg_site.api.rates import Rate


class State(models.TextChoices):
    """The state of a key now."""

    ACTIVE = "active"
    ROTATING = "rotating", "rotating (still works)"
    EXPIRED = "expired"
    REVOKED = "revoked"


class Origin(models.TextChoices):
    """The origin of a key."""

    ISSUED = "issued", "issued by this service"
    SETTINGS = "settings", "named by SKG_API_KEY_HASH"


class ApiKeys(models.QuerySet["ApiKey"]):
    """Keys by their state at a time."""

    def in_state(self, state: State, now: datetime) -> "ApiKeys":
        if state is State.REVOKED:
            return self.filter(revoked_at__isnull=False)
        if state is State.EXPIRED:
            return self.filter(expires_at__lte=now, revoked_at__isnull=True)
        return self.working(now).filter(successor__isnull=state is State.ACTIVE)

    def working(self, now: datetime) -> "ApiKeys":
        return self.exclude(expires_at__lte=now).filter(revoked_at__isnull=True)


class ApiKey(ExportModelOperationsMixin("api_key"), models.Model):  # type: ignore[misc]  # the mixin is made at run time
    """A key by its digest; the clear text was shown once and is not stored."""

    id = models.BigAutoField(primary_key=True)
    public_id = models.CharField(max_length=PUBLIC_ID_LENGTH, editable=False)
    digest = models.BinaryField(max_length=32)
    # Rate limits count by lineage, so that a rotation does not refill them.
    lineage = models.CharField(
        max_length=PUBLIC_ID_LENGTH, editable=False, help_text="Public id of the first key in a row of rotations."
    )
    name = models.CharField(max_length=MAX_NAME_LENGTH, help_text="Who or what uses the key.")
    environment = models.CharField(max_length=10, editable=False)
    origin = models.CharField(max_length=8, choices=Origin.choices, default=Origin.ISSUED, editable=False)
    # In one order, separated by spaces.
    scopes = models.CharField(max_length=30)
    rate = models.CharField(
        max_length=11,
        blank=True,
        help_text="Requests for each endpoint, such as 100/s, 100/m or 0 for no limit. Empty: as SKG_RATE_LIMIT says.",
    )
    allowed_networks = models.TextField(
        blank=True,
        help_text="Addresses or networks that may use the key, separated by commas. Empty: any.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: never.")
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    # To the minute.
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    # One to one: of two rotations at the same time only one succeeds.
    rotated_from = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, editable=False, related_name="successor"
    )

    objects = ApiKeys.as_manager()

    class Meta:
        verbose_name = "API key"
        verbose_name_plural = "API keys"
        constraints = [
            models.UniqueConstraint(fields=["public_id"], name="apikey_public_id"),
            models.UniqueConstraint(fields=["digest"], name="apikey_digest"),
            models.CheckConstraint(
                condition=Exact(Length("public_id"), PUBLIC_ID_LENGTH), name="apikey_public_id_length"
            ),
            models.CheckConstraint(condition=Exact(Length("digest"), 32), name="apikey_digest_length"),
            models.CheckConstraint(condition=GreaterThanOrEqual(Length("name"), 1), name="apikey_name_length"),
            models.CheckConstraint(condition=models.Q(scopes__in=LEGAL_SCOPE_TEXTS), name="apikey_scopes"),
            models.CheckConstraint(condition=models.Q(origin__in=Origin.values), name="apikey_origin"),
            models.CheckConstraint(
                # Digits and then the unit: without the digits on the left only the unit remains.
                condition=models.Q(rate__in=["", "0"])
                | models.Q(GreaterThanOrEqual(Length("rate"), 3))
                & models.Q(In(LTrim("rate", models.Value("0123456789")), ["/s", "/m", "/h"])),
                name="apikey_rate",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.public_id})"

    @property
    def state(self) -> State:
        """The state of the key now; reads the successor, so lists select it along with the key."""
        if self.revoked_at is not None:
            return State.REVOKED
        if self.expires_at is not None and self.expires_at <= timezone.now():
            return State.EXPIRED
        return State.ROTATING if self.successor_or_none else State.ACTIVE

    @property
    def successor_or_none(self) -> "ApiKey | None":
        return getattr(self, "successor", None)

    @property
    def own_rate(self) -> Rate | None:
        """The key's own rate; None if it has the rate of the service."""
        return Rate.parse(self.rate) if self.rate else None

    @property
    def networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        return parse_networks(self.allowed_networks)


class Kind(models.TextChoices):
    """The kinds of events."""

    ISSUED = "issued"
    ADOPTED = "adopted", "adopted from SKG_API_KEY_HASH"
    CHANGED = "changed"
    ROTATED = "rotated"
    REVOKED = "revoked"


class KeyEvent(ExportModelOperationsMixin("key_event"), models.Model):  # type: ignore[misc]  # the mixin is made at run time
    """An event of a key, written in the transaction of the change, and never changed."""

    id = models.BigAutoField(primary_key=True)
    key = models.ForeignKey(ApiKey, models.PROTECT, related_name="events")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    at = models.DateTimeField(default=timezone.now, db_index=True)
    # The one who made the change, such as `user admin`.
    actor = models.CharField(max_length=200)
    detail = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(kind__in=Kind.values), name="keyevent_kind"),
            models.CheckConstraint(condition=GreaterThanOrEqual(Length("actor"), 1), name="keyevent_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} by {self.actor} at {self.at:%Y-%m-%d %H:%M:%S}"
