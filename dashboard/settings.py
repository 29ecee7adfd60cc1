"""Settings, all from the environment. A bad value stops the start with a sentence naming it.

docs/settings.md lists every variable; a test holds the two together.
"""

import os
import re
import secrets
from contextlib import suppress
from pathlib import Path

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from dashboard.environment import (
    env_choice,
    env_flag,
    env_list,
    env_names,
    env_number,
    env_redis,
    env_text,
    env_url,
    env_value,
)
from endpoints_app.domain import budget

# Where and how it runs -------------------------------------------------------------------------

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env_text("VAR_DIR", str(BASE_DIR / "var"))).expanduser().resolve()

# Set by `make run`: everything on this machine, plain http on loopback, its own key and accounts.
EMBEDDED = env_flag("EMBEDDED")
# Set by `make run` when the emulator stands in for a workspace: pages say so.
DEMO = env_flag("DEMO")
DEBUG = env_flag("DEBUG")
HTTPS = env_flag("HTTPS", default=not EMBEDDED)


def _in_var_dir(name: str) -> Path:
    try:
        VAR_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as e:
        raise ImproperlyConfigured("VAR_DIR must be a directory that can be written to.") from e
    return VAR_DIR / name


def _kept_secret_key() -> str:
    """The embedded default's own key, made once and kept under VAR_DIR."""
    path = _in_var_dir("secret_key")
    if not path.exists():
        fresh = path.with_name(f"secret_key.{os.getpid()}")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(64))
        with suppress(FileExistsError):  # another process was first: its key counts
            path.hardlink_to(fresh)
        fresh.unlink()
    return path.read_text()


SECRET_KEY = env_text("SECRET_KEY")
if EMBEDDED and not SECRET_KEY:
    SECRET_KEY = _kept_secret_key()
if len(SECRET_KEY) < 50:
    raise ImproperlyConfigured(
        "SECRET_KEY must be set: a random text of 50 characters or more, the same in every "
        "process. (`make run` makes and keeps its own.)"
    )

ALLOWED_HOSTS = env_list(
    "ALLOWED_HOSTS",
    "localhost 127.0.0.1 [::1]" if EMBEDDED else "",
    each=r"\*|\.?[\w-]+(\.[\w-]+)*|\[[0-9A-Fa-f:.]+\]",
    wanted="host names, without scheme and port",
)
if not ALLOWED_HOSTS and not DEBUG:
    raise ImproperlyConfigured(
        "ALLOWED_HOSTS must be set: the host names by which browsers reach the dashboard."
    )
CSRF_TRUSTED_ORIGINS = env_list(
    "CSRF_TRUSTED_ORIGINS",
    each=r"https?://[^/]+",
    wanted="origins such as https://desk.example.com",
)

SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "endpoints_app.views.errors.csrf_failure"
SESSION_COOKIE_AGE = 14 * 24 * 3600
X_FRAME_OPTIONS = "DENY"
if env_flag("TRUST_PROXY"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# What it is made of ----------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "drf_spectacular_sidecar",  # static files of Swagger UI
    "endpoints_app",
]

MIDDLEWARE = [
    "endpoints_app.views.health.probes",
    "endpoints_app.views.quiet.polls",
    "endpoints_app.middleware.security_headers",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "endpoints_app.views.packing.compressed",
    "endpoints_app.views.quiet.Sessions",
    "endpoints_app.middleware.language",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "endpoints_app.middleware.roles",
    "endpoints_app.middleware.LoginRequired",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "dashboard.urls"
WSGI_APPLICATION = "dashboard.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

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
                "endpoints_app.context_processors.frame",
            ],
        },
    }
]

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "endpoints"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# Database --------------------------------------------------------------------------------------

DATABASE_URL = env_url(
    "DATABASE_URL",
    {"postgres", "postgresql", "sqlite"},
    "",
    path=".+",
    example="postgresql://user:password@host/name",
)
# Off where something between shares the connections of PostgreSQL among transactions.
DATABASE_PREPARE = env_flag("DATABASE_PREPARE", default=True)
LOCK_SECONDS = 10  # that a write waits for another one
LEFT_SECONDS = 30  # after which PostgreSQL ends a transaction in which nothing happens any more
DATABASES = {
    "default": dj_database_url.parse(
        DATABASE_URL or f"sqlite:///{_in_var_dir('db.sqlite3')}",
        conn_max_age=60,
        conn_health_checks=True,
    )
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["ENGINE"] = "dashboard.sqlite"
    # In memory, as Django has it; pytest's parallel runs know that only of Django's own engine.
    DATABASES["default"]["TEST"] = {"NAME": ":memory:"}
    DATABASES["default"]["OPTIONS"] = {
        # A deferred transaction that reads, then writes, fails at once when another one wrote
        # in between, whatever the timeout; an immediate one waits for its turn.
        "transaction_mode": "IMMEDIATE",
        "timeout": LOCK_SECONDS,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    DATABASES["default"]["ENGINE"] = "dashboard.postgresql"
    given = DATABASES["default"].setdefault("OPTIONS", {})
    given["connect_timeout"] = 5
    # A writer that is frozen or lost in its transaction must not hold the others for good: they
    # give up waiting, and the server ends what nobody goes on with.
    given.setdefault(
        "options",
        f"-c lock_timeout={LOCK_SECONDS}s -c idle_in_transaction_session_timeout={LEFT_SECONDS}s",
    )

# What a form may bring: a request to a model has a megabyte, which is three as a form sends it.
DATA_UPLOAD_MAX_MEMORY_SIZE = 4_000_000

# Redis: the broker and the cache. Both may be gone; pages and clicks go on. --------------------

REDIS_URL = env_redis("REDIS_URL", "redis://127.0.0.1:6379/0")
CACHE_URL = env_redis("CACHE_URL", REDIS_URL)
REDIS_PATIENCE = 0.2  # seconds a page waits for Redis

CACHES = {
    "default": {
        "BACKEND": "dashboard.cache.FailOpenRedisCache",
        "LOCATION": CACHE_URL,
        "TIMEOUT": 300,
        "KEY_PREFIX": "desk",
        "OPTIONS": {
            "socket_connect_timeout": REDIS_PATIENCE,
            "socket_timeout": REDIS_PATIENCE,
        },
    }
}
SESSION_ENGINE = "endpoints_app.services.sessions"
AUTHENTICATION_BACKENDS = ["endpoints_app.services.accounts.Backend"]

CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# For whoever publishes from a page; workers and beat, who may wait, lengthen them (celery.py).
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": REDIS_PATIENCE,
    "socket_timeout": REDIS_PATIENCE,
    "max_retries": 0,
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_DEFAULT_QUEUE = "sync"
CELERY_TASK_ROUTES = {
    "endpoints_app.tasks.look_at_operations": {"queue": "operations"},
    "endpoints_app.tasks.advance_operation": {"queue": "operations"},
}
# Ticks say "look now" and mean nothing a moment later: each expires before the next.
CELERY_BEAT_SCHEDULE = {
    "look at operations": {
        "task": "endpoints_app.tasks.look_at_operations",
        "schedule": 1.0,
        "options": {"expires": 0.9},
    },
    "look at workspaces": {
        "task": "endpoints_app.tasks.look_at_workspaces",
        "schedule": 1.0,
        "options": {"expires": 0.9},
    },
    "publish the status page": {
        "task": "endpoints_app.tasks.publish_status",
        "schedule": 1.0,
        "options": {"expires": 0.9},
    },
    "write the snapshot of the status page": {
        "task": "endpoints_app.tasks.write_snapshot",
        "schedule": 2.0,
        "options": {"expires": 1.9},
    },
    "keep logs": {
        "task": "endpoints_app.tasks.keep_logs",
        "schedule": 5.0,
        "options": {"expires": 4},
    },
    "end acknowledgements": {
        "task": "endpoints_app.tasks.end_acknowledgements",
        "schedule": 5.0,
        "options": {"expires": 4},
    },
    "look at metrics": {
        "task": "endpoints_app.tasks.look_at_metrics",
        "schedule": 5.0,
        "options": {"expires": 4},
    },
    "roll up metrics": {
        "task": "endpoints_app.tasks.roll_up_metrics",
        "schedule": 300.0,
        "options": {"expires": 290},
    },
    "prune": {
        "task": "endpoints_app.tasks.prune",
        "schedule": 3600.0,
        "options": {"expires": 3000},
    },
}
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"

# The fleet -------------------------------------------------------------------------------------

WORKSPACES = env_names("WORKSPACES")
if not WORKSPACES and (
    os.environ.get("DATABRICKS_HOST") or os.environ.get("DATABRICKS_CONFIG_PROFILE")
):
    WORKSPACES = env_names("WORKSPACE_NAME") or ["workspace"]
    if len(WORKSPACES) > 1:
        raise ImproperlyConfigured("WORKSPACE_NAME must be one name; WORKSPACES takes several.")

SYNC_SECONDS = env_number("SYNC_SECONDS", 15, least=1, most=3600)
SYNC_FAST_SECONDS = env_number("SYNC_FAST_SECONDS", 2, least=0.2, most=60)
# Past this many seconds without an answer a workspace's endpoints are Unknown.
STALE_SECONDS = 3 * SYNC_SECONDS
HISTORY_DAYS = env_number("HISTORY_DAYS", 400, least=1, most=10_000)
LOG_SNAPSHOT_DAYS = env_number("LOG_SNAPSHOT_DAYS", 30, least=1, most=10_000)
METRICS_DAYS = env_number("METRICS_DAYS", 14, least=1, most=400)
OWNER_TAGS = env_list("OWNER_TAGS", "owner team")

BUDGET_POLICY_NAMES: dict[str, str] = env_value(
    "BUDGET_POLICY_NAMES", budget.names, {}, "ids with names, such as 6f1c…=shop-search, 90ab…=risk"
)
# Where no public call is: by workspace, how its own takes a change of policy.
BUDGET_POLICY_CALLS = {
    workspace: call
    for workspace, variable in [(name, re.sub(r"\W", "_", name.upper())) for name in WORKSPACES]
    if (
        call := env_value(
            f"WORKSPACE_{variable}_BUDGET_POLICY_CALL",
            budget.Call.parse,
            None,
            "a method and a path, such as PATCH /api/2.0/serving-endpoints/{name}/budget-policy",
        )
    )
}

# Who may open the status page: everybody, who has a view's link, who is signed in, nobody.
STATUS_PAGE_ACCESS = env_choice(
    "STATUS_PAGE_ACCESS", "login", among=["public", "token", "login", "off"]
)

# Where the status page is written as files, for a file server to show while we are down.
STATUS_SNAPSHOT_DIR = env_text("STATUS_SNAPSHOT_DIR")

# Languages, times, files, logs -----------------------------------------------------------------

USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("ja", _("Japanese"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["dashboard.formats"]

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static" if EMBEDDED else BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

LOG_LEVEL = env_text("LOG_LEVEL", "INFO").upper()
if LOG_LEVEL not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
    raise ImproperlyConfigured("LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR.")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        # A tick a second would drown everything else.
        "celery.app.trace": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
        # Refusals are answers, not troubles of ours, and a 403 would print a traceback.
        "django.request": {"level": "ERROR"},
        # These print request lines and headers at DEBUG.
        "urllib3": {"level": "WARNING"},
        "databricks": {"level": "WARNING"},
    },
}
