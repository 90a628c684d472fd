"""Everything that is kept, as rows: conversations, turns, rounds, messages, tool calls, events, recordings and totals."""

from .conversation import Conversation, Turn
from .fields import JSONText
from .record import Event, Recording
from .round import Message, RequestBase, Round, ToolCall
from .usage import UsageTotal

__all__ = [
    "Conversation",
    "Event",
    "JSONText",
    "Message",
    "Recording",
    "RequestBase",
    "Round",
    "ToolCall",
    "Turn",
    "UsageTotal",
]
