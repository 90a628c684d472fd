"""Stamps, with which deltas carry their number and time of sending, and the tally of the arrivals."""

import re
from array import array

MARK = re.compile(rb"~([0-9a-f]{8})([0-9a-f]{5})")
SPAN = (1 << 32) - 1


def stamp(now: int, number: int) -> bytes:
    """The text of a delta: the monotonic clock in microseconds, on 32 bits, and its number in the stream."""
    return b"~%08x%05x" % (now & SPAN, number)


class Tally:
    """The arrivals and lags of a stream of `count` deltas, and the repeated, unordered and lost ones."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.arrivals = array("q")
        self.lags = array("q")
        self.repeated = self.unordered = 0
        self.failed = False
        self._next = 0
        self._missing: set[int] = set()

    @property
    def lost(self) -> int:
        """Deltas that have not arrived."""
        return len(self._missing) + self.count - self._next

    def take(self, data: bytes, now: int) -> int:
        """Counts the stamps in data that arrived `now`, in microseconds; returns their number."""
        stamps = MARK.findall(data)
        for sent, number in stamps:
            self.arrivals.append(now)
            self.lags.append((now - int(sent, 16)) & SPAN)
            self._order(int(number, 16))
        return len(stamps)

    def _order(self, number: int) -> None:
        if number >= self._next:
            self._missing.update(range(self._next, number))
            self._next = number + 1
        elif number in self._missing:
            self._missing.remove(number)
            self.unordered += 1
        else:
            self.repeated += 1
