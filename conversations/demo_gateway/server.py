"""The demo gateway's listening side: a thread for each connection, all of which close with it."""

import contextlib
import hashlib
import logging
import socket
import threading
from http.server import ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

from conversations.demo_gateway.cache import PromptCache
from conversations.demo_gateway.exchange import Exchange
from conversations.upstream import Upstream

logger = logging.getLogger(__name__)


class DemoGateway(ThreadingHTTPServer):
    """A running demo gateway: its pace, open connections, cache, and requests that failed once.

    With an upstream it answers nothing itself, but hands on what it is asked.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int, pace: float, upstream: Upstream | None) -> None:
        self.pace, self.upstream = pace, upstream
        self.cache = PromptCache()
        self.closing = threading.Event()
        self._connections: set[socket.socket] = set()
        self._tried: set[bytes] = set()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", port), Exchange)
        self.port = self.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.serve_forever, args=(0.1,), name="demo-gateway", daemon=True).start()

    def server_bind(self) -> None:
        """Binds without the reverse name look-up of the standard library's server, which can take seconds."""
        TCPServer.server_bind(self)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Notes the connection, so that close() reaches it."""
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forgets the connection."""
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    @property
    def connections(self) -> int:
        """How many callers are connected: one that hangs up is gone at once, in the middle of its answer too."""
        with self._lock:
            return len(self._connections)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hangs up is nothing to print a traceback about."""
        logger.debug("demo gateway: a connection broke")

    def tried(self, body: bytes) -> bool:
        """Whether this body was here before: every second time."""
        digest = hashlib.sha256(body).digest()
        with self._lock:
            known = digest in self._tried
            (self._tried.discard if known else self._tried.add)(digest)
        return known

    def close(self) -> None:
        """Stops listening and hangs up on every caller."""
        self.closing.set()
        self.shutdown()
        self.server_close()
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
