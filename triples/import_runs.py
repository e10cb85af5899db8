"""The tables of imports: what each did, and which facts it brought."""

from django.db import models

from triples.fields import UnixMilliseconds
from triples.visible import visible


class ImportStatus(models.TextChoices):
    """The state of an import, or how it ended."""

    # Or its process was killed before it could say that it ends, which `imports_close_dead` finds out.
    RUNNING = "running"
    FINISHED = "finished"
    BROKEN = "broken"
    UNDOING = "undoing"
    UNDONE = "undone"


class ImportRun(models.Model):
    """One import, which may have been continued several times."""

    id = models.BigAutoField(primary_key=True)
    status = models.CharField(max_length=8, choices=ImportStatus.choices, default=ImportStatus.RUNNING)
    source = models.TextField(help_text="the files, or what else was read")
    format = models.CharField(max_length=100, blank=True)
    requested_by = models.CharField(max_length=200)
    options = models.JSONField(default=dict)
    read = models.BigIntegerField(default=0)
    # These two are written in the commit of the facts, so they may be ahead of `read`.
    inserted = models.BigIntegerField(default=0)
    updated = models.BigIntegerField(default=0)
    refused = models.BigIntegerField(default=0)
    first_refused = models.JSONField(default=list, help_text="the first refused lines, with their reasons")
    error = models.TextField(blank=True)
    undone = models.BigIntegerField(default=0, help_text="facts that an undo deleted")
    # Everything before it is stored; see `triples.exchange.importing`.
    place = models.JSONField(default=list)
    # The newest fact before the import, and when it began, if the heaviest of several statements is stored.
    began = models.JSONField(null=True)
    # Its size and digest, to recognise the same content when it is sent again; empty if it is not to be sent again.
    beginning = models.CharField(max_length=80, blank=True)
    # By which a client that has lost the connection names its import.
    token = models.CharField(max_length=64, null=True)  # noqa: DJ001  # an import without one is like no other
    # Rises whenever a process takes the import over, which ends the work of the process before.
    attempt = models.IntegerField(default=1)
    created_at = UnixMilliseconds()
    touched_at = UnixMilliseconds(help_text="when something was last stored")
    finished_at = UnixMilliseconds(null=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = "import"
        constraints = [models.UniqueConstraint(fields=["requested_by", "token"], name="import_token")]

    def __str__(self) -> str:
        return visible(f"import {self.pk} of {self.source}")

    @property
    def duplicates(self) -> int:
        return max(0, self.read - self.inserted - self.updated - self.refused)


class ImportedRange(models.Model):
    """Consecutive ids of facts that an import brought; some of these ids may belong to no fact."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(ImportRun, models.CASCADE, related_name="ranges", db_index=False)
    first = models.BigIntegerField()
    last = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "first"], name="imported_range")]

    def __str__(self) -> str:
        return f"facts {self.first} to {self.last}"
