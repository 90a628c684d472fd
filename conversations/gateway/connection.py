"""Connections that another thread may cut, at any moment from the first packet on."""

import socket
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import suppress
from contextvars import ContextVar
from threading import Lock, Thread
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

Addresses = list[tuple[Any, ...]]


class Line:
    """The connection that one call is on.

    It holds a descriptor of its own: the socket that urllib3 has is replaced by TLS, closed and reused as it
    sees fit, and closing it from another thread would neither wake its reader nor be safe.
    """

    def __init__(self, patience: float) -> None:
        self.patience = patience
        """Seconds without a byte, once connected."""
        self.is_cut = False
        self._lock = Lock()
        self._socket: socket.socket | None = None
        self._reader: socket.socket | None = None
        self._look_up: Future[Addresses] | None = None

    def look_up(self, host: str, port: int | None, patience: float | None) -> Addresses:
        """The host's addresses; raises OSError if there is none in time, ConnectionAbortedError if the line is cut.

        The resolver heeds neither: it is asked in a thread that is left to itself then.
        """
        with self._lock:
            self.check()
            asked = self._look_up = Future()
        Thread(target=_resolve, args=(asked, host, port), name="look-up", daemon=True).start()
        try:
            return asked.result(patience)
        except CancelledError:
            raise ConnectionAbortedError("interrupted") from None
        except TimeoutError:
            raise OSError("the host name could not be looked up in time") from None

    def hold(self, sock: socket.socket) -> None:
        """Be on this socket from now on; raises ConnectionAbortedError if the line is cut."""
        with self._lock:
            self._let_go()
            self.check()
            self._socket = socket.fromfd(sock.fileno(), sock.family, sock.type)

    def read_from(self, sock: socket.socket | None) -> None:
        """The request is sent, its answer will be read from this socket."""
        with self._lock:
            self._reader = sock

    def hurry(self, patience: float) -> None:
        """Wait no longer than this many seconds between two bytes from now on."""
        with self._lock:
            if self._reader:
                self._reader.settimeout(min(patience, self.patience))

    def check(self) -> None:
        """Raises ConnectionAbortedError if the line is cut."""
        if self.is_cut:
            raise ConnectionAbortedError("interrupted")

    def cut(self) -> None:
        """End all reading, writing and connecting on this line, from any thread and for good."""
        with self._lock:
            self.is_cut = True
            if self._look_up:
                self._look_up.cancel()
            if self._socket:
                with suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)

    def release(self) -> None:
        """Let go of the socket, which may then serve another call."""
        with self._lock:
            self._let_go()

    def _let_go(self) -> None:
        self._reader = None
        if self._socket:
            self._socket.close()
            self._socket = None


LINE: ContextVar[Line] = ContextVar("line")
"""The line of the call that the current context makes."""


class _Connection(HTTPConnection):
    """Puts the current call's line on itself: before it connects, and before it is used again."""

    line: Line

    def _new_conn(self) -> socket.socket:
        try:
            return _dial(LINE.get(), self)
        except OSError as error:
            raise NewConnectionError(self, error.strerror or str(error)) from error

    def request(self, *args: Any, **options: Any) -> None:
        self.line = LINE.get()
        if self.sock:
            self.line.hold(self.sock)
        super().request(*args, **options)
        self.line.read_from(self.sock)


class _SecureConnection(_Connection, HTTPSConnection):
    pass


def _resolve(asked: "Future[Addresses]", host: str, port: int | None) -> None:
    with suppress(InvalidStateError):  # it was given up
        try:
            asked.set_result(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            asked.set_exception(error)


def _dial(line: Line, connection: HTTPConnection) -> socket.socket:
    """As `urllib3.util.connection.create_connection`, with the line held before each attempt to connect."""
    failure = OSError("the host name has no address")
    found = line.look_up(connection._dns_host, connection.port, connection.timeout)
    for family, kind, protocol, _, address in found:
        sock = socket.socket(family, kind, protocol)
        try:
            line.hold(sock)
            _connect(sock, address, connection)
            line.check()
            # The rest, a large request's upload too, may be as slow as an answer may.
            sock.settimeout(line.patience)
            return sock
        except OSError as error:
            sock.close()
            failure = error
    raise failure


def _connect(sock: socket.socket, address: Any, connection: HTTPConnection) -> None:
    for option in connection.socket_options or ():
        sock.setsockopt(*option)
    sock.settimeout(connection.timeout)
    sock.connect(address)


class _Pool(HTTPConnectionPool):
    """Takes the line off a connection before another call may have it, whom a late interrupt would hit."""

    ConnectionCls = _Connection

    def _put_conn(self, conn: Any) -> None:
        if conn and hasattr(conn, "line"):
            conn.line.release()
        super()._put_conn(conn)


class _SecurePool(_Pool, HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


def use_lines(client: Any) -> None:
    """Make this client's connections ours; a private path into botocore, which a test watches."""
    session = client._endpoint.http_session
    session._manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
