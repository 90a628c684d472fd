"""uvicorn, on uvloop where that is installed. Its `send` waits for a client that does not read."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from asgiref.typing import ASGI3Application
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import State

from project.server import (
    BACKLOG,
    FRAME_LIMIT,
    PING_EVERY,
    PING_TIMEOUT,
    SERVER_NAME,
    WRITE,
    Start,
    new_loop,
    text_frame,
)

KEEP_ALIVE = 60
"""Seconds for which an idle connection is kept, as Daphne keeps it."""

LAST_REQUESTS = 2
"""Seconds that a stopping server waits for the requests under way."""


def run(application: ASGI3Application, listener: socket.socket, on_start: Start) -> None:
    """Serves until the function that `on_start` gets is called; frames of over 1 MiB close their socket."""
    config = uvicorn.Config(
        application,
        http="h11",  # bounds a request's headers, which httptools does not
        ws=Websocket,
        ws_max_size=FRAME_LIMIT,
        ws_ping_interval=PING_EVERY,
        ws_ping_timeout=PING_TIMEOUT,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        headers=[("Server", SERVER_NAME)],
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=LAST_REQUESTS,
    )
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(Server(config, on_start).serve(sockets=[listener]))


class Server(uvicorn.Server):
    """uvicorn's server, which leaves signals to us and calls `on_start` once it answers."""

    def __init__(self, config: uvicorn.Config, on_start: Start) -> None:
        super().__init__(config)
        self._on_start = on_start

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Does nothing: uvicorn's own handlers would cut every turn short."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins to answer, then calls `on_start`."""
        await super().startup(sockets)
        self._on_start(self.stop)

    def stop(self) -> None:
        """Lets uvicorn close its connections and return, from any thread; a second call ends it at once."""
        self.force_exit = self.should_exit
        self.should_exit = True


class Websocket(WebSocketsSansIOProtocol):
    """uvicorn's protocol, which can close although the client reads nothing."""

    def connection_made(self, transport: Any) -> None:
        """Lets the system end a connection that takes nothing for as long as a ping may be unanswered."""
        super().connection_made(transport)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            milliseconds = int(PING_TIMEOUT * 1000)
            connection = transport.get_extra_info("socket")
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)

    async def run_asgi(self) -> None:
        """Runs the application, which may write without waiting."""
        self.scope[WRITE] = self.write  # type: ignore[literal-required]
        await super().run_asgi()

    def write(self, text: bytes) -> bool:
        """Sends a text at once; False, with nothing sent, where `send` has to wait or the client has left."""
        if self.conn.state is not State.OPEN or self.disconnected or not self.writable.is_set():
            return False
        self.transport.write(text_frame(text))
        return True

    async def send(self, message: Any) -> None:
        """Sends a message, once there is room for it; closes at once."""
        if message["type"] == "websocket.close":
            self.writable.set()
        await super().send(message)
