"""The journal: an event is committed before anyone sees it, and everything that shows a record reads on from a `seq`.

writer.py commits what running turns say; hub.py shows it to this process's sockets, doorbell.py tells other processes; reading.py reads
on, and makes a conversation's snapshot; recordings.py packs a finished turn.
"""

from . import lines, recordings
from .doorbell import keep_in_touch, remember, ring_queue
from .hub import HUB, unnumbered
from .reading import READERS, Page, head, one_snapshot, page, queue, read
from .recordings import Frame, pack, recorded
from .writer import Journal, Record, Write

__all__ = [
    "HUB",
    "READERS",
    "Frame",
    "Journal",
    "Page",
    "Record",
    "Write",
    "head",
    "keep_in_touch",
    "lines",
    "one_snapshot",
    "pack",
    "page",
    "queue",
    "read",
    "recorded",
    "recordings",
    "remember",
    "ring_queue",
    "unnumbered",
]
