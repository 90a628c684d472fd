"""Tools that a model may call: `@tool` declares one, `ToolError` is a failure meant for the model."""

from conversations.tools import registry
from conversations.tools.arguments import InvalidInput
from conversations.tools.context import Context
from conversations.tools.execution import Outcome, execute, idempotency_key
from conversations.tools.registry import Tool, ToolError, tool
from conversations.tools.results import Image
from conversations.tools.top_song import top_song

__all__ = [
    "Context",
    "Image",
    "InvalidInput",
    "Outcome",
    "Tool",
    "ToolError",
    "execute",
    "idempotency_key",
    "registry",
    "tool",
    "top_song",
]
