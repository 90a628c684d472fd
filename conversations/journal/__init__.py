"""The journal: an event is committed before anyone sees it, and every reader continues from a `seq`.

writer.py commits the events of running turns; hub.py passes them to this process's sockets, doorbell.py to other processes; follower.py
is a reader's place in it; reading.py reads on from a `seq` and builds a conversation's snapshot; recordings.py packs a finished turn,
lines.py merges deltas into frames.
"""

from . import lines, recordings
from .doorbell import ring_queue, run_doorbell, store_notice
from .follower import WINDOW, Follower, Read
from .hub import HUB, this_process, unnumbered_frame
from .reading import READERS, Page, last_seq, one_snapshot, page, queue, read
from .recordings import Frame, pack, turn_frames
from .writer import Journal, Record, Write

__all__ = [
    "HUB",
    "READERS",
    "WINDOW",
    "Follower",
    "Frame",
    "Journal",
    "Page",
    "Read",
    "Record",
    "Write",
    "last_seq",
    "lines",
    "one_snapshot",
    "pack",
    "page",
    "queue",
    "read",
    "recordings",
    "ring_queue",
    "run_doorbell",
    "store_notice",
    "this_process",
    "turn_frames",
    "unnumbered_frame",
]
