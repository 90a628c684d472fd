"""Django's settings, from the environment.

A site extends them in a module of its own with `from project.settings import *` and names that in DJANGO_SETTINGS_MODULE.
"""

from datetime import timedelta
from pathlib import Path

from csp.constants import NONE, SELF

from project.database import attachments_folder, from_url
from project.environment import (
    AguiEnvironment,
    FileEnvironment,
    McpEnvironment,
    TitleEnvironment,
    read_as,
    read_environment,
)
from project.secret_key import read_or_make

BASE_DIR = Path(__file__).resolve().parent.parent
_env = read_environment()

# From README's table
GATEWAY_URL = _env.GATEWAY_URL
GATEWAY_MODELS = _env.GATEWAY_MODELS
GATEWAY_HEADERS = _env.GATEWAY_HEADERS
GATEWAY_TIMEOUT = _env.GATEWAY_TIMEOUT
GATEWAY_RETRIES = _env.GATEWAY_RETRIES
GATEWAY_PRICES = _env.GATEWAY_PRICES
PRICE_CURRENCY = _env.PRICE_CURRENCY
AWS_REGION = _env.AWS_REGION
AWS_ACCESS_KEY_ID = _env.AWS_ACCESS_KEY_ID
AWS_SECRET_ACCESS_KEY = _env.AWS_SECRET_ACCESS_KEY
UPSTREAM_URL = _env.UPSTREAM_URL
UPSTREAM_API_KEY = _env.UPSTREAM_API_KEY
UPSTREAM_MODEL = _env.UPSTREAM_MODEL
MAX_ROUNDS = _env.MAX_ROUNDS
MAX_TOKENS = _env.MAX_TOKENS
USER_TURNS_AT_ONCE = _env.USER_TURNS_AT_ONCE
USER_TURNS_PER_MINUTE = _env.USER_TURNS_PER_MINUTE
USER_TOKENS_PER_DAY = _env.USER_TOKENS_PER_DAY
APPROVAL_TIMEOUT = _env.APPROVAL_TIMEOUT
AGUI_ORIGINS = read_as(AguiEnvironment).AGUI_ORIGINS
MCP_SERVERS = read_as(McpEnvironment).MCP_SERVERS
TOOL_TIMEOUT = _env.TOOL_TIMEOUT
TOOL_RESULT_LIMIT = _env.TOOL_RESULT_LIMIT
REDIS_URL = _env.REDIS_URL
SECRET_KEY = _env.SECRET_KEY or read_or_make(BASE_DIR / ".secret_key")
DEBUG = _env.DEBUG
ALLOWED_HOSTS = _env.ALLOWED_HOSTS

# Titles by a model, after the first answer
_titles = TitleEnvironment()
TITLE_MODEL = _titles.TITLE_MODEL
TITLE_PROMPT = _titles.TITLE_PROMPT

# Of a process, which keeps as many idle connections to the gateway. Further turns are queued.
MAX_TURNS_AT_ONCE = 1000

# Bytes of a conversation's attached files, since a request holds those of all its turns. 0: no limit.
ATTACHMENTS_LIMIT = read_as(FileEnvironment).ATTACHMENTS_LIMIT

# The parts
INSTALLED_APPS = [
    "project.daphne_app.DaphneApp",  # first: its runserver takes the place of Django's
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "channels",
    "csp",
    "conversations.apps.ConversationsConfig",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "project.middleware.ContentPolicy",
    "project.middleware.StaticFiles",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "project.middleware.SignInFirst",  # a view is closed unless it says otherwise
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
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
ROOT_URLCONF = "project.urls"
ASGI_APPLICATION = "project.asgi.application"

# Where things are kept
DATABASES = {"default": from_url(_env.DATABASE_URL, BASE_DIR)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# The layer waits 5 s at a time for news; redis-py's own socket timeout of 5 s would end the wait with an error.
_redis = {"hosts": [{"address": REDIS_URL, "socket_timeout": 30}]}
CHANNEL_LAYERS = {
    "default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": _redis}
    if REDIS_URL
    else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
}
STATIC_URL = "static/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # Without a base URL: only a view serves these files.
    "attachments": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": attachments_folder(DATABASES["default"], BASE_DIR), "base_url": None},
    },
    # `serve` collects: no collectstatic, no build.
    "staticfiles": {"BACKEND": "project.static_files.HashedFiles"},
}
WHITENOISE_USE_FINDERS = True  # the apps' own files are served, by their plain names too
WHITENOISE_MAX_AGE = 0  # for names without a hash: a browser asks each time and gets a 304

# Who gets in
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # first: it lets no locked-out client through to the others
    "django.contrib.auth.backends.ModelBackend",
    "sesame.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "conversations:index"
LOGOUT_REDIRECT_URL = "login"
CSRF_FAILURE_VIEW = "project.unsent.refused"
SESAME_TOKEN_NAME = "token"  # noqa: S105 (the name of a parameter)
SESAME_MAX_AGE = 60 * 60
SESAME_ONE_TIME = True
# Ten wrong passwords from one address lock a name out there for a quarter of an hour. Of the form only the name is
# stored, as its HMAC, since people type passwords into the wrong field.
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_CALLABLE = "project.throttle.pseudonym"
AXES_LOCKOUT_CALLABLE = "project.throttle.locked_out"
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "next", "csrfmiddlewaretoken", SESAME_TOKEN_NAME]
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = AXES_VERBOSE = False

# What browsers are told. Beyond this machine TLS is expected in front, and cookies go over nothing else.
_public_hosts = [host for host in ALLOWED_HOSTS if host not in ("127.0.0.1", "localhost", "[::1]")]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = bool(_public_hosts)
CSRF_TRUSTED_ORIGINS = [
    f"https://{'*' if host.startswith('.') else ''}{host}" for host in _public_hosts if host != "*"
]
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],  # the websocket too: CSP level 3 counts ws and wss of the same host as 'self'
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
        "require-trusted-types-for": ["'script'"],
        "trusted-types": ["dompurify"],
    }
}
SILENCED_SYSTEM_CHECKS = [
    "security.W004",  # HSTS is for the proxy that speaks TLS
    "security.W008",  # so is the redirect to https
    "security.W012",  # the session cookie is secure as soon as another host is allowed (above)
    "security.W016",  # the CSRF cookie likewise
]

# Times and words
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "conversations": {"level": "INFO"},
        "project": {"level": "INFO"},
        "django": {"handlers": [], "level": "WARNING"},  # Django's own handlers would print a second time
        "django.request": {"level": "ERROR"},  # a page that is not there is no news
        "botocore": {"level": "INFO"},  # at DEBUG it logs requests with their headers
        "axes": {"level": "WARNING"},
        "mcp": {"level": "CRITICAL"},  # `conversations.mcp` logs in a line what happens to a server
        "uvicorn.error": {"level": "ERROR"},  # that somebody sent what is no HTTP is no news
    },
}
