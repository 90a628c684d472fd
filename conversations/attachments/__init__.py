"""Files that people attach: inspected, stored, and sent to models as blocks.

inspecting.py takes a file in, by its bytes (sniffing.py) and as models get it (pictures.py); storing.py keeps it, problems.py says why
not.
"""

from .inspecting import Inspected, clean_name, inspect
from .problems import Empty, NoFile, NotTaken, TooLarge
from .storing import copied, keep, left_out, messages_with_bytes, with_bytes

__all__ = [
    "Empty",
    "Inspected",
    "NoFile",
    "NotTaken",
    "TooLarge",
    "clean_name",
    "copied",
    "inspect",
    "keep",
    "left_out",
    "messages_with_bytes",
    "with_bytes",
]
