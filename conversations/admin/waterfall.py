"""A chart of a turn's time: bars for the waiting, streaming and retries of rounds, and tool calls."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple
from uuid import UUID

from django.utils import timezone
from django.utils.safestring import SafeString

from conversations.journal.recordings import frames
from conversations.models import Event, Recording, Round, ToolCall, Turn

from .pages import duration, link

RETRYING = "turntable.retrying"
SLIMMEST = 0.3
"""Percent of the width that a bar has at least."""


class Bar(NamedTuple):
    """A span in a lane: its place and width in percent of the chart, and its text."""

    kind: str
    x: str
    width: str
    title: str


class Lane(NamedTuple):
    """A line of the chart: a round, a tool call or the queue, with its bars."""

    label: SafeString | str
    kind: str
    bars: list[Bar]
    took: str
    status: str
    summary: str


class Chart(NamedTuple):
    """A turn's lanes, and the marks of its scale: place in percent, and text."""

    turn: Turn
    lanes: list[Lane]
    marks: list[tuple[str, str]]
    took: str


Span = tuple[str, float, float]
"""A kind, and begin and end in milliseconds since the turn was created."""

WORDS = {
    "queued": "queued", "waiting": "waiting for the first token", "streaming": "streaming", "retry": "waiting to try again",
    "broken": "no answer", "tool": "running", "failed": "failed",
}  # fmt: skip


def charts(turns: list[Turn]) -> list[Chart]:
    """The turns' charts, in five queries at most."""
    rounds, calls = _by_turn(Round.objects.defer("metadata", "usage"), turns), _calls(turns)
    with_retries = [turn for turn in turns if any(row.tries > 1 for row in rounds[turn.pk])]
    tries = _retries(with_retries) if with_retries else {}
    now = timezone.now()
    return [_chart(turn, rounds[turn.pk], calls[turn.pk], tries.get(turn.pk, []), now) for turn in turns]


def _by_turn(rows: Any, turns: list[Turn]) -> dict[UUID, list[Any]]:
    by_turn: dict[UUID, list[Any]] = defaultdict(list)
    for row in rows.filter(turn__in=turns).order_by("number", "attempt"):
        by_turn[row.turn_id].append(row)
    return by_turn


def _calls(turns: list[Turn]) -> dict[UUID, dict[int, list[ToolCall]]]:
    by_round: dict[UUID, dict[int, list[ToolCall]]] = defaultdict(lambda: defaultdict(list))
    rows = ToolCall.objects.defer("arguments", "input", "result").filter(turn__in=turns)
    for row in rows.order_by("position"):
        by_round[row.turn_id][row.round_id].append(row)
    return by_round


def _retries(turns: list[Turn]) -> dict[UUID, list[tuple[float, float]]]:
    """The announcements of retries, in ms since the epoch, each with the ms to wait."""
    by_turn: dict[UUID, list[tuple[float, float]]] = defaultdict(list)
    for turn, data in _retry_frames(turns):
        event = json.loads(data)
        if event.get("name") == RETRYING:
            by_turn[turn].append((event["timestamp"], event["value"]["seconds"] * 1000))
    return by_turn


def _retry_frames(turns: list[Turn]) -> Iterator[tuple[UUID, str]]:
    """The frames of the turns that may announce a retry."""
    rows = Event.objects.filter(turn__in=turns, conversation__in={turn.conversation_id for turn in turns})
    yield from rows.filter(data__contains=RETRYING).order_by("seq").values_list("turn_id", "data")
    for recording in Recording.objects.filter(turn__in=turns).defer("snapshot").iterator(chunk_size=4):
        yield from ((recording.turn_id, data) for _, data in frames(recording) if RETRYING in data)


# -- a turn


class _Scale:
    """The time axis of a chart, from the turn's creation to its end."""

    def __init__(self, turn: Turn, ends: Iterable[datetime | None], now: datetime) -> None:
        self._begin, self._now = turn.created_at, now
        last = max(
            (end for end in ends if end is not None),
            default=now if turn.status in Turn.ACTIVE else self._begin,
        )
        self.total = max(1.0, self.at(last))

    def at(self, moment: datetime | None) -> float:
        """Milliseconds since the turn was created; those until now for None."""
        return max(0.0, ((moment or self._now) - self._begin).total_seconds() * 1000)

    def bar(self, kind: str, first: float, last: float) -> Bar:
        """The bar of a span."""
        x, width = 100 * first / self.total, max(SLIMMEST, 100 * (last - first) / self.total)
        return Bar(
            kind,
            f"{min(x, 100 - SLIMMEST):.2f}%",
            f"{width:.2f}%",
            f"{WORDS[kind]}: {duration(last - first)}",
        )

    def marks(self) -> list[tuple[str, str]]:
        """Four to eight round numbers."""
        step = next(step for step in _round_numbers() if self.total / step < 8)
        return [
            (f"{100 * at * step / self.total:.2f}%", duration(at * step))
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
    open_end = now if turn.status == Turn.Status.RUNNING else None
    ends = [row.finished_at for row in rounds] + [
        call.finished_at for call in chain.from_iterable(calls.values())
    ]
    scale = _Scale(turn, [turn.finished_at, open_end, *ends], now)
    lanes = [_queued(turn, scale)] if turn.started_at and scale.at(turn.started_at) > 50 else []
    for row in rounds:
        lanes.append(
            _round(row, scale, [(at - turn.created_at.timestamp() * 1000, wait) for at, wait in tries])
        )
        lanes += [_call(call, scale) for call in calls[row.pk]]
    return Chart(turn, lanes, scale.marks(), duration(scale.total))


def _queued(turn: Turn, scale: _Scale) -> Lane:
    end = scale.at(turn.started_at)
    return _lane("queued", "queued", [("queued", 0, end)], "", scale)


def _round(row: Round, scale: _Scale, tries: list[tuple[float, float]]) -> Lane:
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
    return _lane(
        link(row, name),
        f"round {row.status}",
        spans,
        "" if row.status == Round.Status.COMPLETED else status,
        scale,
    )


def _call(call: ToolCall, scale: _Scale) -> Lane:
    begin = scale.at(call.started_at or call.finished_at or call.created_at)
    end = begin if call.started_at is None else scale.at(call.finished_at)
    kind = "failed" if call.status == ToolCall.Status.ERROR else "tool"
    status = "" if call.status == ToolCall.Status.SUCCESS else call.error or call.status
    return _lane(link(call, call.name), f"call {call.status}", [(kind, begin, end)], status, scale)


def _lane(label: SafeString | str, kind: str, spans: list[Span], status: str, scale: _Scale) -> Lane:
    bars = [scale.bar(*span) for span in spans]
    summary = ", ".join(bar.title for bar in bars) + (f"; {status}" if status else "")
    return Lane(label, kind, bars, duration(spans[-1][2] - spans[0][1]), status, summary)
