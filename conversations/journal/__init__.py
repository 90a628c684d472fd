"""The journal: an event is committed before anyone sees it, and everything that shows a record reads on from a `seq`.

writer.py commits what running turns say; hub.py shows it to this process's sockets, doorbell.py tells other processes; reading.py reads
on, and makes a conversation's snapshot; recordings.py packs a finished turn.
"""

from .reading import Page, head, one_snapshot, page, read
from .recordings import Frame, pack, recorded
from .writer import Journal, Record

__all__ = ["Frame", "Journal", "Page", "Record", "head", "one_snapshot", "pack", "page", "read", "recorded"]
