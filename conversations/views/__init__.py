"""The pages: the list of conversations, a conversation, its branches, playback, rerun, export and end, and the user's settings."""

from .again import again, compare
from .deleting import delete
from .exporting import export
from .pages import conversation
from .preferences import preferences, prompt, revoke
from .replay import ends, outline, replay, turn
from .start import create, index, send, unsent_form
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
    "send",
    "tree",
    "turn",
    "unsent_form",
]
