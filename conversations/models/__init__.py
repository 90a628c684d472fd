"""The rows of a site: their columns and constraints, the tree of turns, and sums of usage.

conversation.py, round.py, record.py, approval.py and attachment.py are a conversation's rows, tree.py the order of its turns, fields.py
the columns that they share. catalogue.py, prices.py, usage.py and titling.py are about models and what they cost; definition.py about
servers' tools; prompt.py and api.py about what users keep and programs come with.

passage.py is the search index, made from texts.py and words.py, looked up by search.py and made anew by reindexing.py. marks.py says
what a list shows, retention.py lets rows go.
"""

from . import marks, prices, reindexing, retention, search
from .api import SCOPES, ApiToken, PublicRun
from .approval import Allowance, Approval
from .attachment import COPIES, Attachment, delete_unsent, unsent
from .catalogue import FACTS, PRICE_COLUMNS, Model, forget_rows, learn
from .conversation import Conversation, ConversationQuerySet, Figures, Notice, Place, Turn
from .definition import ToolDefinition
from .fields import IN_FORCE, TOKENS, InForce, JSONText, uuid_value
from .passage import Passage
from .prompt import Preset, Prompt
from .record import Event, Recording
from .round import Message, RequestBase, Round, ToolCall
from .titling import Titling
from .tree import Tree, active_line, line, line_of
from .usage import Totals, UsageTotal, title_usage, totals

__all__ = [
    "COPIES",
    "FACTS",
    "IN_FORCE",
    "PRICE_COLUMNS",
    "SCOPES",
    "TOKENS",
    "Allowance",
    "ApiToken",
    "Approval",
    "Attachment",
    "Conversation",
    "ConversationQuerySet",
    "Event",
    "Figures",
    "InForce",
    "JSONText",
    "Message",
    "Model",
    "Notice",
    "Passage",
    "Place",
    "Preset",
    "Prompt",
    "PublicRun",
    "Recording",
    "RequestBase",
    "Round",
    "Titling",
    "ToolCall",
    "ToolDefinition",
    "Totals",
    "Tree",
    "Turn",
    "UsageTotal",
    "active_line",
    "delete_unsent",
    "forget_rows",
    "learn",
    "line",
    "line_of",
    "marks",
    "prices",
    "reindexing",
    "retention",
    "search",
    "title_usage",
    "totals",
    "unsent",
    "uuid_value",
]
