"""Files that people attach: inspected, stored, and sent to models as blocks.

inspecting.py finds out what a file is, by its bytes (sniffing.py), and makes the copies of a picture (pictures.py). storing.py stores it;
problems.py has the reasons why a file is not taken.
"""

from .inspecting import Inspection, clean_name, inspect
from .problems import Empty, NoFile, NotTaken, TooLarge
from .storing import copy_to, left_out_ids, messages_with_bytes, store, with_bytes

__all__ = [
    "Empty",
    "Inspection",
    "NoFile",
    "NotTaken",
    "TooLarge",
    "clean_name",
    "copy_to",
    "inspect",
    "left_out_ids",
    "messages_with_bytes",
    "store",
    "with_bytes",
]
