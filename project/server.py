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

logger = logging.getLogger(__name__)

DRAIN_SECONDS = 30.0
LAST_FRAMES_SECONDS = 2.0  # for the sockets to be sent what the turns ended with
BACKLOG = 1024
SERVERS = ("daphne", "uvicorn")
SERVER_NAME = "turntable"
PING_EVERY, PING_PATIENCE = 20.0, 30.0
FRAME_LIMIT = 1024 * 1024
REASONS = {
    errno.EADDRINUSE: "something else is using it; choose another with --port",
    errno.EACCES: "this account may not use it; choose one above 1023 with --port",
    errno.EADDRNOTAVAIL: "this machine has no such address; choose another with --host",
}

Start = Callable[[Callable[[], None]], None]
"""Called on the loop once a server answers, with the function that stops it from any thread."""

Run = Callable[[ASGI3Application, socket.socket, Start], None]


def new_loop() -> asyncio.AbstractEventLoop:
    """A loop of uvloop where it is installed, else one of asyncio."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


WRITE = "turntable.write"
"""In a websocket's scope: sends a text (UTF-8) at once, or returns False where the ASGI `send` has to wait for the connection."""


def text_frame(payload: bytes) -> bytes:
    """A text as one websocket frame of a server (RFC 6455, 5.2), without the detours of the servers' libraries."""
    length = len(payload)
    if length < 126:
        return bytes((0x81, length)) + payload
    if length < 1 << 16:
        return b"\x81\x7e" + length.to_bytes(2, "big") + payload
    return b"\x81\x7f" + length.to_bytes(8, "big") + payload


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


def installed(server: str) -> Run:
    """The function that runs this web server; ConfigurationError where it is not installed."""
    try:
        if server == "uvicorn":
            from project.uvicorn_server import run
        else:
            from project.daphne_server import run
    except ImportError as error:
        raise ConfigurationError(
            f"{server} is not installed: `python -m pip install -r requirements-{server}.txt` installs it."
        ) from error
    return run


def serve(
    listener: socket.socket, on_ready: Callable[[], None], *, server: str = "daphne", turns: bool = True
) -> None:
    """Serve the site until SIGTERM or SIGINT; `on_ready` is called once requests are being answered.

    Without `turns`, turns are accepted and left to other processes.
    """
    from conversations import engine
    from project.asgi import application

    def start(stop: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        stopping = Stopping(loop, stop)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopping.ask)
        engine.WORKER.serve(loop, takes_turns=turns)
        on_ready()
        gc.freeze()  # what is here now stays: no collection need walk through it again

    installed(server)(application, listener, start)


def work(turns: int, on_ready: Callable[[], None]) -> None:
    """Run turns, at most so many at once, and no web server, until SIGTERM or SIGINT."""
    from conversations import engine

    loop = new_loop()
    asyncio.set_event_loop(loop)
    stopping = Stopping(loop, partial(loop.call_soon_threadsafe, loop.stop))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.ask)
    engine.WORKER.capacity = turns
    engine.WORKER.serve(loop)
    loop.call_soon(on_ready)
    loop.run_forever()


class Stopping:
    """What happens on a signal: the first drains the turns, closes the sockets and stops the server, a second stops it at once."""

    def __init__(self, loop: asyncio.AbstractEventLoop, stop: Callable[[], object]) -> None:
        self._loop, self._stop = loop, stop
        self._asked = False

    def ask(self) -> None:
        """Take note of a signal, on the loop."""
        if self._asked:
            self._stop()
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
            self._stop()
