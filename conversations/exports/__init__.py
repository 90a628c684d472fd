"""Exports of a conversation: JSON, which can be imported again, Markdown, and AG-UI JSON Lines."""

from .agui import as_lines
from .copying import copied
from .importing import Damaged, import_document
from .markdown import as_markdown
from .whole import as_json, document

__all__ = ["Damaged", "as_json", "as_lines", "as_markdown", "copied", "document", "import_document"]
