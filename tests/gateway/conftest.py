"""A gateway client and a server that it talks to, made once; each test writes its own script."""

import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.gateway.calls import KINDS, LOOPS, Wire, loop_thread, talking


@pytest.fixture(params=LOOPS)
def each_loop(request: pytest.FixtureRequest) -> Iterator[None]:
    """Once on asyncio's own loop, once on uvloop."""
    loop_thread(request.param)
    KINDS.append(request.param)
    yield
    KINDS.pop()


@pytest.fixture(scope="session")
def standing_wire() -> Iterator[Wire]:
    with talking() as wire:
        yield wire


@pytest.fixture
def wire(standing_wire: Wire) -> Wire:
    """The standing server with an empty script, and no connection that it may just be closing."""
    standing_wire.gateway.close()
    standing_wire.server.play()
    return standing_wire


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port whose queue of connections is full, so that an attempt to connect hears nothing."""
    with ExitStack() as open_sockets:
        listener = open_sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            filler = open_sockets.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@pytest.fixture
def deaf_resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A resolver that never answers; set once it is asked."""
    lookup, over = threading.Event(), threading.Event()

    def look_up(*_: object, **__: object) -> list[Any]:
        lookup.set()
        over.wait()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    yield lookup
    over.set()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1 that nobody signed but itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "gateway")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    now, hour = dt.datetime.now(dt.UTC), dt.timedelta(hours=1)
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now - hour, now + hour
    )
    signed = builder.add_extension(address, critical=False).sign(key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path_factory.mktemp("tls") / "gateway.pem"
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    """What a server with that certificate speaks."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def trusted(tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """The same, trusted by this site."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    return tls
