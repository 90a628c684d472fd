"""Daphne, on uvloop where it is installed. It is an app too: its `runserver` takes the place of Django's."""

import socket

from asgiref.typing import ASGI3Application
from twisted.internet import asyncioreactor

from project.server import PING_EVERY, PING_PATIENCE, SERVER_NAME, Start, new_loop, text_frame

# Before Daphne is imported: it keeps a reactor that is there already.
asyncioreactor.install(new_loop())  # type: ignore[no-untyped-call]

from daphne.apps import DaphneConfig  # noqa: E402
from daphne.server import Server  # noqa: E402
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol  # noqa: E402
from twisted.internet import reactor  # noqa: E402


class DaphneApp(DaphneConfig):  # type: ignore[misc]  # ships no types
    """Daphne's app."""


class Websocket(WebSocketProtocol):  # type: ignore[misc]  # ships no types
    """Daphne's protocol, with a shorter way for text.

    It also sends the codes that RFC 6455 names, such as 1012 for a restart: Autobahn keeps them to itself.
    """

    def serverSend(self, content: str | bytes, binary: bool = False) -> None:  # noqa: N802
        """Sends a text as one frame (RFC 6455, 5.2): Autobahn takes longer for each than all that comes before it."""
        if binary or self.state != self.STATE_OPEN:
            super().serverSend(content, binary)
        else:
            self._write(text_frame(content.encode() if isinstance(content, str) else content))

    def _write(self, frame: bytes) -> None:
        """Writes at once what the connection takes: Twisted would first have the loop watch for it."""
        transport = self.transport
        if transport.connected and transport not in reactor.getWriters():  # type: ignore[misc]  # as above
            taken = transport.writeSomeData(frame)
            frame = frame[taken:] if isinstance(taken, int) else b""  # a lost connection ends by itself
        if frame:
            transport.write(frame)

    def serverClose(self, code: int | None = None) -> None:  # noqa: N802 (Daphne's name)
        """Closes with the code."""
        if self.state == self.STATE_OPEN:
            self.sendCloseFrame(code=1000 if code is None else code, isReply=False)


def run(application: ASGI3Application, listener: socket.socket, on_start: Start) -> None:
    """Serve until the function that `on_start` is called with stops it; frames of over 1 MiB close their socket."""
    WebSocketFactory.protocol = Websocket
    server = Server(
        application,
        endpoints=[f"fd:fileno={listener.detach()}"],
        signal_handlers=False,  # Daphne's own would cut every turn short
        http_timeout=None,
        ping_interval=PING_EVERY,
        ping_timeout=PING_PATIENCE,
        server_name=SERVER_NAME,
    )
    reactor.callLater(0.0, on_start, stop)  # type: ignore[arg-type]  # once the loop runs
    server.run()


def stop() -> None:
    """Let Daphne close its connections and return, from any thread."""

    def stop_once() -> None:
        if reactor.running:  # it is not when a second signal came as it stopped
            reactor.stop()  # type: ignore[misc]  # Twisted's interfaces have no self

    reactor.callFromThread(stop_once)
