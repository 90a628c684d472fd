"""What a tool gets with its call: for whom it is made, a key, and a way to say how far it has come."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from ag_ui_validate.pytest_plugin import assert_valid_agui

from conversations.engine import progress
from conversations.journal import recordings
from conversations.models import Conversation, ToolCall, Turn
from conversations.protocol.agui.snapshot import Snapshot
from conversations.tools import Context, tool
from tests.lost_turns import Lost, recover
from tests.turns import QUESTION, ask, news, record

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway", "no_other_tools")]


def seen_by_the_tool(make: Callable[[Context], Any]) -> list[Any]:
    """Declares `top_song`, which does so with its context; what comes of it is in the list."""
    results: list[Any] = []

    @tool(idempotent=True)
    def top_song(sign: str, context: Context) -> str:
        results.append(make(context))
        return f"the song of {sign}"

    return results


def reports(conversation: Conversation) -> list[dict[str, Any]]:
    return news(record(conversation), "progress")


def test_a_tool_knows_for_whom_and_where_it_runs(conversation: Conversation) -> None:
    rows = seen_by_the_tool(lambda context: (context.user, context.conversation, context.turn))
    turn = ask(conversation, QUESTION)
    assert rows == [(conversation.owner, conversation, turn)]


def test_nothing_is_read_by_an_async_tool_that_its_context_has(conversation: Conversation) -> None:
    names = []

    @tool
    async def top_song(sign: str, context: Context) -> None:
        names.append((context.user.username, context.conversation.owner_id, context.turn.model))

    turn = ask(conversation, QUESTION)
    assert names == [("jennifer", turn.user_id, turn.model)]


def test_a_tool_that_changes_its_turn_does_not_disturb_it(conversation: Conversation) -> None:
    seen_by_the_tool(lambda context: setattr(context.turn, "status", "nonsense"))
    assert ask(conversation, QUESTION).status == Turn.Status.COMPLETED


def test_the_key_is_the_same_when_the_call_is_made_again(conversation: Conversation) -> None:
    lost = Lost(conversation)
    lost.calls_tools(one="running")
    keys = seen_by_the_tool(lambda context: context.idempotency_key)
    recover(lost)
    assert keys == [str(ToolCall.objects.get(tool_use_id="one").pk)]


def test_progress_is_recorded_before_the_result(conversation: Conversation) -> None:
    seen_by_the_tool(lambda context: context.progress(1, 3, "the first record"))
    ask(conversation, QUESTION)
    call = ToolCall.objects.get().tool_use_id
    assert reports(conversation) == [{"toolCallId": call, "done": 1, "of": 3, "text": "the first record"}]
    events = record(conversation)
    assert_valid_agui(events)
    names = [event.get("name", event["type"]) for event in events]
    places = [names.index(name) for name in ("STEP_FINISHED", "turntable.progress", "TOOL_CALL_RESULT")]
    assert places == sorted(places)


def test_progress_is_in_snapshots_and_in_the_recording(conversation: Conversation) -> None:
    seen_by_the_tool(lambda context: context.progress(2, 3))
    turn = ask(conversation, QUESTION)
    call = ToolCall.objects.get().tool_use_id
    messages = Snapshot(str(turn.pk)).apply(record(conversation)).messages
    assert messages[f"call:{call}"]["metadata"]["progress"] == {"toolCallId": call, "done": 2, "of": 3}
    assert any("turntable.progress" in data for data, _ in recordings.turn_frames(turn))


def test_it_is_shown_while_the_tool_runs(conversation: Conversation) -> None:
    def play(context: Context) -> None:
        context.progress(1, 2)
        for _ in range(2000):
            if reports(conversation):
                return
            threading.Event().wait(0.01)

    seen_by_the_tool(play)
    ask(conversation, QUESTION)
    assert len(reports(conversation)) == 1


def test_of_many_reports_few_are_recorded_and_the_last_is(conversation: Conversation) -> None:
    def play(context: Context) -> None:
        for number in range(5000):
            context.progress(number + 1, 5000)

    seen_by_the_tool(play)
    ask(conversation, QUESTION)
    rows = reports(conversation)
    assert rows[-1]["done"] == 5000
    assert len(rows) < 200


def test_threads_of_a_tool_and_coroutines_report_too(conversation: Conversation) -> None:
    @tool
    async def top_song(sign: str, context: Context) -> None:
        await asyncio.to_thread(context.progress, 1, None, "in a thread")
        await asyncio.sleep(0)
        context.progress(2)

    ask(conversation, QUESTION)
    assert reports(conversation)[-1]["done"] == 2


def test_a_call_that_is_over_reports_nothing(conversation: Conversation) -> None:
    contexts = seen_by_the_tool(lambda context: context)
    ask(conversation, QUESTION)
    before = record(conversation)
    contexts[0].progress(1, 1, "too late")
    ask(conversation, "help")
    assert not [event for event in record(conversation)[len(before) :] if "progress" in event.get("name", "")]


def test_reports_become_rarer_the_longer_a_call_takes() -> None:
    """The bound: what an hour of reports comes to."""
    seconds, events = 0.0, 0
    while seconds < 3600:
        seconds += max(progress.INTERVAL, progress.SHARE * seconds)
        events += 1
    assert events < 350
