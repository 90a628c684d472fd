"""A record as it happened: its frames taken apart again into the moments at which each part came."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from .events import Event

LONGEST_PAUSE = 1000
"""Milliseconds that are left of a longer pause when waiting is skipped."""

Line = tuple[str, str]
"""A frame's JSON text, and the boundaries of the deltas that were merged into it, as JSON, or blank."""


class Moment(NamedTuple):
    """When something happened, in ms since 1970, and what."""

    at: int
    event: Event


class Cue(NamedTuple):
    """When something is played, in ms after the beginning, and how many ms of the pause before it were left out."""

    at: int
    moment: Moment
    skipped: int = 0


def timeline(lines: Iterable[Line]) -> Iterator[Moment]:
    """What happened, one after the other; a merged delta is given again as the deltas that it was made of."""
    for data, parts in lines:
        event = json.loads(data)
        if parts:
            yield from _split(event, json.loads(parts))
        else:
            yield Moment(event["timestamp"], event)


def cues(moments: Iterable[Moment], longest: int | None = None) -> Iterator[Cue]:
    """When to play each moment: at its own pace, with no pause over `longest` ms. A clock that was set back is no pause at all."""
    now, before = 0, None
    for moment in moments:
        pause = max(0, moment.at - (moment.at if before is None else before))
        kept = pause if longest is None else min(pause, longest)
        now, before = now + kept, moment.at
        yield Cue(now, moment, pause - kept)


def _split(event: Event, parts: list[Any]) -> Iterator[Moment]:
    text, start = event["delta"], 0
    for number, (after, length) in enumerate(parts, 1):
        end = start + length if number < len(parts) else len(text)
        at = event["timestamp"] + after
        yield Moment(at, event | {"delta": text[start:end], "timestamp": at})
        start = end
