"""A connection to a server: its transport, whether it lives, and the headers of a call."""

import asyncio
import logging
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import httpx2
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from .configuration import LABELS, ServerConfiguration

if TYPE_CHECKING:
    from mcp.client._transport import TransportStreams

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
LOOK_SECONDS = 1.0
"""How long a look whether a server lives may take, and the time between two while a call runs there."""

IDLE_LOOKS = 15
"""Such times between two looks while no call runs."""

MOST_EVENT_BYTES = 8 * 1024 * 1024
_LABEL = re.compile(rf"\{{({'|'.join(LABELS)})\}}")
_PLAIN = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")

labels: ContextVar[dict[str, str]] = ContextVar("labels")
"""The labels of the call that a request belongs to: the SDK carries the context along."""


class Lost(Exception):
    """The server has died, or cannot be reached any more."""


class Life:
    """Whether a connection still lives, and how many calls wait for it."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()
        self.doubt = asyncio.Event()
        """Set to have a look at once whether the server is still there."""

        self.calls = 0

    async def end(self) -> None:
        """Waits for the end, and raises Lost."""
        await self.ended.wait()
        raise Lost("its connection ended")


class _Watched:
    """A read stream that tells when it ends."""

    def __init__(self, stream: Any, life: Life) -> None:
        self._stream, self._life = stream, life

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __aiter__(self) -> "_Watched":
        return self

    async def __anext__(self) -> Any:
        try:
            return await self._stream.__anext__()
        except BaseException:
            self._life.ended.set()
            raise

    async def __aenter__(self) -> "_Watched":
        await self._stream.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> Any:
        self._life.ended.set()
        return await self._stream.__aexit__(*error)


@asynccontextmanager
async def transport_of(configuration: ServerConfiguration, life: Life) -> AsyncIterator["TransportStreams"]:
    """The streams to and from the server, whose end is the end of `life`."""
    inner = _http(configuration, life) if configuration.url else _stdio(configuration)
    async with inner as (read_stream, write_stream):
        yield _Watched(read_stream, life), write_stream


@asynccontextmanager
async def _stdio(configuration: ServerConfiguration) -> AsyncIterator["TransportStreams"]:
    parameters = StdioServerParameters(
        command=configuration.command or "",
        args=configuration.args,
        env=configuration.env,
        cwd=configuration.cwd,
    )
    async with stdio_client(parameters, errlog=sys.__stderr__ or sys.stderr) as streams:
        yield streams


@asynccontextmanager
async def _http(configuration: ServerConfiguration, life: Life) -> AsyncIterator["TransportStreams"]:
    async def fill(request: httpx2.Request) -> None:
        request.headers.update(headers_for(configuration, labels.get({})))

    timeout = httpx2.Timeout(CONNECT_SECONDS, read=None)
    client = httpx2.AsyncClient(timeout=timeout, trust_env=False, event_hooks={"request": [fill]})
    url = configuration.url or ""
    async with (
        client,
        streamable_http_client(url, http_client=client, max_sse_event_size=MOST_EVENT_BYTES) as streams,
    ):
        look = asyncio.create_task(_look(url, life))
        try:
            yield streams
        finally:
            look.cancel()
            with suppress(asyncio.CancelledError):
                await look


def headers_for(configuration: ServerConfiguration, of_call: dict[str, str]) -> dict[str, str]:
    """A request's own headers; one that names the user or the like is left out where there is none."""
    return {
        name: _filled(value, of_call)
        for name, value in configuration.headers.items()
        if of_call or not any(f"{{{label}}}" in value for label in LABELS)
    }


def _filled(value: str, of_call: dict[str, str]) -> str:
    return _LABEL.sub(lambda match: quote(of_call.get(match[1], ""), safe=_PLAIN), value)


async def _look(url: str, life: Life) -> None:
    """Ends the life when nobody listens at the address any more: HTTP itself may tell late, or never."""
    number = 0
    while not life.ended.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(life.doubt.wait(), LOOK_SECONDS)
        number += 1
        is_due = life.doubt.is_set() or life.calls or number % IDLE_LOOKS == 0
        life.doubt.clear()
        if is_due and not await _is_there(url):
            life.ended.set()


async def _is_there(url: str) -> bool:
    address = urlsplit(url)
    port = address.port or (443 if address.scheme == "https" else 80)
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            _, writer = await asyncio.open_connection(address.hostname, port)
    except TimeoutError:
        return True  # slow is not dead: a call's own time says how long it may take
    except OSError:
        return False
    writer.close()
    return True
