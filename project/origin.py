"""Websockets are for our own pages alone: browsers send cookies from any page, without CORS."""

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
"""The scope's key of the server's own send, past the middleware that reads the session each time."""

DEFAULT_PORTS = {"http": 80, "https": 443}


class SameOriginOnly:
    """ASGI middleware that refuses a handshake unless its Origin is the Host, and a host that is allowed."""

    def __init__(self, application: ASGI3Application) -> None:
        self.application = application

    async def __call__(
        self, scope: WebSocketScope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        """Passes the connection on, or refuses it."""
        application = self.application if is_same_origin(scope["headers"]) else refuse
        await application({**scope, SEND: send}, receive, send)  # type: ignore[arg-type, misc]


async def refuse(scope: WebSocketScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """An ASGI application that closes before it accepts, which a browser sees as 403."""
    await receive()
    await send(WebSocketCloseEvent(type="websocket.close", code=1000, reason=None))


def is_same_origin(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether the request's only Origin is the host and port of its only Host (RFC 6454, section 4)."""
    pairs = list(headers)
    origins = [value.decode("latin-1") for name, value in pairs if name == b"origin"]
    hosts = [value.decode("latin-1") for name, value in pairs if name == b"host"]
    if len(origins) != 1 or len(hosts) != 1:
        return False
    scheme = origins[0].partition("://")[0]
    origin, host = host_and_port(origins[0], scheme), host_and_port(f"{scheme}://{hosts[0]}", scheme)
    return origin is not None and origin == host and is_allowed(hosts[0])


def host_and_port(origin: str, scheme: str) -> tuple[str, int] | None:
    """The host in lower case and the port, which may be the scheme's own; None unless an http origin."""
    try:
        url = urlsplit(origin)
        default = DEFAULT_PORTS[scheme]
        port = default if url.port is None else url.port
    except (ValueError, KeyError):
        return None
    is_bare = origin == f"{scheme}://{url.netloc}" and "@" not in url.netloc
    return (url.hostname, port) if is_bare and url.hostname else None


def is_allowed(host: str) -> bool:
    """Whether ALLOWED_HOSTS has the host, which rules out foreign names that point at this machine."""
    return validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS)
