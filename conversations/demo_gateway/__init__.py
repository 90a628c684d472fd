"""The embedded demo gateway: a stand-in for a gateway in front of Bedrock, with real HTTP and real frames.

It is no model. It answers from the request alone, calls the tools that a request offers, shows every kind of stream
and every failure when told to (`phrases.py`), and refuses what Bedrock refuses (`refusals.py`).
"""

import errno
import threading

from conversations.demo_gateway.phrases import help_text
from conversations.demo_gateway.refusals import refusal
from conversations.demo_gateway.server import Server
from conversations.errors import ConfigurationError

__all__ = ["DemoGateway", "help_text", "refusal", "start"]


class DemoGateway:
    """A running demo gateway."""

    def __init__(self, server: Server) -> None:
        self._server = server
        host, self.port = server.server_address[:2]
        self.url = f"http://[{host!s}]:{self.port}" if ":" in str(host) else f"http://{host!s}:{self.port}"
        threading.Thread(target=server.serve_forever, args=(0.1,), name="demo-gateway", daemon=True).start()

    @property
    def connections(self) -> int:
        """How many callers are connected: one that hangs up is gone at once, in the middle of its answer too."""
        return self._server.connections

    def close(self) -> None:
        """Stops listening and hangs up on every caller."""
        self._server.close()


def start(host: str = "127.0.0.1", port: int = 0, pace: float = 1.0) -> DemoGateway:
    """Starts a gateway on daemon threads, on a free port by default; pace 0 sends all at once, 2 half as fast.

    Raises ConfigurationError if it cannot listen there.
    """
    try:
        return DemoGateway(Server((host, port), pace))
    except (OSError, OverflowError) as error:
        used = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        reason = "is already in use" if used else f"cannot be listened on ({error})"
        raise ConfigurationError(f"Port {port} of {host} {reason}.") from error
