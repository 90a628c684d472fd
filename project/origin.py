"""Who may open a websocket: browsers send cookies along from any page, and CORS does not hold websockets back."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from asgiref.typing import (
    ASGI3Application,
    ASGIReceiveCallable,
    ASGISendCallable,
    WebSocketCloseEvent,
    WebSocketScope,
)
from django.conf import settings
from django.http.request import split_domain_port, validate_host

SEND = "turntable.send"
"""In the scope: the server's own send, without the middleware that looks at the session at every frame."""

DEFAULT_PORTS = {"http": 80, "https": 443}


class SameOriginOnly:
    """ASGI middleware that refuses a handshake unless its Origin is the Host, and a host that is allowed."""

    def __init__(self, application: ASGI3Application) -> None:
        self.application = application

    async def __call__(
        self, scope: WebSocketScope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        """Pass the connection on or refuse it."""
        application = self.application if is_same_origin(scope["headers"]) else refuse
        await application({**scope, SEND: send}, receive, send)  # type: ignore[arg-type, misc]


async def refuse(scope: WebSocketScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """ASGI application that closes before accepting, which a server tells the browser as 403."""
    await receive()
    await send(WebSocketCloseEvent(type="websocket.close", code=1000, reason=None))


def is_same_origin(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether the only Origin of the request names the host and port of its only Host (RFC 6454, section 4)."""
    pairs = list(headers)
    origins = [value.decode("latin-1") for name, value in pairs if name == b"origin"]
    hosts = [value.decode("latin-1") for name, value in pairs if name == b"host"]
    if len(origins) != 1 or len(hosts) != 1:
        return False
    scheme = origins[0].partition("://")[0]
    origin, host = host_and_port(origins[0], scheme), host_and_port(f"{scheme}://{hosts[0]}", scheme)
    return origin is not None and origin == host and is_allowed(hosts[0])


def host_and_port(origin: str, scheme: str) -> tuple[str, int] | None:
    """The host in lower case and the port, the scheme's own when none is given; None unless it is an http origin."""
    try:
        url = urlsplit(origin)
        default = DEFAULT_PORTS[scheme]
        port = default if url.port is None else url.port
    except (ValueError, KeyError):
        return None
    is_bare = origin == f"{scheme}://{url.netloc}" and "@" not in url.netloc
    return (url.hostname, port) if is_bare and url.hostname else None


def is_allowed(host: str) -> bool:
    """Whether ALLOWED_HOSTS holds it, as for a page: else a name that somebody points at this machine would do."""
    return validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS)
