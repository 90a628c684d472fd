"""Everything that is kept, as rows: conversations, turns, rounds, messages, tool calls, approvals, events, recordings, totals, prompts."""

from .approval import Allowance, Approval
from .conversation import Conversation, Notice, Turn
from .fields import JSONText
from .prompt import Prompt
from .record import Event, Recording
from .round import Message, RequestBase, Round, ToolCall
from .tree import Tree
from .usage import UsageTotal

__all__ = [
    "Allowance",
    "Approval",
    "Conversation",
    "Event",
    "JSONText",
    "Message",
    "Notice",
    "Prompt",
    "Recording",
    "RequestBase",
    "Round",
    "ToolCall",
    "Tree",
    "Turn",
    "UsageTotal",
]
