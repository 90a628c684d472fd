"""The web server: Daphne on a socket of ours, stopped without losing a turn."""

import asyncio
import errno
import logging
import signal
import socket
import threading
from collections.abc import Callable

from conversations.errors import ConfigurationError

logger = logging.getLogger(__name__)

DRAIN_SECONDS = 30.0
LAST_FRAMES_SECONDS = 2.0  # for the sockets to be sent what the turns ended with
BACKLOG = 1024
REASONS = {
    errno.EADDRINUSE: "something else is using it; choose another with --port",
    errno.EACCES: "this account may not use it; choose one above 1023 with --port",
    errno.EADDRNOTAVAIL: "this machine has no such address; choose another with --host",
}


def listen(host: str, port: int) -> socket.socket:
    """A socket that is listening (port 0: any free one); ConfigurationError says why there is none."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host.strip("[]"), port), family=family, backlog=BACKLOG)
    except (OSError, OverflowError) as error:
        reason = REASONS.get(getattr(error, "errno", None) or 0, str(error))
        raise ConfigurationError(f"Cannot serve at {host} port {port}: {reason}.") from error
    listener.setblocking(False)
    return listener


def address(listener: socket.socket) -> str:
    """Where a browser on this machine finds it, as http://HOST:PORT."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (read, not bound)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(listener: socket.socket, on_ready: Callable[[], None]) -> None:
    """Serve the site until SIGTERM or SIGINT; `on_ready` is called once requests are being answered."""
    from daphne.server import Server
    from daphne.ws_protocol import WebSocketFactory
    from twisted.internet import reactor

    from project.asgi import application
    from project.closing import AnyCloseCode

    WebSocketFactory.protocol = AnyCloseCode
    server = Server(
        application,
        endpoints=[f"fd:fileno={listener.detach()}"],
        signal_handlers=False,  # Daphne's own would cut every turn short
        http_timeout=None,
        ping_interval=20,
        ping_timeout=30,
        server_name="turntable",
    )
    reactor.callLater(0.0, _start, on_ready)  # type: ignore[arg-type]  # once the loop runs
    server.run()


def _start(on_ready: Callable[[], None]) -> None:
    from conversations import engine

    loop = asyncio.get_running_loop()
    stopping = Stopping(loop)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.ask)
    engine.WORKER.serve(loop)
    on_ready()


class Stopping:
    """What happens on a signal: the first drains the turns, closes the sockets and stops the server, a second stops it at once."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._asked = False

    def ask(self) -> None:
        """Take note of a signal, on the loop."""
        if self._asked:
            stop_reactor()
            return
        self._asked = True
        logger.info("Stopping once the running turns have ended, in %d s at most", DRAIN_SECONDS)
        threading.Thread(target=self._drain, name="drain", daemon=True).start()

    def _drain(self) -> None:
        from conversations import engine
        from conversations.sockets import SOCKETS

        try:
            engine.WORKER.drain(timeout=DRAIN_SECONDS)
            asyncio.run_coroutine_threadsafe(SOCKETS.finish(LAST_FRAMES_SECONDS), self._loop).result()
        except Exception:
            logger.exception("The running turns could not be drained")
        finally:
            stop_reactor()


def stop_reactor() -> None:
    """Let Daphne close its connections and return, from any thread."""
    from twisted.internet import reactor

    def stop() -> None:
        if reactor.running:  # it is not when a second signal came as it stopped
            reactor.stop()  # type: ignore[misc]  # Twisted's interfaces have no self

    reactor.callFromThread(stop)
