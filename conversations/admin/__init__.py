"""The record for the operator: everything to be seen, nothing to be changed. What waits for a decision can be decided."""

from django.contrib import admin

from .allowances import AllowanceAdmin
from .approvals import ApprovalAdmin
from .calls import ToolCallAdmin
from .rounds import MessageAdmin, RoundAdmin
from .turns import ConversationAdmin, TurnAdmin, UsageTotalAdmin

admin.site.site_header = admin.site.site_title = "Turntable"
admin.site.index_title = "The record"

__all__ = [
    "AllowanceAdmin",
    "ApprovalAdmin",
    "ConversationAdmin",
    "MessageAdmin",
    "RoundAdmin",
    "ToolCallAdmin",
    "TurnAdmin",
    "UsageTotalAdmin",
]
