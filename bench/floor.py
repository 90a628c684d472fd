"""The floor and the whole way, at the same pace, from the same load gateway, one after the other."""

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

from . import load
from .machine import Cores, pin
from .plan import Plan
from .processes import running
from .sample import Sample, middle
from .site import serving


@dataclass(frozen=True)
class Level:
    """A number of streams, measured several times both ways: `loop` is boto3's, `whole` gateway to socket."""

    streams: int
    loop: Sequence[Sample]
    whole: Sequence[Sample]

    @property
    def medians(self) -> tuple[Sample, Sample]:
        """The median of each side."""
        return middle(self.loop), middle(self.whole)

    @property
    def ratio(self) -> float:
        """What a delta costs the whole way, as a multiple of the loop's: the median of the pairs."""
        pairs = zip(self.loop, self.whole, strict=True)
        return round(median(whole.cpu_us / loop.cpu_us for loop, whole in pairs), 2)


def measure(plans: Sequence[Plan], repeat: int, cores: Cores, tell: Callable[[str], None]) -> list[Level]:
    """Measures each plan `repeat` times; `tell` hears how far it is."""
    pin(cores.load)
    levels = []
    with load_gateway(cores.load) as gateway:
        for plan in plans:
            loops, wholes = [], []
            for number in range(1, repeat + 1):
                tell(f"{plan.streams} streams, {number} of {repeat}")
                loops.append(measure_loop(gateway, plan, cores.tested))
                wholes.append(measure_whole(gateway, plan, cores.tested))
            levels.append(Level(plan.streams, loops, wholes))
    return levels


@contextmanager
def load_gateway(core: int) -> Iterator[str]:
    """The URL of a load gateway in a process of its own."""
    with running("-m", "bench.gateway", core=core) as process:
        yield f"http://127.0.0.1:{int(process.line())}"


def measure_loop(gateway: str, plan: Plan, core: int) -> Sample:
    """The plan's streams read by boto3's loop, in a process of its own."""
    numbers = (str(number) for number in (plan.streams, plan.rate, plan.seconds, core))
    with running("-m", "bench.loop", gateway, *numbers, core=core) as process:
        return Sample(**json.loads(process.line()))


def measure_whole(gateway: str, plan: Plan, core: int) -> Sample:
    """The plan's streams the whole way, through a server of their own."""
    with serving(gateway, plan, core) as site:
        return asyncio.run(load.measure(site, plan, core))
