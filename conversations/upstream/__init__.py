"""A server that speaks OpenAI's chat completions, behind a gateway that speaks Converse.

The mapping in both directions is pure; only client.py uses the network. With it the demo gateway sends what Kong sends: frames of
ConverseStream, and refusals in Bedrock's words.

answer.py sends a request and yields the answer. request.py, messages.py and documents.py make the request, dialect.py adapts it to the
server. server_sent.py and translation.py read the response, with blocks.py, calls.py and thoughts.py; refusals.py is for failures.
"""

from conversations.upstream.answer import Answer
from conversations.upstream.client import Upstream
from conversations.upstream.refusals import Refused, StreamFailure
from conversations.upstream.request import chat_request
from conversations.upstream.server_sent import DONE, ServerSentEvents
from conversations.upstream.translation import Translation

__all__ = [
    "DONE",
    "Answer",
    "Refused",
    "ServerSentEvents",
    "StreamFailure",
    "Translation",
    "Upstream",
    "chat_request",
]
