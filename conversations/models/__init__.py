"""Everything that is kept, as rows: conversations, turns, rounds, messages, tool calls, approvals, events, recordings, totals, prompts."""

from . import prices, retention
from .approval import Allowance, Approval
from .conversation import Conversation, Notice, Turn
from .fields import JSONText
from .prompt import Prompt
from .record import Event, Recording
from .round import Message, RequestBase, Round, ToolCall
from .tree import Tree, active_line, line, line_of
from .usage import Totals, UsageTotal, totals

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
    "Totals",
    "Tree",
    "Turn",
    "UsageTotal",
    "active_line",
    "line",
    "line_of",
    "prices",
    "retention",
    "totals",
]
