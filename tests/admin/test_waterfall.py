"""The waterfall: each step of a turn on the turn's scale."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from conversations.admin.waterfall import Chart, charts
from conversations.journal import pack
from conversations.models import Conversation, Event, RequestBase, Round, ToolCall, Turn
from tests.pages import address_of, full_conversation, html_of, query_count
from tests.turns import QUESTION, ask, conversation_of

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.fixture
def turn(user: User) -> Turn:
    """A turn of ten seconds that began at once."""
    return Turn.objects.create(
        conversation=conversation_of(user), number=1, user=user, model="m", status="completed", created_at=NOON,
        started_at=NOON, finished_at=at(10),
    )  # fmt: skip


def a_round(turn: Turn, begin: float, end: float | None, **fields: Any) -> Round:
    base, _ = RequestBase.objects.get_or_create(sha256="0" * 64, body="{}")
    return Round.objects.create(
        turn=turn, base=base, started_at=at(begin), finished_at=None if end is None else at(end),
        **{"number": 1, "status": "completed"} | fields,
    )  # fmt: skip


def bars_of(turn: Turn) -> list[tuple[str, list[tuple[str, float, float]]]]:
    """The name of each step, and its bars: kind, begin and end in percent."""
    (chart,) = charts([turn])
    return [(re.sub("<[^>]*>", "", lane.label), [_bar(bar) for bar in lane.bars]) for lane in chart.lanes]


def _bar(bar: Any) -> tuple[str, float, float]:
    x, width = float(bar.x.rstrip("%")), float(bar.width.rstrip("%"))
    return bar.kind, x, round(x + width, 1)


def test_a_round_waits_and_streams_and_a_call_runs(turn: Turn) -> None:
    row = a_round(turn, 0, 4, first_token_ms=1_000)
    for position, status in enumerate(("success", "error")):
        ToolCall.objects.create(
            conversation=turn.conversation, turn=turn, round=row, position=position, name="top_song", status=status,
            tool_use_id=str(position), started_at=at(5), finished_at=at(7 + position), error="timeout" if position else "",
        )  # fmt: skip
    assert bars_of(turn) == [
        ("round 1", [("waiting", 0, 10), ("streaming", 10, 40)]),
        ("top_song", [("tool", 50, 70)]),
        ("top_song", [("failed", 50, 80)]),
    ]


def test_what_waited_in_the_queue_is_drawn(turn: Turn) -> None:
    turn.started_at = at(2)
    assert bars_of(turn) == [("queued", [("queued", 0, 20)])]


def test_an_attempt_that_was_cut_is_drawn_beside_the_next(turn: Turn) -> None:
    a_round(turn, 0, 2, first_token_ms=500, status="interrupted")
    a_round(turn, 6, 8, first_token_ms=1_000, attempt=2)
    assert bars_of(turn) == [
        ("round 1", [("waiting", 0, 5), ("streaming", 5, 20)]),
        ("round 1, attempt 2", [("waiting", 60, 70), ("streaming", 70, 80)]),
    ]


@pytest.mark.parametrize("packed", [False, True])
def test_retries_are_drawn_from_what_was_recorded(turn: Turn, packed: bool) -> None:
    a_round(turn, 0, 10, first_token_ms=1_000, tries=2)
    event = {
        "type": "CUSTOM", "name": "turntable.retrying", "timestamp": int(at(3).timestamp() * 1000),
        "value": {"attempt": 2, "of": 3, "seconds": 2.0}, "metadata": {"seq": 1},
    }  # fmt: skip
    Event.objects.create(conversation=turn.conversation, turn=turn, seq=1, data=json.dumps(event))
    if packed:
        pack(turn)
    bars = [("broken", 0, 30), ("retry", 30, 50), ("waiting", 50, 60), ("streaming", 60, 100)]
    assert bars_of(turn) == [("round 1", bars)]


def test_a_round_without_an_answer_is_not_shown_as_streaming(turn: Turn) -> None:
    a_round(turn, 0, 5, status="failed", error_code="throttled")
    (chart,) = charts([turn])
    assert [bar.kind for bar in chart.lanes[0].bars] == ["broken"]
    assert "throttled" in chart.lanes[0].summary


def test_a_running_turn_goes_on_to_now(turn: Turn) -> None:
    turn.status, turn.finished_at = "running", None
    a_round(turn, 0, None, status="running")
    ((_, (bar,)),) = bars_of(turn)
    assert bar == ("waiting", 0, 100)


def test_a_turn_that_took_no_time_or_is_not_begun_can_be_drawn(turn: Turn) -> None:
    turn.started_at = turn.finished_at = None
    turn.status = "queued"
    assert isinstance(charts([turn])[0], Chart)
    turn.started_at = turn.finished_at = NOON
    a_round(turn, 0, 0)
    assert bars_of(turn)


def test_many_turns_take_as_many_queries_as_few(operator: Client, user: User) -> None:
    conversation = full_conversation(user)
    counts = []
    html_of(operator, address_of(conversation))
    for _ in range(2):
        for _ in range(9):
            full_conversation(user, within=conversation)
        Round.objects.update(tries=2)
        counts.append(query_count(operator, address_of(conversation)))
    assert counts[0] == counts[1] < 20


def test_a_long_conversation_shows_the_newest_turns_and_leads_to_the_rest(
    operator: Client, conversation: Conversation
) -> None:
    url, numbers = address_of(conversation), []
    for _ in range(3):
        html = html_of(operator, url)
        numbers.append([int(number) for number in re.findall(r">turn (\d+)</a>", html)])
        older = re.search(r'href="(\?before=\d+)"', html)
        url = address_of(conversation) + (older[1] if older else "?before=0")
    assert numbers == [list(range(45, 25, -1)), list(range(25, 5, -1)), list(range(5, 0, -1))]
    for odd in ("x", "-1", "9" * 40, "0", ""):
        html_of(operator, f"{address_of(conversation)}?before={odd}")


@pytest.fixture
def conversation(user: User) -> Conversation:
    """One of 45 turns."""
    conversation = conversation_of(user)
    Turn.objects.bulk_create(
        Turn(conversation=conversation, number=number, user=user, model="m", status="completed")
        for number in range(1, 46)
    )
    return conversation


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("gateway")
def test_a_turns_steps_are_told_to_a_screen_reader_and_need_no_style_attribute(
    operator: Client, user: User
) -> None:
    turn = ask(conversation_of(user), QUESTION)
    for page in (address_of(turn), address_of(turn.conversation)):
        html = html_of(operator, page)
        assert html.count('role="img"') == 3
        assert re.search(r'aria-label="waiting for the first token: .+, streaming: .+"', html)
        assert "<title>running: " in html
        assert " style=" not in html
