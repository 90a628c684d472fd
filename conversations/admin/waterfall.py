"""How a turn's time went: each round's waiting, streaming and tries, and each tool call, as bars on the turn's own scale."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.utils import timezone
from django.utils.safestring import SafeString

from conversations.journal.recordings import frames
from conversations.models import Event, Recording, Round, ToolCall, Turn

from .shown import link, seconds

RETRYING = "turntable.retrying"
SLIMMEST = 0.3
"""Percent of the width that a bar has at least."""


class Bar(NamedTuple):
    """A part of a step: from and to in percent of the turn, and what it is in words."""

    kind: str
    x: str
    width: str
    title: str


class Step(NamedTuple):
    """A line: what it is, its bars, how long it took, how it ended."""

    what: SafeString | str
    kind: str
    bars: list[Bar]
    took: str
    status: str
    summary: str


class Chart(NamedTuple):
    """A turn's steps, and the marks of its scale: where in percent, and what they say."""

    turn: Turn
    steps: list[Step]
    marks: list[tuple[str, str]]
    took: str


Span = tuple[str, float, float]
"""A kind, and from and to in milliseconds since the turn was asked for."""

WORDS = {
    "queued": "queued", "waiting": "waiting for the first token", "streaming": "streaming", "retry": "waiting to try again",
    "broken": "no answer", "tool": "running", "failed": "failed",
}  # fmt: skip


def charts(turns: list[Turn]) -> list[Chart]:
    """The turns' charts, in five queries at most."""
    rounds, calls = _by_turn(Round.objects.defer("metadata", "usage"), turns), _calls(turns)
    retried = [turn for turn in turns if any(row.tries > 1 for row in rounds[turn.pk])]
    tries = _retries(retried) if retried else {}
    now = timezone.now()
    return [_chart(turn, rounds[turn.pk], calls[turn.pk], tries.get(turn.pk, []), now) for turn in turns]


def _by_turn(rows: Any, turns: list[Turn]) -> dict[UUID, list[Any]]:
    found: dict[UUID, list[Any]] = defaultdict(list)
    for row in rows.filter(turn__in=turns).order_by("number", "attempt"):
        found[row.turn_id].append(row)
    return found


def _calls(turns: list[Turn]) -> dict[UUID, dict[int, list[ToolCall]]]:
    found: dict[UUID, dict[int, list[ToolCall]]] = defaultdict(lambda: defaultdict(list))
    rows = ToolCall.objects.defer("arguments", "input", "result").filter(turn__in=turns)
    for row in rows.order_by("position"):
        found[row.turn_id][row.round_id].append(row)
    return found


def _retries(turns: list[Turn]) -> dict[UUID, list[tuple[float, float]]]:
    """When the gateway was to be asked again, in ms since the epoch, and how many ms later it was."""
    found: dict[UUID, list[tuple[float, float]]] = defaultdict(list)
    for turn, data in _told(turns):
        event = json.loads(data)
        if event.get("name") == RETRYING:
            found[turn].append((event["timestamp"], event["value"]["seconds"] * 1000))
    return found


def _told(turns: list[Turn]) -> Iterator[tuple[UUID, str]]:
    """The frames of the turns that may tell of a retry."""
    rows = Event.objects.filter(turn__in=turns, conversation__in={turn.conversation_id for turn in turns})
    yield from rows.filter(data__contains=RETRYING).order_by("seq").values_list("turn_id", "data")
    for recording in Recording.objects.filter(turn__in=turns).defer("snapshot").iterator(chunk_size=4):
        yield from ((recording.turn_id, data) for _, data in frames(recording) if RETRYING in data)


# -- a turn


class _Scale:
    """Times since the turn was asked for, and where they are in percent of its end."""

    def __init__(self, turn: Turn, ends: Iterable[datetime | None], now: datetime) -> None:
        self._begin, self._now = turn.created_at, now
        last = max(
            (end for end in ends if end is not None),
            default=now if turn.status in Turn.ACTIVE else self._begin,
        )
        self.total = max(1.0, self.at(last))

    def at(self, moment: datetime | None) -> float:
        """Milliseconds since the turn was asked for; those until now for what has not ended."""
        return max(0.0, ((moment or self._now) - self._begin).total_seconds() * 1000)

    def bar(self, kind: str, first: float, last: float) -> Bar:
        """The bar of a span."""
        x, width = 100 * first / self.total, max(SLIMMEST, 100 * (last - first) / self.total)
        return Bar(
            kind, f"{min(x, 100 - SLIMMEST):.2f}%", f"{width:.2f}%", f"{WORDS[kind]}: {seconds(last - first)}"
        )

    def marks(self) -> list[tuple[str, str]]:
        """Four to eight round numbers."""
        step = next(step for step in _round_numbers() if self.total / step < 8)
        return [
            (f"{100 * at * step / self.total:.2f}%", seconds(at * step))
            for at in range(int(self.total // step) + 1)
        ]


def _round_numbers() -> Iterator[float]:
    step = 1
    while True:
        yield from (step, 2 * step, 5 * step)
        step *= 10


def _chart(
    turn: Turn,
    rounds: list[Round],
    calls: dict[int, list[ToolCall]],
    tries: list[tuple[float, float]],
    now: datetime,
) -> Chart:
    every = [call for asked in calls.values() for call in asked]
    open_end = now if turn.status == Turn.Status.RUNNING else None
    ends = [row.finished_at for row in rounds] + [call.finished_at for call in every]
    scale = _Scale(turn, [turn.finished_at, open_end, *ends], now)
    steps = [_queued(turn, scale)] if turn.started_at and scale.at(turn.started_at) > 50 else []
    for row in rounds:
        steps.append(
            _round(row, scale, [(at - turn.created_at.timestamp() * 1000, wait) for at, wait in tries])
        )
        steps += [_call(call, scale) for call in calls[row.pk]]
    return Chart(turn, steps, scale.marks(), seconds(scale.total))


def _queued(turn: Turn, scale: _Scale) -> Step:
    end = scale.at(turn.started_at)
    return _step("queued", "queued", [("queued", 0, end)], "", scale)


def _round(row: Round, scale: _Scale, tries: list[tuple[float, float]]) -> Step:
    begin, end = scale.at(row.started_at), scale.at(row.finished_at)
    own = [(at, wait) for at, wait in tries if begin <= at <= end]
    spans: list[Span] = []
    for at, wait in own:
        spans += [("broken", begin, at), ("retry", at, min(at + wait, end))]
        begin = min(at + wait, end)
    first = end if row.first_token_ms is None else min(begin + row.first_token_ms, end)
    spans.append(
        ("waiting" if row.first_token_ms is not None or row.finished_at is None else "broken", begin, first)
    )
    if row.first_token_ms is not None:
        spans.append(("streaming", first, end))
    name = f"round {row.number}" + (f", attempt {row.attempt}" if row.attempt > 1 else "")
    status = row.status + (f": {row.error_code}" if row.error_code else "")
    return _step(
        link(row, name),
        f"round {row.status}",
        spans,
        "" if row.status == Round.Status.COMPLETED else status,
        scale,
    )


def _call(call: ToolCall, scale: _Scale) -> Step:
    begin = scale.at(call.started_at or call.finished_at or call.created_at)
    end = begin if call.started_at is None else scale.at(call.finished_at)
    kind = "failed" if call.status == ToolCall.Status.ERROR else "tool"
    status = "" if call.status == ToolCall.Status.SUCCESS else call.error or call.status
    return _step(link(call, call.name), f"call {call.status}", [(kind, begin, end)], status, scale)


def _step(what: SafeString | str, kind: str, spans: list[Span], status: str, scale: _Scale) -> Step:
    bars = [scale.bar(*span) for span in spans]
    told = ", ".join(bar.title for bar in bars) + (f"; {status}" if status else "")
    return Step(what, kind, bars, seconds(spans[-1][2] - spans[0][1]), status, told)
