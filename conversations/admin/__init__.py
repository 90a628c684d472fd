"""The record for the operator, read-only but for a few actions and the catalogue of models.

turns.py, rounds.py, calls.py, approvals.py, allowances.py, attachments.py, catalogue.py, definitions.py and tokens.py have the pages of
one kind of row or two. pages.py and lists.py are their base, markup.py draws values. waterfall.py, usage.py, figures.py and requests.py
are parts of pages; searching.py searches lists, exporting.py writes them to files.
"""

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
