"""The answers of the service: dictionaries, as they come, with the types that /openapi.json gives them.

They are no classes that read and check each answer: the service has made sure of its answers, typed dictionaries cost
nothing, and a member that a later version of the service adds does no harm.
"""

from typing import Any, Literal, NotRequired, TypedDict


class FieldError(TypedDict):
    """A fault in what was sent, and its place."""

    loc: list[str | int]
    msg: str
    type: str


class Problem(TypedDict):
    """An error, as RFC 9457 has it."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    request_id: str
    errors: NotRequired[list[FieldError] | None]
    more_errors: NotRequired[int | None]


class Health(TypedDict):
    status: str
    version: str
    timestamp: str


class Replicas(TypedDict):
    configured: int
    in_use: int


class Ready(TypedDict):
    ready: bool
    db_connected: bool
    migrated: bool
    reason: NotRequired[str]
    replicas: NotRequired[Replicas]


class Fact(TypedDict):
    id: str
    subject: str
    predicate: str
    object: str
    weight: float
    metadata: dict[str, Any]
    source: Literal["api", "batch", "import", "admin", "inferred"]
    created_at: str
    updated_at: str | None
    inferred: bool
    depth: NotRequired[int | None]
    rule: NotRequired[str | None]


class StoredFact(Fact):
    status: Literal["inserted", "exists", "updated"]


class FactPage(TypedDict):
    triples: list[Fact]
    next_cursor: str | None
    total: NotRequired[int]


class InvalidItem(TypedDict):
    index: int
    errors: list[FieldError]


class StoredBatch(TypedDict):
    accepted: int
    duplicates: int
    errors: int
    processing_time_ms: int
    error_details: NotRequired[list[InvalidItem] | None]


class Deletion(TypedDict):
    dry_run: bool
    facts: int
    complete: bool
    inferred: NotRequired[int | None]
    next_cursor: NotRequired[str | None]
    processing_time_ms: int


class PredicateCount(TypedDict):
    predicate: str
    triples: int


class Stats(TypedDict):
    total_triples: int
    unique_subjects: int
    unique_predicates: int
    db_size_mb: float
    inferred_triples: int
    inferred_at: str | None
    inferred_complete_above: float | None
    predicates: list[PredicateCount]
    more_predicates: int


class ProofRule(TypedDict):
    name: str
    weight: float
    head: list[str | dict[str, str]]
    body: list[list[str | dict[str, str]]]
    distinct: NotRequired[list[list[str]] | None]


class FoundFact(TypedDict):
    id: str
    subject: str
    predicate: str
    object: str
    weight: float
    inferred: bool


class Proof(FoundFact):
    """A fact and, if a rule derived it, the rule and the facts that it was derived from."""

    depth: NotRequired[int | None]
    rule: NotRequired[ProofRule | None]
    premises: NotRequired[list["Proof"] | None]
    seen: NotRequired[bool | None]
    truncated: NotRequired[bool | None]


class Round(TypedDict):
    new: int
    improved: int
    total: int
    seconds: float
    rounds: NotRequired[int]


class Import(TypedDict):
    import_id: str
    number: int
    status: Literal["running", "finished", "broken", "undoing", "undone"]
    status_url: str
    source: str
    format: str
    requested_by: str
    options: dict[str, Any]
    read: int
    inserted: int
    updated: int
    duplicates: int
    refused: int
    first_refused: list[str]
    undone: int
    error: str | None
    resume: str | None
    created_at: str
    touched_at: str
    finished_at: str | None


class Run(TypedDict):
    run_id: str
    status: Literal[
        "queued", "running", "succeeded", "unchanged", "limited", "timed_out", "failed", "died", "cancelled"
    ]
    status_url: str
    requested_by: str
    cancel_requested_by: str | None
    options: dict[str, Any]
    mode: Literal["full", "incremental"] | None
    round: int
    rounds: list[Round]
    facts: int | None
    added: int | None
    changed: int | None
    removed: int | None
    complete_above: float | None
    seconds: dict[str, float]
    error: str | None
    created_at: str
    started_at: str | None
    finished_at: str | None
    duration_seconds: float | None


class Constant(TypedDict):
    """A constant that begins with a question mark, in a rule or a pattern."""

    term: str


RulePlace = str | Constant


class Rule(TypedDict):
    name: str
    weight: float
    head: tuple[RulePlace, RulePlace, RulePlace]
    body: list[tuple[RulePlace, RulePlace, RulePlace]]
    distinct: list[tuple[str, str]]
    description: str
    enabled: bool
    text: str
    created_at: str
    updated_at: str


class RulePage(TypedDict):
    rules: list[Rule]
    next_cursor: str | None


class MissingPredicate(TypedDict):
    predicate: str
    did_you_mean: list[str]
    msg: str


class AddedRules(TypedDict):
    rules: list[Rule]
    warnings: list[MissingPredicate]


Scope = Literal["read", "write", "recurse", "admin"]


class Key(TypedDict):
    id: str
    name: str
    environment: str
    scopes: list[Scope]
    rate: str | None
    allowed_networks: list[str]
    state: Literal["active", "rotating", "expired", "revoked"]
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    last_used_at: str | None
    rotated_from: str | None
    successor: str | None


class IssuedKey(Key):
    key: str


class RevokedKey(Key):
    also_revoked: list[str]
    still_working: list[str]
    issued_still_working: list[str]


class KeyPage(TypedDict):
    keys: list[Key]
    next_cursor: str | None
