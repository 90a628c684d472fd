"""The app's settings: a site's `TURNTABLE`, its plain settings of these names, or the defaults."""

from decimal import Decimal
from typing import Any

from django.conf import settings as site

DEFAULTS: dict[str, Any] = {
    "GATEWAY_URL": None,
    "GATEWAY_MODELS": ["cohere.command-r-v1:0"],
    "GATEWAY_HEADERS": {},
    "GATEWAY_TIMEOUT": 300,
    "GATEWAY_RETRIES": 3,
    "GATEWAY_PRICES": {},
    "PRICE_CURRENCY": "USD",
    "AWS_REGION": "us-west-2",
    "AWS_ACCESS_KEY_ID": "dummy",
    "AWS_SECRET_ACCESS_KEY": "dummy",
    "UPSTREAM_URL": None,
    "UPSTREAM_API_KEY": "",
    "UPSTREAM_MODEL": "",
    "AGUI_ORIGINS": [],
    "MCP_SERVERS": None,
    "MAX_ROUNDS": 25,
    "MAX_TOKENS": 4096,
    "MAX_TURNS_AT_ONCE": 1000,
    "USER_TURNS_AT_ONCE": 20,
    "USER_TURNS_PER_MINUTE": 60,
    "USER_TOKENS_PER_DAY": 0,
    "APPROVAL_TIMEOUT": 86_400,
    "TOOL_TIMEOUT": 30,
    "TOOL_RESULT_LIMIT": 65_536,
    "ATTACHMENTS_LIMIT": 100_000_000,
    "TITLE_MODEL": "",
    "TITLE_PROMPT": (
        "You write titles. Read the beginning of a conversation and answer with its title alone: at most six words, in the language of "
        "the user's message, naming what it is about. No quotes, no full stop, no explanation."
    ),
}


class Settings:
    """The settings as they are now; a name that is not the app's is read from the site's settings."""

    GATEWAY_URL: str | None
    GATEWAY_MODELS: list[str]
    GATEWAY_HEADERS: dict[str, str]
    GATEWAY_TIMEOUT: float
    GATEWAY_RETRIES: int
    GATEWAY_PRICES: dict[str, dict[str, Decimal]]
    PRICE_CURRENCY: str
    AWS_REGION: str
    AWS_ACCESS_KEY_ID: str
    AWS_SECRET_ACCESS_KEY: str
    UPSTREAM_URL: str | None
    UPSTREAM_API_KEY: str
    UPSTREAM_MODEL: str
    AGUI_ORIGINS: list[str]
    MCP_SERVERS: str | None
    MAX_ROUNDS: int
    MAX_TOKENS: int
    MAX_TURNS_AT_ONCE: int
    USER_TURNS_AT_ONCE: int
    USER_TURNS_PER_MINUTE: int
    USER_TOKENS_PER_DAY: int
    APPROVAL_TIMEOUT: int
    TOOL_TIMEOUT: float
    TOOL_RESULT_LIMIT: int
    ATTACHMENTS_LIMIT: int
    TITLE_MODEL: str
    TITLE_PROMPT: str
    SESSION_COOKIE_SECURE: bool

    def __getattr__(self, name: str) -> Any:
        own = getattr(site, "TURNTABLE", {})
        if name in own:
            return own[name]
        return getattr(site, name, DEFAULTS[name]) if name in DEFAULTS else getattr(site, name)


settings = Settings()
