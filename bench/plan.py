"""The plan of a measurement: how many streams, at what pace, for how long, and when they begin."""

from dataclasses import dataclass
from typing import NamedTuple

STARTS_A_SECOND = 7
"""Streams begun a second, at least: few, as a turn's begin and end cost what hundreds of deltas do."""

LONGEST_START = 20.0
"""Seconds in which all streams are begun, however many they are."""

GOLDEN = 0.618
"""Spreads the streams over the time between two deltas, so that they are not in step."""

SETTLE = 3.0
"""Seconds between the last stream's begin and the window in which all are measured."""

WARM_UP = 20
"""Turns of one delta that come first, one after the other, and show the first delta's time at rest."""

SILENT = "silent"
"""The last part of the id of a model that says nothing until it is released."""


@dataclass(frozen=True)
class Plan:
    """`streams` streams of `rate` deltas a second, all of them under way for a window of `seconds`."""

    streams: int
    rate: float
    seconds: float

    @property
    def begins(self) -> list[float]:
        """The begins of the streams, in seconds."""
        starts = max(STARTS_A_SECOND, self.streams / LONGEST_START)
        return sorted(number / starts + number * GOLDEN % 1.0 / self.rate for number in range(self.streams))

    @property
    def window(self) -> tuple[float, float]:
        """From when to when all streams are under way, in seconds after the first one's begin."""
        opens = self.begins[-1] + SETTLE
        return opens, opens + self.seconds

    @property
    def count(self) -> int:
        """Deltas of a stream: enough for the first to last until the window closes."""
        return int(self.window[1] * self.rate) + 1

    @property
    def model(self) -> str:
        """The model id that has the load gateway stream so."""
        return model(self.count, self.rate)

    @property
    def warm_up_model(self) -> str:
        """The model id of the turns that come first."""
        return model(1, self.rate)


class Pace(NamedTuple):
    """The pace of a stream: deltas, seconds between them, and whether it waits to be released."""

    deltas: int
    interval: float
    is_silent: bool


def model(count: int, rate: float, *, is_silent: bool = False) -> str:
    """A model id for the load gateway: so many deltas, at so many a second."""
    return f"sim.n{count}.us{round(1_000_000 / rate)}" + (f".{SILENT}" if is_silent else "")


def pace(model_id: str) -> Pace:
    """The pace that a model id names; raises ValueError if it is not ours."""
    _, count, interval, *rest = model_id.split(".")
    return Pace(int(count.removeprefix("n")), int(interval.removeprefix("us")) / 1_000_000, SILENT in rest)
