"""The rows of a site: their columns and constraints, the tree of turns, and sums of usage.

conversation.py, round.py, record.py, approval.py and attachment.py are a conversation's rows, tree.py the order of its turns, fields.py
the columns that they share. catalogue.py, prices.py, usage.py and titling.py are about models and what they cost; definition.py has the
tools of MCP servers, prompt.py what users keep, api.py the tokens and runs of programs.

passage.py is the search index, made from texts.py and words.py, searched by search.py and rebuilt by reindexing.py. marks.py says what a
list shows of a conversation, retention.py deletes conversations.
"""

from . import marks, prices, reindexing, retention, search
from .api import SCOPES, ApiToken, PublicRun
from .approval import Allowance, Approval
from .attachment import COPIES, Attachment, delete_unsent, unsent
from .catalogue import FACTS, PRICE_COLUMNS, Model, forget_rows, learn
from .conversation import Conversation, ConversationQuerySet, ListPosition, Notice, RoundFigures, Turn
from .definition import ToolDefinition
from .fields import MODEL_SETTINGS, TOKENS, JSONText, ModelSettings, uuid_value
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
    "MODEL_SETTINGS",
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
    "JSONText",
    "ListPosition",
    "Message",
    "Model",
    "ModelSettings",
    "Notice",
    "Passage",
    "Preset",
    "Prompt",
    "PublicRun",
    "Recording",
    "RequestBase",
    "Round",
    "RoundFigures",
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
