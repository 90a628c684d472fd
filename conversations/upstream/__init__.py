"""A server that speaks OpenAI's chat completions, behind a gateway that speaks Converse.

The mapping in both directions is pure; `client` alone knows a network. What the demo gateway sends is then what Kong sends: frames of
ConverseStream, and refusals in Bedrock's words.
"""

from conversations.upstream.blocks import Event
from conversations.upstream.client import Call, Upstream
from conversations.upstream.refusals import Refused, StreamFailure
from conversations.upstream.request import chat_request
from conversations.upstream.server_sent import DONE, ServerSentEvents
from conversations.upstream.translation import Translation
from conversations.upstream.whole import converse_answer

__all__ = [
    "DONE",
    "Call",
    "Event",
    "Refused",
    "ServerSentEvents",
    "StreamFailure",
    "Translation",
    "Upstream",
    "chat_request",
    "converse_answer",
]
