"""The record for the operator, read-only, but for approvals, changed tools, and the catalogue of models."""

from .allowances import AllowanceAdmin
from .approvals import ApprovalAdmin
from .attachments import AttachmentAdmin
from .calls import ToolCallAdmin
from .catalogue import CatalogueAdmin
from .definitions import ToolDefinitionAdmin
from .rounds import MessageAdmin, RoundAdmin
from .tokens import ApiTokenAdmin
from .turns import ConversationAdmin, TurnAdmin, UsageTotalAdmin

__all__ = [
    "AllowanceAdmin",
    "ApiTokenAdmin",
    "ApprovalAdmin",
    "AttachmentAdmin",
    "CatalogueAdmin",
    "ConversationAdmin",
    "MessageAdmin",
    "RoundAdmin",
    "ToolCallAdmin",
    "ToolDefinitionAdmin",
    "TurnAdmin",
    "UsageTotalAdmin",
]
