"""The gateway's address and how to speak with it, from the settings."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from threading import Lock
from urllib.parse import urlsplit

from django.utils.module_loading import import_string

from conversations.conf import settings
from conversations.errors import ConfigurationError
from conversations.labels import HEADER_NAME, LABEL, filled

CONNECT_TIMEOUT = 5.0
EMBEDDED = "conversations.demo_gateway.embedded"
"""The name of the function that starts the embedded gateway, which the product does not import."""

_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
# A shorter word of a header is no secret: it may occur in ordinary sentences.
_SECRET = re.compile(r"[^\s,;\"']{8,}")


@dataclass(frozen=True)
class Options:
    """The options of a Gateway; raises ConfigurationError if it cannot work with them."""

    url: str
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    timeout: float = 300.0
    """Seconds without a byte, once connected."""
    region: str = "us-west-2"
    access_key: str = field(default="dummy", repr=False)
    secret_key: str = field(default="dummy", repr=False)
    connections: int = 10
    """How many connections wait for their next calls; there may be more calls at a time."""
    ending: float = 5.0
    """Seconds without a byte once the answer is complete: for the metadata and the end of the stream."""

    def __post_init__(self) -> None:
        _check_url(self.url)
        for name, value in self.headers:
            if not HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
                raise ConfigurationError(
                    "GATEWAY_HEADERS has a name or value that HTTP cannot send: no line ends, Latin-1 alone."
                )

    @classmethod
    def from_settings(cls) -> "Options":
        """The options that Django's settings ask for."""
        return cls(
            url=endpoint(),
            headers=tuple(settings.GATEWAY_HEADERS.items()),
            timeout=settings.GATEWAY_TIMEOUT,
            region=settings.AWS_REGION,
            access_key=settings.AWS_ACCESS_KEY_ID,
            secret_key=settings.AWS_SECRET_ACCESS_KEY,
            connections=settings.MAX_TURNS_AT_ONCE,
        )

    @property
    def connect_timeout(self) -> float:
        """Seconds for the host name's look-up, and for a connection to one of its addresses."""
        return min(CONNECT_TIMEOUT, self.timeout)

    def headers_for(self, labels: Mapping[str, str]) -> dict[str, str]:
        """One request's extra headers, with its labels filled in."""
        return {name: filled(value, labels) for name, value in self.headers}

    def redacted(self, text: str) -> str:
        """The text without keys and headers' values, which a gateway may repeat in a refusal."""
        sent = [LABEL.sub(" ", value) for _, value in self.headers]
        for secret in _SECRET.findall(" ".join([self.access_key, self.secret_key, *sent])):
            text = text.replace(secret, "[redacted]")
        return text


def is_demo() -> bool:
    """Whether neither gateway nor upstream is set, so that the embedded gateway makes up its answers."""
    return not settings.GATEWAY_URL and not settings.UPSTREAM_URL


def answering_host() -> str:
    """Host and port of the server that answers: the gateway, or the embedded gateway's upstream."""
    url = settings.GATEWAY_URL or settings.UPSTREAM_URL or endpoint()
    return urlsplit(url).netloc.rpartition("@")[2]


def endpoint() -> str:
    """The gateway's address: GATEWAY_URL, or else that of the embedded one, started by the first call."""
    if settings.GATEWAY_URL:
        return str(settings.GATEWAY_URL)
    with _lock:
        return _demo_url()


_lock = Lock()


@cache
def _demo_url() -> str:
    return str(import_string(EMBEDDED)().url)


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_valid = False
    if not is_valid or re.search(r"\s", url):
        raise ConfigurationError(
            "GATEWAY_URL must be an http or https address, such as http://localhost:8000."
        )
    if parts.username is not None or parts.query or parts.fragment:
        raise ConfigurationError(
            "GATEWAY_URL takes no user, password, query or fragment; keys belong in GATEWAY_HEADERS."
        )
