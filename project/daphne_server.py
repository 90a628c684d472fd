"""Daphne, on uvloop where that is installed."""

import asyncio
import socket
from typing import Any

from asgiref.typing import ASGI3Application
from twisted.internet import asyncioreactor

from project.server import PING_EVERY, PING_TIMEOUT, ROOM, SERVER_NAME, WRITE, Start, new_loop, text_frame

# Before Daphne is imported: it keeps a reactor that is there already.
asyncioreactor.install(new_loop())  # type: ignore[no-untyped-call]

from daphne import http_protocol  # noqa: E402
from daphne.server import Server  # noqa: E402
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol  # noqa: E402
from twisted.internet import reactor  # noqa: E402

from project.bodies import LIMIT  # noqa: E402


class Websocket(WebSocketProtocol):  # type: ignore[misc]  # ships no types
    """Daphne's protocol, which sends text faster.

    It also closes with codes of RFC 6455 that Autobahn does not send, such as 1012 for a restart.
    """

    def serverSend(self, content: str | bytes, binary: bool = False) -> None:  # noqa: N802
        """Sends a text as one frame (RFC 6455, 5.2): Autobahn's own code takes most of an event's time."""
        if binary or self.state != self.STATE_OPEN:
            super().serverSend(content, binary)
            return
        payload = content.encode() if isinstance(content, str) else content
        if not self.write(payload):
            self.transport.write(text_frame(payload))

    def write(self, text: bytes) -> bool:
        """Sends a text at once; returns False, with nothing sent, where `send` has to wait."""
        transport = self.transport
        if self.state != self.STATE_OPEN or not transport.connected or transport in _writers():
            return False
        frame = text_frame(text)
        sent = transport.writeSomeData(frame)
        # A failure has lost the connection, which ends by itself.
        if isinstance(sent, int) and sent < len(frame):
            transport.write(frame[sent:])
        return True

    def serverClose(self, code: int | None = None) -> None:  # noqa: N802 (Daphne's name)
        """Closes with the code."""
        if self.state == self.STATE_OPEN:
            self.sendCloseFrame(code=1000 if code is None else code, isReply=False)


class Request(http_protocol.WebRequest):  # type: ignore[misc]  # ships no types
    """Daphne's request, whose body is bounded. Twisted would read forms into memory."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._parsePOSTFormSubmission = False  # Django reads them, from a file

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 (Twisted's name)
        """Stores a piece of the body, unless there is too much already: the site then answers 413."""
        if self.content.tell() <= LIMIT:
            super().handleContentChunk(data)

    async def room(self) -> None:
        """Waits while the client is behind; closes the connection of one that takes nothing."""
        if self.producer is None:
            self.registerProducer(Room(), True)
        try:
            async with asyncio.timeout(PING_TIMEOUT):
                await self.producer.is_there.wait()
        except TimeoutError:
            self.channel.loseConnection()
            raise

    def finish(self) -> None:
        """Ends the response."""
        if self.producer is not None:
            self.unregisterProducer()
        super().finish()


class Room:
    """A producer, which Twisted tells whether the connection has room for more."""

    def __init__(self) -> None:
        self.is_there = asyncio.Event()
        self.is_there.set()

    def pauseProducing(self) -> None:  # noqa: N802 (Twisted's name)
        """Hears that the client is behind."""
        self.is_there.clear()

    def resumeProducing(self) -> None:  # noqa: N802 (Twisted's name)
        """Hears that the client takes more."""
        self.is_there.set()

    def stopProducing(self) -> None:  # noqa: N802 (Twisted's name)
        """Hears that the client has left, which ends the request by itself."""
        self.is_there.set()


class ScopedServer(Server):  # type: ignore[misc]  # ships no types
    """Daphne's server, whose applications may write to a websocket without waiting."""

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """Begins the application of a request or a websocket."""
        if isinstance(protocol, Websocket):
            scope[WRITE] = protocol.write
        elif isinstance(protocol, Request):
            scope[ROOM] = protocol.room
        return super().create_application(protocol, scope)


def _writers() -> list[Any]:
    return reactor.getWriters()  # type: ignore[misc]  # Twisted's interfaces have no self


def run(application: ASGI3Application, listener: socket.socket, on_start: Start) -> None:
    """Serves until the function that `on_start` gets is called; frames of over 1 MiB close their socket."""
    WebSocketFactory.protocol = Websocket
    http_protocol.WebRequest = Request
    server = ScopedServer(
        application,
        endpoints=[f"fd:fileno={listener.detach()}"],
        signal_handlers=False,  # Daphne's own would cut every turn short
        http_timeout=None,
        ping_interval=PING_EVERY,
        ping_timeout=PING_TIMEOUT,
        server_name=SERVER_NAME,
    )
    reactor.callLater(0.0, on_start, stop)  # type: ignore[arg-type]  # once the loop runs
    server.run()


def stop() -> None:
    """Lets Daphne close its connections and return, from any thread."""

    def stop_once() -> None:
        if reactor.running:  # it is not when a second signal came as it stopped
            reactor.stop()  # type: ignore[misc]  # Twisted's interfaces have no self

    reactor.callFromThread(stop_once)
