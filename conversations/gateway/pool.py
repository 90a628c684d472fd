"""The connections to the gateway: its addresses, new connections, and idle ones for the next calls."""

import asyncio
import socket
import ssl
from contextlib import suppress
from threading import Lock, Thread
from typing import Any
from urllib.parse import urlsplit

from conversations.gateway import errors
from conversations.gateway.connection import Connection
from conversations.gateway.options import Options

LOOK_UPS = 8
"""Look-ups at a time, including those that hang after the end of their call."""
IDLE_TIMEOUT = 30.0
"""Seconds that an idle connection is kept: fewer than gateways and proxies keep theirs."""

LOOP_ITERATIONS = 2
"""Iterations of the loop in which it notices connections that the gateway has closed."""

Addresses = list[tuple[Any, ...]]
Loop = asyncio.AbstractEventLoop


class Pool:
    """One loop's connections to the gateway. Only that loop may call its methods."""

    def __init__(self, options: Options, tls: ssl.SSLContext | None) -> None:
        parts = urlsplit(options.url)
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if tls else 80)
        self._options, self._tls = options, tls
        self._idle: list[tuple[Connection, asyncio.TimerHandle]] = []
        self._look_ups = asyncio.Semaphore(LOOK_UPS)

    async def take(self) -> Connection:
        """An idle connection that the gateway has not closed, or a new one; raises GatewayUnreachable.

        If it is closed just as the request goes out, the attempt fails: a request that was sent may have been paid for.
        """
        for _ in range(LOOP_ITERATIONS if self._idle else 0):
            await asyncio.sleep(0)
        return self._take_idle() or await self.connect()

    def _take_idle(self) -> Connection | None:
        """The idle connection that was used last, if one is open."""
        while self._idle:
            connection, expiry = self._idle.pop()
            expiry.cancel()
            if connection.is_open:
                return connection
        return None

    async def connect(self) -> Connection:
        """A new connection; raises GatewayUnreachable."""
        try:
            return await self._connect(await self._addresses())
        except (OSError, UnicodeError) as error:
            raise errors.unreachable(error) from error

    def put_back(self, connection: Connection) -> None:
        """Keeps a connection for the next call, or closes it if it cannot serve another."""
        self._idle = [idle for idle in self._idle if idle[0].is_open]
        if not connection.free():
            return
        if len(self._idle) < self._options.connections:
            expiry = asyncio.get_running_loop().call_later(IDLE_TIMEOUT, connection.abort)
            self._idle.append((connection, expiry))
        else:
            connection.abort()

    def close(self) -> None:
        """Closes the idle connections."""
        while connection := self._take_idle():
            connection.abort()

    async def _connect(self, addresses: Addresses) -> Connection:
        failure = OSError("the host name has no address")
        for family, _, protocol, _, address in addresses:
            try:
                async with asyncio.timeout(self._options.connect_timeout):
                    return await self._open(address, family, protocol)
            except TimeoutError:
                failure = TimeoutError("it did not answer in time")
            except OSError as error:
                failure = error
        raise failure

    async def _open(self, address: tuple[Any, ...], family: int, protocol: int) -> Connection:
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: Connection(self._options.timeout),
            host=address[0],
            port=address[1],
            family=family,
            proto=protocol,
            ssl=self._tls,
            server_hostname=self._host if self._tls else None,
        )
        return connection

    async def _addresses(self) -> Addresses:
        """The host's addresses, from a thread of our own: a resolver heeds neither a stop nor a timeout.

        A resolver that hangs keeps its thread, so there is a limit to these.
        """
        answer: asyncio.Future[Addresses] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(self._options.connect_timeout):
                await self._look_ups.acquire()
                Thread(target=self._look_up, args=(answer,), name="look-up", daemon=True).start()
                return await answer
        except TimeoutError:
            raise OSError("the host name could not be looked up in time") from None

    def _look_up(self, answer: asyncio.Future[Addresses]) -> None:
        result: Addresses | Exception
        try:
            result = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            result = error
        with suppress(RuntimeError):  # the loop is closed by now
            answer.get_loop().call_soon_threadsafe(self._looked_up, answer, result)

    def _looked_up(self, answer: asyncio.Future[Addresses], result: Addresses | Exception) -> None:
        self._look_ups.release()
        if answer.done():
            return
        if isinstance(result, Exception):
            answer.set_exception(result)
        else:
            answer.set_result(result)


class Pools:
    """A pool for each loop. Any thread may call these methods."""

    def __init__(self, options: Options, tls: ssl.SSLContext | None) -> None:
        self._options, self._tls = options, tls
        self._pools: dict[Loop, Pool] = {}
        self._lock = Lock()

    def here(self) -> Pool:
        """The running loop's pool. Pools of closed loops are dropped."""
        loop = asyncio.get_running_loop()
        with self._lock:
            if loop not in self._pools:
                self._pools = {owner: pool for owner, pool in self._pools.items() if not owner.is_closed()}
                self._pools[loop] = Pool(self._options, self._tls)
            return self._pools[loop]

    def close(self) -> None:
        """Closes the idle connections of all loops."""
        with self._lock:
            pools, self._pools = self._pools, {}
        for loop, pool in pools.items():
            with suppress(RuntimeError):  # it is closed
                loop.call_soon_threadsafe(pool.close)
