"""The pages: the list of conversations, a conversation, its playback, its rerun, its export and its end."""

from .again import again, compare
from .deleting import delete
from .exporting import export
from .pages import conversation, create, index
from .replay import ends, outline, replay, turn

__all__ = [
    "again",
    "compare",
    "conversation",
    "create",
    "delete",
    "ends",
    "export",
    "index",
    "outline",
    "replay",
    "turn",
]
