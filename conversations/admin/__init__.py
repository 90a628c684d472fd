"""The record for the operator. Approvals, changed tools and the catalogue can be edited.

turns.py, rounds.py, calls.py, approvals.py, allowances.py, attachments.py, catalogue.py, definitions.py and tokens.py have a page a
kind of row. pages.py and lists.py are what they share, markup.py draws values. waterfall.py, usage.py, figures.py and requests.py are
parts of pages; searching.py and exporting.py are about lists.
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
