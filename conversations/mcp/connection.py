"""A connection to a server: its transport, its liveness, and the headers of a call."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx2
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from conversations.labels import LABEL, filled

from .configuration import ServerConfiguration

if TYPE_CHECKING:
    from mcp.client._transport import TransportStreams

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
PROBE_SECONDS = 1.0
"""How long a probe of a server may take, and the time between two probes while a call runs there."""

IDLE_FACTOR = 15
"""How many times longer the time between two probes is while no call runs."""

MOST_EVENT_BYTES = 8 * 1024 * 1024

labels: ContextVar[dict[str, str]] = ContextVar("labels")
"""The labels of the call that a request belongs to: the SDK carries the context along."""


class Lost(Exception):
    """The server has died, or cannot be reached any more."""


class Liveness:
    """Whether a connection is alive, and how many calls wait for it."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()
        self.probe_now = asyncio.Event()
        """Set to have the server probed at once."""

        self.calls = 0


class _Watched:
    """A read stream whose end is the end of the connection."""

    def __init__(self, stream: Any, liveness: Liveness) -> None:
        self._stream, self._liveness = stream, liveness

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __aiter__(self) -> "_Watched":
        return self

    async def __anext__(self) -> Any:
        try:
            return await self._stream.__anext__()
        except BaseException:
            self._liveness.ended.set()
            raise

    async def __aenter__(self) -> "_Watched":
        await self._stream.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> Any:
        self._liveness.ended.set()
        return await self._stream.__aexit__(*error)


@asynccontextmanager
async def transport_of(
    configuration: ServerConfiguration, liveness: Liveness
) -> AsyncIterator["TransportStreams"]:
    """The streams to and from the server. Their end is noted in `liveness`."""
    inner = _http(configuration, liveness) if configuration.url else _stdio(configuration)
    async with inner as (read_stream, write_stream):
        yield _Watched(read_stream, liveness), write_stream


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
async def _http(configuration: ServerConfiguration, liveness: Liveness) -> AsyncIterator["TransportStreams"]:
    async def fill(request: httpx2.Request) -> None:
        request.headers.update(headers_for(configuration, labels.get({})))

    timeout = httpx2.Timeout(CONNECT_SECONDS, read=None)
    client = httpx2.AsyncClient(timeout=timeout, trust_env=False, event_hooks={"request": [fill]})
    url = configuration.url or ""
    async with (
        client,
        streamable_http_client(url, http_client=client, max_sse_event_size=MOST_EVENT_BYTES) as streams,
    ):
        probes = asyncio.create_task(_probe_for_ever(url, liveness))
        try:
            yield streams
        finally:
            probes.cancel()
            with suppress(asyncio.CancelledError):
                await probes


def headers_for(configuration: ServerConfiguration, call_labels: dict[str, str]) -> dict[str, str]:
    """A request's own headers. Outside of a call, headers with labels are left out."""
    return {
        name: filled(value, call_labels)
        for name, value in configuration.headers.items()
        if call_labels or not LABEL.search(value)
    }


async def _probe_for_ever(url: str, liveness: Liveness) -> None:
    """Notes the end once nobody listens at the address: HTTP itself may notice late, or never."""
    number = 0
    while not liveness.ended.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(liveness.probe_now.wait(), PROBE_SECONDS)
        number += 1
        is_due = liveness.probe_now.is_set() or liveness.calls or number % IDLE_FACTOR == 0
        liveness.probe_now.clear()
        if is_due and not await _is_listening(url):
            liveness.ended.set()


async def _is_listening(url: str) -> bool:
    address = urlsplit(url)
    port = address.port or (443 if address.scheme == "https" else 80)
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            _, writer = await asyncio.open_connection(address.hostname, port)
    except TimeoutError:
        return True  # slow is not dead: a call's own time says how long it may take
    except OSError:
        return False
    writer.close()
    return True
