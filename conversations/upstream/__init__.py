"""A server that speaks OpenAI's chat completions, behind a gateway that speaks Converse.

The mapping in both directions is pure; client.py alone knows a network. What the demo gateway sends is then what Kong sends: frames of
ConverseStream, and refusals in Bedrock's words.

request.py, messages.py and documents.py go there, by dialect.py where servers differ. server_sent.py and translation.py come back:
blocks.py, calls.py, thoughts.py and usage.py are parts of that, whole.py an answer without a stream, refusals.py what fails. answer.py is
the way there and back.
"""

from conversations.upstream.answer import Answer
from conversations.upstream.blocks import Event
from conversations.upstream.client import Upstream
from conversations.upstream.refusals import Refused, StreamFailure
from conversations.upstream.request import chat_request
from conversations.upstream.server_sent import DONE, ServerSentEvents
from conversations.upstream.translation import Translation

__all__ = [
    "DONE",
    "Answer",
    "Event",
    "Refused",
    "ServerSentEvents",
    "StreamFailure",
    "Translation",
    "Upstream",
    "chat_request",
]
