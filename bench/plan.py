"""What one measurement does: how many streams, at what pace, for how long, and when each begins."""

from dataclasses import dataclass

STARTS_A_SECOND = 7
"""Streams begun a second: few, as a turn's begin and end cost what hundreds of deltas do; and no divisor of usual
paces, so that the streams are not in step with one another."""

SETTLE = 3.0
"""Seconds between the last stream's begin and the window in which all are measured."""

WARM_UP = 20
"""Turns of one delta that come first, one after the other, and show the first delta's time at rest."""


@dataclass(frozen=True)
class Plan:
    """`streams` streams of `rate` deltas a second each, all of them under way for a window of `seconds`."""

    streams: int
    rate: float
    seconds: float

    @property
    def begins(self) -> list[float]:
        """When each stream begins, in seconds."""
        return [number / STARTS_A_SECOND for number in range(self.streams)]

    @property
    def window(self) -> tuple[float, float]:
        """From when to when all streams are under way, in seconds after the first one's begin."""
        opens = self.begins[-1] + SETTLE
        return opens, opens + self.seconds

    @property
    def count(self) -> int:
        """Deltas of each stream: enough for the first to last until the window closes."""
        return int(self.window[1] * self.rate) + 1

    @property
    def model(self) -> str:
        """The model id that has the load gateway stream so."""
        return model(self.count, self.rate)

    @property
    def warm_up_model(self) -> str:
        """The model id of the turns that come first."""
        return model(1, self.rate)


def model(count: int, rate: float) -> str:
    """A model id for the load gateway: so many deltas, at so many a second."""
    return f"sim.n{count}.us{round(1_000_000 / rate)}"


def pace(model_id: str) -> tuple[int, float]:
    """The number of deltas that a model id asks for and the seconds between them; ValueError if it is not ours."""
    _, count, interval = model_id.split(".")
    return int(count.removeprefix("n")), int(interval.removeprefix("us")) / 1_000_000
