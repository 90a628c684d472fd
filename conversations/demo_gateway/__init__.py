"""The embedded demo gateway: a stand-in for a gateway before Bedrock, with real HTTP and frames.

It is no model. It answers from the request alone, calls the tools that a request offers, shows every kind of stream
and every failure when told to (`phrases.py`), and refuses what Bedrock refuses (`refusals.py`).
"""

import errno

from conversations.demo_gateway.phrases import help_text
from conversations.demo_gateway.refusals import refusal
from conversations.demo_gateway.server import DemoGateway
from conversations.errors import ConfigurationError

__all__ = ["DemoGateway", "help_text", "refusal", "start"]


def start(port: int = 0, pace: float = 1.0) -> DemoGateway:
    """Starts a gateway on 127.0.0.1, on a free port by default; pace 0 sends all at once, 2 half as fast.

    Raises ConfigurationError if it cannot listen there.
    """
    try:
        return DemoGateway(port, pace)
    except (OSError, OverflowError) as error:
        is_used = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        reason = "is already in use" if is_used else f"cannot be listened on ({error})"
        raise ConfigurationError(f"Port {port} of 127.0.0.1 {reason}.") from error
