"""The graph's tables. Rows are written by `triples.store` alone, which keeps the tallies right."""

from hashlib import blake2b
from typing import Any

import orjson
from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement
from django.db.models.functions import Length
from django.db.models.lookups import GreaterThanOrEqual, LessThanOrEqual
from django_prometheus.models import ExportModelOperationsMixin

from triples import import_runs  # noqa: F401  # its models are of this app
from triples.fields import ExactText, JSONText, UnixMilliseconds, to_milliseconds
from triples.recursion.grammar import parse_rule
from triples.recursion.rules import MAX_NAME_LENGTH
from triples.recursion.rules import Rule as ParsedRule
from triples.term_keys import TermKey
from triples.text import MAX_TERM_LENGTH
from triples.visible import visible


class HeaviestFirst(models.Index):
    """An index that ends in falling weight and then id, the order in which queries answer.

    SQLite ends every index with the row's id by itself; PostgreSQL has to be told.
    """

    def create_sql(
        self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor, using: str = "", **kwargs: Any
    ) -> Statement:
        if schema_editor.connection.vendor == "postgresql":
            told = models.Index(fields=[*self.fields, "id"], name=self.name)
            return told.create_sql(model, schema_editor, using, **kwargs)
        return super().create_sql(model, schema_editor, using, **kwargs)


class Term(ExportModelOperationsMixin("term"), models.Model):  # type: ignore[misc]  # the mixin is made at run time
    """A text that stands somewhere in the graph as subject, predicate or object; each text once."""

    id = models.BigAutoField(primary_key=True)
    text = ExactText()

    class Meta:
        constraints = [
            models.UniqueConstraint(TermKey("text"), name="term_key"),
            models.CheckConstraint(
                condition=models.Q(GreaterThanOrEqual(Length("text"), 1))
                & models.Q(LessThanOrEqual(Length("text"), MAX_TERM_LENGTH)),
                name="term_text_length",
            ),
        ]

    def __str__(self) -> str:
        return visible(str(self.text))


class Source(models.IntegerChoices):
    """By which way a fact came in; one byte in a row, a label in the metrics."""

    API = 1, "api"
    BATCH = 2, "batch"
    IMPORT = 3, "import"
    ADMIN = 4, "admin"


class Triple(ExportModelOperationsMixin("triple"), models.Model):  # type: ignore[misc]  # the mixin is made at run time
    """An asserted fact."""

    id = models.BigAutoField(primary_key=True)
    # The indexes below begin with each of the three, so none needs one of its own. On PostgreSQL, triggers stand in for
    # the three foreign keys: see the migration 0010.
    subject = models.ForeignKey(Term, models.RESTRICT, related_name="+", db_index=False)
    predicate = models.ForeignKey(Term, models.RESTRICT, related_name="+", db_index=False)
    object = models.ForeignKey(Term, models.RESTRICT, related_name="+", db_index=False)
    weight = models.FloatField()
    metadata = JSONText(null=True, blank=True)
    source = models.SmallIntegerField(choices=Source.choices)
    created_at = UnixMilliseconds()
    updated_at = UnixMilliseconds(null=True, help_text="Empty until the weight or the metadata change.")

    class Meta:
        constraints = [
            # In this order it also serves the pattern (subject, any, object).
            models.UniqueConstraint(fields=["subject", "object", "predicate"], name="triple_fact"),
            models.CheckConstraint(condition=models.Q(weight__range=(0, 1)), name="triple_weight"),
        ]
        indexes = [
            HeaviestFirst(fields=["-weight"], name="triple_any"),
            HeaviestFirst(fields=["subject", "-weight"], name="triple_s"),
            HeaviestFirst(fields=["predicate", "-weight"], name="triple_p"),
            HeaviestFirst(fields=["object", "-weight"], name="triple_o"),
            HeaviestFirst(fields=["predicate", "subject", "-weight"], name="triple_ps"),
            HeaviestFirst(fields=["predicate", "object", "-weight"], name="triple_po"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.predicate} {self.object}"


class Gone(models.IntegerChoices):
    """The state of the inferred facts that rest on a fact that is gone."""

    # There are none that were not hidden before.
    ALONE = 1, "alone"
    # They are among the `HiddenFact`s.
    FOLLOWED = 2, "followed"
    # Nothing, so all inferred facts are hidden.
    UNFOLLOWED = 3, "unfollowed"


class Change(models.Model):
    """The key of a fact that was deleted or given another weight since the inferred facts were last derived.

    The store writes a row in the commit that makes the change, once there has been a run; runs read and prune them.
    """

    id = models.BigAutoField(primary_key=True)
    subject_id = models.BigIntegerField()
    predicate_id = models.BigIntegerField()
    object_id = models.BigIntegerField()
    # NULL when the fact still stands, with another weight above 0, and once a run has taken the change into account.
    gone = models.SmallIntegerField(choices=Gone.choices, null=True)

    class Meta:
        indexes = [models.Index(fields=["gone", "id"], name="change_gone")]

    def __str__(self) -> str:
        return f"change {self.id}"


class HiddenFact(models.Model):
    """The key of an inferred fact that rests on a fact that is gone; the next run removes the row.

    The store writes rows in the commit in which the fact goes. A key may have several rows.
    """

    id = models.BigAutoField(primary_key=True)
    subject_id = models.BigIntegerField()
    predicate_id = models.BigIntegerField()
    object_id = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["subject_id", "predicate_id", "object_id"], name="hidden_key")]

    def __str__(self) -> str:
        return f"hidden fact {self.id}"


class HiddenGeneration(models.Model):
    """The generation of inferred facts that `HiddenFact` and `Change.gone` are about: one row, or none."""

    generation = models.BigIntegerField(primary_key=True)

    def __str__(self) -> str:
        return f"generation {self.generation}"


class Rule(models.Model):
    """A rule of the graph, as `triples.recursion.rules` describes it."""

    name = models.CharField(max_length=MAX_NAME_LENGTH, unique=True)
    weight = models.FloatField(default=1.0)
    head = models.JSONField()
    body = models.JSONField()
    distinct = models.JSONField(default=list, blank=True)
    description = models.TextField(blank=True)
    enabled = models.BooleanField(default=True)
    created_at = UnixMilliseconds()
    updated_at = UnixMilliseconds()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=models.Q(weight__gt=0, weight__lte=1), name="rule_weight"),
        ]

    def __str__(self) -> str:
        return visible(self.name)

    @property
    def document(self) -> dict[str, Any]:
        """The rule as `parse_rule` reads it."""
        return {
            "name": self.name,
            "weight": self.weight,
            "head": self.head,
            "body": self.body,
            "distinct": self.distinct,
        }

    @property
    def whole_document(self) -> dict[str, Any]:
        """The document that stores this rule again, in another database for one."""
        return {**self.document, "description": self.description, "enabled": self.enabled}

    @property
    def version(self) -> str:
        """The entity tag of a conditional request; it changes whenever the rule does."""
        state = [self.pk, to_milliseconds(self.updated_at), self.whole_document]
        return blake2b(orjson.dumps(state), digest_size=9).hexdigest()

    @property
    def parsed(self) -> ParsedRule:
        return parse_rule(self.document)


class RunStatus(models.TextChoices):
    """The state of a run, or how it ended."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    UNCHANGED = "unchanged"
    LIMITED = "limited"
    TIMED_OUT = "timed_out", "Timed out"
    FAILED = "failed"
    DIED = "died"
    CANCELLED = "cancelled"


class RecursionRun(models.Model):
    """One derivation of the inferred facts, from its request to its end."""

    id = models.BigAutoField(primary_key=True)
    status = models.CharField(max_length=10, choices=RunStatus.choices, default=RunStatus.QUEUED)
    # True while queued or running, and then NULL: the database lets in one at a time.
    active = models.BooleanField(null=True, unique=True, default=True)
    options = models.JSONField(default=dict)
    requested_by = models.CharField(max_length=100)
    process = models.CharField(max_length=300, blank=True, help_text="host and process id")
    # The process looks at it while it works. Workers of an older version, which do not know it, insert rows too.
    cancel_requested_by = models.CharField(max_length=200, blank=True, default="", db_default="")
    mode = models.CharField(max_length=11, blank=True, help_text="full or incremental")
    rounds = models.JSONField(default=list, help_text="new facts, improved facts and seconds of each round")
    facts = models.BigIntegerField(null=True, help_text="inferred facts after the run")
    added = models.BigIntegerField(null=True)
    changed = models.BigIntegerField(null=True)
    removed = models.BigIntegerField(null=True)
    complete_above = models.FloatField(null=True)
    seconds = models.JSONField(default=dict, help_text="seconds of reading, inference and writing")
    error = models.TextField(blank=True)
    created_at = UnixMilliseconds()
    started_at = UnixMilliseconds(null=True)
    finished_at = UnixMilliseconds(null=True)
    # Of the inferred facts that stood when the run started: with others, the run has put its own in their place.
    generation_before = models.BigIntegerField(null=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"run {self.id}"


class InferredTriple(models.Model):
    """An inferred fact, for the admin to name and to permit; `triples.store.inferred` reads and writes them."""

    class Meta:
        managed = False
        default_permissions = ("view",)
        verbose_name = "inferred fact"

    def __str__(self) -> str:
        return "inferred fact"


class Tally(models.Model):
    """The number of facts and of distinct subjects, as the sum over all rows.

    The store changes a row in the commit that changes the facts, so that counting never scans them.
    Writers on PostgreSQL each take one of a few rows, so that they do not wait for each other.
    """

    shard = models.SmallIntegerField(primary_key=True)
    triples = models.BigIntegerField()
    subjects = models.BigIntegerField()

    class Meta:
        verbose_name_plural = "tallies"

    def __str__(self) -> str:
        return f"shard {self.shard}"


class PredicateTally(models.Model):
    """The number of facts with each predicate, as the sum over its rows; see `Tally`."""

    pk = models.CompositePrimaryKey("predicate_id", "shard")
    # No foreign key: a row of no facts keeps no term.
    predicate_id = models.BigIntegerField()
    shard = models.SmallIntegerField()
    facts = models.BigIntegerField()

    class Meta:
        verbose_name_plural = "predicate tallies"

    def __str__(self) -> str:
        return f"predicate {self.predicate_id}, shard {self.shard}"
