"""The web server: Daphne or uvicorn on a socket of ours, stopped without losing a turn."""

import asyncio
import errno
import gc
import logging
import signal
import socket
import threading
from collections.abc import Callable
from functools import partial

from asgiref.typing import ASGI3Application

from conversations.errors import ConfigurationError
from conversations.management.interpreter import python

logger = logging.getLogger(__name__)

DRAIN_SECONDS = 30.0
LAST_FRAMES_SECONDS = 2.0  # in which sockets are sent the ends of their turns
BACKLOG = 1024
SERVERS = ("daphne", "uvicorn")
SERVER_NAME = "turntable"
PING_EVERY, PING_TIMEOUT = 20.0, 30.0
FRAME_LIMIT = 1024 * 1024
REASONS = {
    errno.EADDRINUSE: "something else is using it; choose another with --port",
    errno.EACCES: "this account may not use it; choose one above 1023 with --port",
    errno.EADDRNOTAVAIL: "this machine has no such address; choose another with --host",
}

Start = Callable[[Callable[[], None]], None]
"""Called on a server's loop once it answers, with a function that stops it from any thread."""

RunServer = Callable[[ASGI3Application, socket.socket, Start], None]


def new_loop() -> asyncio.AbstractEventLoop:
    """A new loop, of uvloop where that is installed."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


ROOM = "turntable.room"
"""The scope's key of a function that waits for slow clients; the server's own send does not."""

WRITE = "turntable.write"
"""The scope's key of a function that sends text (UTF-8) at once, or returns False if it has to wait."""


def text_frame(payload: bytes) -> bytes:
    """A text as one websocket frame of a server (RFC 6455, 5.2)."""
    length = len(payload)
    if length < 126:
        return bytes((0x81, length)) + payload
    if length < 1 << 16:
        return b"\x81\x7e" + length.to_bytes(2, "big") + payload
    return b"\x81\x7f" + length.to_bytes(8, "big") + payload


def listen(host: str, port: int) -> socket.socket:
    """A listening socket (port 0: any free one); raises ConfigurationError with the reason."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host.strip("[]"), port), family=family, backlog=BACKLOG)
    except (OSError, OverflowError) as error:
        words = str(getattr(error, "strerror", None) or error).removeprefix("bind(): ").rstrip(".")
        reason = REASONS.get(getattr(error, "errno", None) or 0, words)
        raise ConfigurationError(f"Cannot serve at {host} port {port}: {reason}.") from error
    listener.setblocking(False)
    return listener


def address(listener: socket.socket) -> str:
    """The address for a browser on this machine, as http://HOST:PORT."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (read, not bound)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def runner(server: str) -> RunServer:
    """The function that runs this web server; raises ConfigurationError if it is not installed."""
    try:
        if server == "uvicorn":
            from project.uvicorn_server import run
        else:
            from project.daphne_server import run
    except ImportError as error:
        raise ConfigurationError(
            f"{server} is not installed: `{python()} -m pip install -r requirements-{server}.txt` installs it."
        ) from error
    return run


def serve(
    listener: socket.socket, on_ready: Callable[[], None], *, server: str = "daphne", turns: bool = True
) -> None:
    """Serves the site until SIGTERM or SIGINT; calls `on_ready` once it answers requests.

    Without `turns` it accepts turns and leaves them to other processes.
    """
    from conversations import engine
    from project.asgi import application

    def start(stop: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        shutdown = Shutdown(loop, stop)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, shutdown.signal)
        engine.WORKER.serve(loop, takes_turns=turns)
        on_ready()
        gc.freeze()  # objects of the start stay for good: no collection need walk through them again

    runner(server)(application, listener, start)


def work(turns: int, on_ready: Callable[[], None]) -> None:
    """Runs turns until SIGTERM or SIGINT, at most so many at once, without a web server."""
    from conversations import engine

    loop = new_loop()
    asyncio.set_event_loop(loop)
    shutdown = Shutdown(loop, partial(loop.call_soon_threadsafe, loop.stop))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, shutdown.signal)
    engine.WORKER.capacity = turns
    engine.WORKER.serve(loop)
    loop.call_soon(on_ready)
    loop.run_forever()


class Shutdown:
    """A shutdown. A signal drains turns and sockets, then stops the server; a second stops it at once."""

    def __init__(self, loop: asyncio.AbstractEventLoop, stop: Callable[[], object]) -> None:
        self._loop, self._stop = loop, stop
        self._has_begun = False

    def signal(self) -> None:
        """Takes a signal, on the loop."""
        if self._has_begun:
            self._stop()
            return
        self._has_begun = True
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
            self._stop()
