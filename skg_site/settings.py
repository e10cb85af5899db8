"""Django's settings, derived from the SKG_* variables. The defaults are safe."""

from csp.constants import NONE, SELF, UNSAFE_INLINE

from skg_site import env as skg
from skg_site.databases import databases
from skg_site.host.metrics_folder import prepare_metrics_folder
from skg_site.host.secret_key import kept_secret_key
from skg_site.state_folder import state_opened
from skg_site.version import VERSION

ENV = skg.current()
BASE_DIR = skg.BASE_DIR

with state_opened(ENV):
    prepare_metrics_folder(ENV.state_dir)
    SECRET_KEY = ENV.secret_key or kept_secret_key(ENV.state_dir)

DEBUG = False
# Probes use the address of the host. Every other API path checks the Host header.
PROBE_PATHS = frozenset({"/health", "/ready", "/metrics"})
ALLOWED_HOSTS = ENV.allowed_hosts

INSTALLED_APPS = [
    "skg_site.admin_base.apps.LateAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "servestatic",
    "django.contrib.staticfiles",
    "django.forms",
    "corsheaders",
    "csp",
    "django_prometheus",
    "django_ratelimit",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "skg_site",
    "apikeys",
    "triples",
    "triples.explorer",
]

ASGI_APPLICATION = "skg_site.asgi.application"
ROOT_URLCONF = "skg_site.urls"
# The API has no paths with a trailing slash.
APPEND_SLASH = False

# The site door: the admin, the documentation pages and static files.
MIDDLEWARE = [
    "skg_site.site_middleware.departures",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "skg_site.site_middleware.only_served_hosts",
    "servestatic.middleware.ServeStaticMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "skg_site.site_middleware.SecureCookies",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_ratelimit.middleware.RatelimitMiddleware",
    "skg_site.site_middleware.PossibleKeys",
    "skg_site.site_middleware.DatabaseUnavailable",
    "skg_site.site_middleware.SiteMetrics",
]

# The API door has its own middleware. Each entry is async and wraps an async handler.
API_MIDDLEWARE = ["skg_site.observe.request_log.RequestRecord"]
if ENV.is_traced:
    API_MIDDLEWARE.insert(0, "skg_site.observe.tracing.RequestSpan")
if ENV.cors_origins:
    # Pages of other origins may call the API only if the operator names their origin.
    API_MIDDLEWARE.append("corsheaders.middleware.CorsMiddleware")
if ENV.database_replica_urls:
    API_MIDDLEWARE.append("triples.http.freshness.FreshReads")
CORS_ALLOWED_ORIGINS = [origin for origin in ENV.cors_origins if origin != "*"]
CORS_ALLOW_ALL_ORIGINS = "*" in ENV.cors_origins
CORS_EXPOSE_HEADERS = [
    *("ETag", "Location", "RateLimit", "RateLimit-Policy", "Retry-After"),
    *("SKG-Snapshot", "X-Request-ID"),
]
# The last three are those of /mcp.
CORS_ALLOW_HEADERS = [
    *("authorization", "content-type", "if-match", "if-none-match", "prefer", "skg-snapshot", "x-request-id"),
    *("mcp-method", "mcp-name", "mcp-protocol-version"),
]

DATABASES = databases(ENV)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": {
        "BACKEND": "skg_site.api.atomic_cache.SharedCache" if ENV.redis_url else "skg_site.api.atomic_cache.HostCache",
        "LOCATION": ENV.state_dir / "cache",
        # Counting up extends a counter's life by this time, which is longer than the window of any limit.
        "TIMEOUT": 86_400,
        # Beyond this number, entries are dropped at random, and counters of attackers could be among them.
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
}

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Widgets of forms can have templates of the project.
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

STATIC_URL = "/static/"
# Files come straight from the installed packages, so nobody can forget to collect them.
SERVESTATIC_USE_FINDERS = True
SERVESTATIC_AUTOREFRESH = False

# Security headers of the site door. The API door adds its own as constants.
SECURE_HSTS_SECONDS = 63_072_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
# With "no-referrer", browsers send `Origin: null`, and every form of the admin fails its CSRF check.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "skg_site.error_pages.csrf_failure"
CSRF_TRUSTED_ORIGINS = ENV.csrf_trusted_origins
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        # Swagger UI and ReDoc use style attributes and inline images.
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "data:"],
        "worker-src": [SELF, "blob:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}

PERMISSIONS_POLICY: dict[str, list[str]] = {"camera": [], "geolocation": [], "microphone": []}

RATELIMIT_VIEW = "skg_site.error_pages.too_many"
# django-ratelimit counts in the cache above. W001 warns because django-ratelimit does not know that cache, which is
# shared and atomic on this host.
RATELIMIT_USE_CACHE = "default"
# W012 and W016: SecureCookies marks the cookies if the request came over TLS.
SILENCED_SYSTEM_CHECKS = ["django_ratelimit.W001", "security.W012", "security.W016"]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "skg_site.observe.tracing.TracedKey" if ENV.is_traced else "apikeys.authentication.BearerKey"
    ],
    "DEFAULT_PERMISSION_CLASSES": ["apikeys.permissions.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["apikeys.throttling.KeyRate"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "skg_site.api.openapi.OperationSchema",
    "UNAUTHENTICATED_USER": None,
}

SPECTACULAR_SETTINGS = {
    "TITLE": "SKG API",
    "VERSION": VERSION,
    "DESCRIPTION": "Structured Knowledge Graph: weighted facts, pattern queries and keys.",
    "SERVE_URLCONF": "skg_site.api_urls",
    # The documentation shows them in this order.
    "TAGS": [
        {"name": "triples", "description": "The facts"},
        {"name": "import", "description": "Files of facts in"},
        {"name": "export", "description": "Files of facts out"},
        {"name": "query", "description": "Facts that match a pattern"},
        {"name": "rules", "description": "What is derived from what"},
        {"name": "terms", "description": "The names in the graph: terms and predicates"},
        {"name": "stats", "description": "The graph in numbers"},
        {"name": "keys", "description": "Who may call"},
        {"name": "probes", "description": "The state of the service, for machines"},
    ],
    "PATH_CONVERTER_OVERRIDES": {"id": {"type": "string", "format": "uuid"}},
    "OAS_VERSION": "3.1.0",
}

PROMETHEUS_EXPORT_MIGRATIONS = False
# A third of django-prometheus's own buckets, which would make up most of a scrape.
PROMETHEUS_LATENCY_BUCKETS = (0.001, 0.005, 0.025, 0.1, 0.5, 2.5, float("inf"))

# Django calls this hook at start-up; structlog handles the log from there on.
LOGGING_CONFIG = "skg_site.observe.logging.configure"
LOGGING = {"level": ENV.log_level, "format": ENV.log_format, "traced": ENV.is_traced}
