"""The record for the operator: everything to be seen, nothing to be changed."""

from .rounds import MessageAdmin, RoundAdmin, ToolCallAdmin
from .turns import ConversationAdmin, TurnAdmin

__all__ = ["ConversationAdmin", "MessageAdmin", "RoundAdmin", "ToolCallAdmin", "TurnAdmin"]
