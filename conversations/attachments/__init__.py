"""Files that people attach: looked at by their content, kept in a storage, sent to models as blocks."""

from .inspecting import Inspected, clean_name, inspect
from .problems import Empty, NoFile, NotTaken, TooLarge
from .storing import keep, left_out, with_bytes

__all__ = [
    "Empty",
    "Inspected",
    "NoFile",
    "NotTaken",
    "TooLarge",
    "clean_name",
    "inspect",
    "keep",
    "left_out",
    "with_bytes",
]
