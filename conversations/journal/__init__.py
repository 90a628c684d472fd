"""The journal: an event is committed before anyone sees it, and everything that shows a record reads on from a `seq`.

writer.py commits what running turns say; reading.py reads on, and makes the snapshot of a conversation; recordings.py packs a finished turn.
"""

from .reading import Frame, Page, head, page, read
from .recordings import pack
from .writer import Journal, Record

__all__ = ["Frame", "Journal", "Page", "Record", "head", "pack", "page", "read"]
