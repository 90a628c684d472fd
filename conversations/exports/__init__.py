"""Exports of a conversation: JSON, alone or in a zip with its files, Markdown, AG-UI JSON Lines.

The JSON can be imported again. format.py has its members, whole.py and archive.py write it, importing.py checks it and rows.py stores
it; copying.py does both. markdown.py is for reading, agui.py for programs.
"""

from .agui import as_lines
from .archive import import_file, write_zip
from .copying import copy_for
from .importing import DamagedExport, import_document
from .markdown import as_markdown
from .whole import as_json, document

__all__ = [
    "DamagedExport",
    "as_json",
    "as_lines",
    "as_markdown",
    "copy_for",
    "document",
    "import_document",
    "import_file",
    "write_zip",
]
