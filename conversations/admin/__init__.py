"""The record for the operator: everything to be seen, nothing to be changed."""

from django.contrib import admin

from .calls import ToolCallAdmin
from .rounds import MessageAdmin, RoundAdmin
from .turns import ConversationAdmin, TurnAdmin, UsageTotalAdmin

admin.site.site_header = admin.site.site_title = "Turntable"
admin.site.index_title = "The record"

__all__ = ["ConversationAdmin", "MessageAdmin", "RoundAdmin", "ToolCallAdmin", "TurnAdmin", "UsageTotalAdmin"]
