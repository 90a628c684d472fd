"""The pages: the list of conversations, a conversation, its branches, playback, rerun, export and end, and the user's settings."""

from .again import again, compare
from .deleting import delete
from .exporting import export
from .pages import conversation, create, index
from .preferences import preferences, prompt, revoke
from .replay import ends, outline, replay, turn
from .tree import tree

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
    "preferences",
    "prompt",
    "replay",
    "revoke",
    "tree",
    "turn",
]
