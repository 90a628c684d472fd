"""Tools that a model may call: `@tool` declares one, `ToolError` is a failure meant for the model.

registry.py keeps them; arguments.py and schema.py are about what a model sends, results.py about what it gets, context.py about what a
tool may know. execution.py runs a function in one of the slots of slots.py, remote.py calls a tool of a server. top_song.py is the
product's own.
"""

from conversations.tools import registry, results
from conversations.tools.arguments import Arguments, InvalidInput
from conversations.tools.context import Context
from conversations.tools.execution import Outcome, execute, idempotency_key
from conversations.tools.registry import Tool, ToolError, tool
from conversations.tools.remote import (
    Question,
    RemoteCall,
    RemoteCaller,
    RemoteContext,
    RemoteError,
    RemoteTool,
    Reply,
)
from conversations.tools.results import Content, Image
from conversations.tools.schema import tidy
from conversations.tools.top_song import top_song

__all__ = [
    "Arguments",
    "Content",
    "Context",
    "Image",
    "InvalidInput",
    "Outcome",
    "Question",
    "RemoteCall",
    "RemoteCaller",
    "RemoteContext",
    "RemoteError",
    "RemoteTool",
    "Reply",
    "Tool",
    "ToolError",
    "execute",
    "idempotency_key",
    "registry",
    "results",
    "tidy",
    "tool",
    "top_song",
]
