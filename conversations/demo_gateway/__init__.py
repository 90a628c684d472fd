"""The embedded demo gateway: a stand-in for a gateway before Bedrock, with real HTTP and frames.

By itself it is no model. It answers from the request alone, calls the tools that a request offers, shows every kind of stream and every
failure by phrases (phrases.py, shows.py, failures.py), and refuses what Bedrock refuses (refusals.py, shapes.py). With an upstream, a
server of chat completions, it asks that instead.

server.py speaks HTTP. conversation.py reads a request, phrases.py decides on a reply: one that a phrase names, or an ordinary one
(ordinary.py, with arguments.py). reply.py is the reply, texts.py what it says, cache.py its prompt cache, streams.py makes bytes of it.
"""

import errno

from conversations.conf import settings
from conversations.demo_gateway.phrases import help_text
from conversations.demo_gateway.refusals import refusal
from conversations.demo_gateway.server import DemoGateway
from conversations.errors import ConfigurationError
from conversations.upstream import Upstream

__all__ = ["DemoGateway", "Upstream", "embedded", "help_text", "refusal", "start"]


def start(port: int = 0, pace: float = 1.0, upstream: Upstream | None = None) -> DemoGateway:
    """Starts a gateway on 127.0.0.1, on a free port by default; pace 0 sends all at once, 2 half as fast.

    Raises ConfigurationError if it cannot listen there.
    """
    try:
        return DemoGateway(port, pace, upstream)
    except (OSError, OverflowError) as error:
        is_used = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        reason = "is already in use" if is_used else f"cannot be listened on ({error})"
        raise ConfigurationError(f"Port {port} of 127.0.0.1 {reason}.") from error


def embedded(port: int = 0, url: str = "", model: str = "") -> DemoGateway:
    """Starts the gateway of Django's settings, with their upstream or the one that is named.

    Raises ConfigurationError.
    """
    url, model = url or settings.UPSTREAM_URL or "", model or settings.UPSTREAM_MODEL
    return start(port, upstream=Upstream(url, settings.UPSTREAM_API_KEY, model) if url else None)
