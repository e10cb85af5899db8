"""Every SKG_* variable: its type, its default, its meaning.

Values come from the environment, then from a `.env` file in the project's folder. A secret can
be a mounted file instead: `SKG_SECRET_KEY_FILE=/run/secrets/secret_key`, and likewise for each
field in `SECRETS`. The service does not start with an invalid value or an unknown name.
"""

import difflib
import os
import re
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from django.core.exceptions import ImproperlyConfigured
from dotenv import dotenv_values
from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from skg_site.api.rates import Rate
from skg_site.api.setting_types import CommaList, DatabaseUrls, LimitRate, Networks, Origins, first_fault
from triples.runs.engine_choice import EngineChoice, EngineName, check_exchange, check_remote
from triples.text import MAX_PREDICATE_LENGTH, MAX_TERM_LENGTH, clean_term

BASE_DIR = Path(__file__).resolve().parent.parent
PREFIX = "SKG_"
SECRETS = ("api_key_hash", "database_direct_url", "database_replica_urls", "database_url", "redis_url", "secret_key")

# The deployment guide's example, the hash of the word "password". Everyone knows that key.
SAMPLE_KEY_HASH = "sha256:5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8"


class SettingsError(ImproperlyConfigured):
    """A wrong or unknown setting; the message is a sentence for the operator."""


def _predicates(parts: list[str]) -> list[str]:
    # Terms are stored cleaned, so the look-up needs the cleaned text.
    return [clean_term(part, MAX_PREDICATE_LENGTH) for part in parts]


def _key_hash(value: str) -> str:
    if value == SAMPLE_KEY_HASH:
        raise ValueError("is the deployment guide's printed example, the hash of a key that everyone knows")
    if value and not re.fullmatch(r"sha256:[0-9a-f]{64}", value):
        raise ValueError("must be sha256: and the 64 hexadecimal digits of the key's SHA-256")
    return value


def _secret_key(value: str) -> str:
    if value and len(value) < 32:
        raise ValueError("must have at least 32 characters")
    return value


Predicates = Annotated[CommaList, AfterValidator(_predicates)]


class Settings(BaseSettings):
    """The service's configuration. The field `db_path` is the variable SKG_DB_PATH, and so on."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)
    # Django's `settings` reads this attribute on each access. Without it, Pydantic searches for 5 µs.
    _mask_wrapped: ClassVar[bool] = True

    # Database
    db_path: Path = Field(
        Path("ucm_skg.db"), description="SQLite file; the service keeps its state in a folder beside it"
    )
    database_url: str = Field(
        "", description="postgresql://… to use PostgreSQL instead of SQLite", pattern=r"^(postgres(ql)?://.+)?$"
    )
    database_direct_url: str = Field(
        "",
        description="postgresql://… of the server itself, if SKG_DATABASE_URL leads through a pooler such as PgBouncer",
        pattern=r"^(postgres(ql)?://.+)?$",
    )
    database_replica_urls: DatabaseUrls = Field(
        [], description="postgresql://… of read replicas of SKG_DATABASE_URL, which answer queries and lists"
    )
    replica_max_lag: float = Field(
        5, gt=0, le=3600, description="seconds that a replica may lag behind; one that lags by more is not read"
    )
    redis_url: str = Field(
        "",
        description="redis://… of a Valkey or Redis that hosts share, so that limits and revocations apply on all",
        pattern=r"^((rediss?|unix)://.+)?$",
    )
    cache_ttl: float = Field(
        0,
        ge=0,
        le=86_400,
        description="seconds that Valkey keeps an answer, which is served while nothing has changed; 0 for no cache",
    )
    enable_wal: bool = Field(
        True, description="SQLite: use a write-ahead log, so that reads and writes do not wait for each other"
    )
    synchronous: Literal["FULL", "NORMAL", "EXTRA"] = Field(
        "FULL", description="SQLite: FULL keeps every acknowledged write through a power cut"
    )
    cache_size: int = Field(
        -64000, description="SQLite: page cache of one connection; a negative number is KiB, a positive one is pages"
    )
    pool_size: int = Field(20, ge=8, le=1000, description="maximum database connections of one worker")
    pool_timeout: float = Field(30, gt=0, le=3600, description="seconds to wait for a connection or for the write lock")
    query_timeout: float = Field(10, gt=0, le=3600, description="seconds that a read may take; a longer one gets 503")
    backup_dir: str = Field(
        "",
        description="folder or s3://bucket/prefix of the backups; empty for the folder backups in the state folder",
    )

    # Server
    host: str = Field("127.0.0.1", description="address to listen on", min_length=1)
    port: int = Field(7777, ge=1, le=65535, description="port to listen on")
    workers: int = Field(min(4, os.cpu_count() or 1), ge=1, le=256, description="worker processes")
    reload: bool = Field(False, description="restart the workers when the code changes, for development")
    max_requests: int = Field(0, ge=0, description="requests after which a new worker replaces a worker; 0 for never")
    max_wait: float = Field(
        0.25,
        gt=0,
        le=60,
        description="seconds that a request may wait to be handled; when the wait would be longer, some get 503",
    )
    max_body_bytes: int = Field(4 * 1024 * 1024, ge=1024, description="largest request body, in bytes")
    body_timeout: float = Field(
        15, gt=0, le=3600, description="seconds that a client may take to send a request's headers, and its body"
    )
    trusted_proxies: Networks = Field(
        [], description="addresses or networks of the proxies whose X-Forwarded-For is trusted; empty to trust none"
    )

    # Security
    api_key_hash: Annotated[str, AfterValidator(_key_hash)] = Field(
        "", description="sha256:… of a key that has every scope"
    )
    enable_auth: bool = Field(True, description="false lets anybody read and write; for a closed test bench only")
    environment: str = Field("prod", description="the <env> in keys: skg_<env>_…", pattern=r"^[a-z][a-z0-9]{0,9}$")
    rate_limit: LimitRate = Field(
        Rate(100, 60), description="requests for each key and endpoint: 100 (a minute), 100/s, 100/h, 0 (no limit)"
    )
    secret_key: Annotated[str, AfterValidator(_secret_key)] = Field(
        "", description="Django's signing key; if unset, the service makes one and keeps it beside the database"
    )
    allowed_hosts: CommaList = Field(
        ["localhost", "127.0.0.1", "[::1]"], description="host names that the service answers to"
    )
    cors_origins: Origins = Field([], description="web origins whose pages may call the API from a browser; * for any")
    csrf_trusted_origins: Origins = Field([], description="origins under which a TLS proxy serves the admin")
    metrics_networks: Networks = Field([], description="networks that may read /metrics; empty for all")
    enable_docs: bool = Field(True, description="serve /docs, /redoc and /openapi.json")
    enable_explorer: bool = Field(True, description="serve /explorer")
    enable_mcp: bool = Field(True, description="serve /mcp, the tools for language models")

    # The graph
    max_batch_size: int = Field(100, ge=1, le=100_000, description="maximum triples in one batch")
    max_results: int = Field(1000, ge=1, le=100_000, description="largest k of a query, and largest limit of a list")
    max_term_length: int = Field(
        500,
        ge=100,
        le=MAX_TERM_LENGTH,
        description="most characters of a new subject or object; a new predicate has at most 500 of them",
    )
    term_pattern: Literal["any", "guide"] = Field(
        "any", description="any, or guide: only the characters that the deployment guide allows in terms"
    )

    import_disk: int = Field(
        8192,
        ge=1,
        description="MiB of disk for an upload in the admin, or a file sent to /import that is not read as it arrives",
    )

    import_memory: int = Field(
        2048, ge=256, description="MiB of memory that the process of an import or export of the service may take"
    )

    export_timeout: float = Field(
        3600, gt=0, description="seconds that an export over HTTP may take, since it keeps the facts of its moment"
    )

    # Recursion
    max_inferred: int = Field(
        5_000_000, ge=1, description="maximum inferred facts; a run that finds more keeps the heaviest"
    )
    recursion_memory: int = Field(
        1024, ge=64, description="MiB of memory for a run; a run that needs more continues on disk"
    )
    recursion_disk: int = Field(
        8192,
        ge=0,
        description="MiB of disk for a run whose memory is full; a run that needs more keeps only the heaviest facts",
    )
    recursion_timeout: float = Field(3600, gt=0, description="seconds after which a run is stopped")
    recursion_threads: int = Field(2, ge=1, le=256, description="threads of a run")
    recursion_engine: EngineName = Field(
        "duckdb", description="duckdb derives facts on this host; spark on a Spark Connect server"
    )
    spark_remote: Annotated[str, AfterValidator(check_remote)] = Field(
        "", description="sc://HOST:PORT of that server: Apache Spark or Sail"
    )
    recursion_exchange: Annotated[str, AfterValidator(check_exchange)] = Field(
        "", description="folder or s3://bucket/prefix that this host and that server's workers read and write"
    )
    type_predicates: Predicates = Field(
        ["is_a", "type", "instance_of", "rdf:type"], description="predicates that state the type of an entity"
    )

    # Observability
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = Field(
        "INFO", description="lowest level that is logged"
    )
    log_format: Literal["json", "console"] = Field("json", description="json: one object per line; console: for people")
    enable_tracing: bool = Field(False, description="export OpenTelemetry traces to SKG_OTLP_ENDPOINT")
    otlp_endpoint: str = Field(
        "", description="http(s)://… of a collector that accepts OTLP over HTTP", pattern=r"^(https?://.+)?$"
    )
    trace_sample: float = Field(
        1.0, ge=0, le=1, description="share of requests to trace when the caller has not decided"
    )
    metrics_port: int | None = Field(
        None, ge=1, le=65535, description="port of /metrics; if it is not SKG_PORT, /metrics is served there only"
    )
    certificates: CommaList = Field(
        [], description="PEM files of the certificates in front of the service; their expiry is watched"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only `load` reads the variables, so that one check finds unknown names in every source."""
        return (init_settings,)

    @property
    def is_traced(self) -> bool:
        """True if traces are turned on and have a collector."""
        return self.enable_tracing and bool(self.otlp_endpoint)

    @property
    def engine(self) -> EngineChoice:
        """The engine of runs."""
        return EngineChoice(self.recursion_engine, self.spark_remote, self.recursion_exchange)

    @cached_property
    def state_dir(self) -> Path:
        """The folder that this host's workers share: limits, metrics, the signing key."""
        return self.db_path.with_suffix(".state")


def _gather(environ: dict[str, str]) -> dict[str, str]:
    known = {PREFIX + name.upper(): name for name in Settings.model_fields}
    files = {f"{PREFIX}{name.upper()}_FILE": name for name in SECRETS}
    values: dict[str, str] = {}
    for variable, value in environ.items():
        if variable in known:
            values[known[variable]] = value
        elif variable in files:
            try:
                values.setdefault(files[variable], Path(value).read_text(encoding="utf-8-sig").strip())
            except (OSError, UnicodeDecodeError) as error:
                raise SettingsError(f"{variable} names a file that cannot be read: {error}") from None
        elif variable.startswith(PREFIX):
            near = difflib.get_close_matches(variable, [*known, *files], 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise SettingsError(f"{variable} is not a setting of this service{hint}")
    return values


def load(environ: dict[str, str]) -> Settings:
    """Checks the variables and returns the settings; a `SettingsError` names the wrong variable."""
    try:
        settings = Settings(**_gather(environ))  # type: ignore[arg-type]  # Pydantic turns the text into each field's type
    except ValidationError as error:
        raise SettingsError(f"{PREFIX}{first_fault(error, Settings)}") from None
    if settings.database_direct_url and not settings.database_url:
        raise SettingsError("SKG_DATABASE_DIRECT_URL needs SKG_DATABASE_URL, the way through the pooler")
    if settings.database_replica_urls and not settings.database_url:
        raise SettingsError("SKG_DATABASE_REPLICA_URLS needs SKG_DATABASE_URL, the database that they are replicas of")
    if settings.database_url in settings.database_replica_urls:
        raise SettingsError("SKG_DATABASE_REPLICA_URLS names the database of SKG_DATABASE_URL, which is no replica")
    try:
        settings.engine.check()
    except ValueError as error:
        raise SettingsError(f"SKG_RECURSION_ENGINE: {error}") from None
    # A path through a link must lead to the same database, and to the same state beside it.
    return settings.model_copy(update={"db_path": (BASE_DIR / settings.db_path).resolve()})


@cache
def current() -> Settings:
    """The settings of this process, read once."""
    dotenv = {name: value or "" for name, value in dotenv_values(BASE_DIR / ".env").items()}
    return load({**{n: v for n, v in dotenv.items() if n.startswith(PREFIX)}, **os.environ})
