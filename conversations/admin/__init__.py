"""The record for the operator. Approvals, changed tools and the catalogue can be edited."""

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
