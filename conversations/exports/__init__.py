"""A conversation as a file: whole as JSON, which can be imported again; for reading as Markdown; its record as AG-UI JSON Lines."""

from .agui import as_lines
from .importing import Damaged, import_document
from .markdown import as_markdown
from .whole import as_json, document

__all__ = ["Damaged", "as_json", "as_lines", "as_markdown", "document", "import_document"]
