"""A record's frames -> the moments at which their deltas came."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from .events import Event

LONGEST_PAUSE = 1000
"""Milliseconds to which pauses are shortened when waiting is skipped."""

RecordedFrame = tuple[str, str]
"""A frame's JSON text, and the boundaries of the deltas that were merged into it, as JSON, or blank."""


class Moment(NamedTuple):
    """An event and the time at which it happened, in ms since 1970."""

    at: int
    event: Event


class Cue(NamedTuple):
    """A moment and the time at which it is played, in ms after the beginning.

    `skipped` is how many ms of the pause before it are left out.
    """

    at: int
    moment: Moment
    skipped: int = 0


def timeline(frames: Iterable[RecordedFrame]) -> Iterator[Moment]:
    """The moments of a record in order. A merged delta is split into the deltas that it was merged from."""
    for data, parts in frames:
        event = json.loads(data)
        if parts:
            yield from _split(event, json.loads(parts))
        else:
            yield Moment(event["timestamp"], event)


def cues(moments: Iterable[Moment], longest: int | None = None) -> Iterator[Cue]:
    """The cues at which moments are played: at their own pace, with no pause over `longest` ms.

    A clock that was set back is no pause at all.
    """
    now, earlier = 0, None
    for moment in moments:
        pause = max(0, moment.at - (moment.at if earlier is None else earlier))
        wait = pause if longest is None else min(pause, longest)
        now, earlier = now + wait, moment.at
        yield Cue(now, moment, pause - wait)


def _split(event: Event, parts: list[Any]) -> Iterator[Moment]:
    text, start = event["delta"], 0
    for number, (after, length) in enumerate(parts, 1):
        end = start + length if number < len(parts) else len(text)
        at = event["timestamp"] + after
        yield Moment(at, event | {"delta": text[start:end], "timestamp": at})
        start = end
