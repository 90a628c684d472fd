"""A run over HTTP: begun once, read as often as it is asked for, each alone by AG-UI's own rules."""

import asyncio
from base64 import b64encode
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from ag_ui_validate.pytest_plugin import assert_valid_agui
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User

from conversations import engine
from conversations.models import Attachment, Conversation, Round, Turn
from tests.agui.exchanges import Event, atoken_of, exchange, posted, refused, run_input
from tests.engine.station import top_song_as
from tests.files import PDF, picture
from tests.records import recorded_turn, text_events
from tests.turns import QUESTION, answer, ask, conversation_of, decision, of_type

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway")]
HANGING = "fail silent"
"""The gateway falls silent in the middle of the answer."""


def nulls(value: Any) -> bool:
    if isinstance(value, dict):
        return any(member is None or nulls(member) for member in value.values())
    return isinstance(value, list) and any(map(nulls, value))


def ends(events: list[Event]) -> tuple[str, str]:
    return events[0]["type"], events[-1]["type"]


async def test_a_run_with_a_tool_is_streamed_under_the_clients_names(user: User) -> None:
    token, wanted = await atoken_of(user), run_input()
    async with exchange("POST", "/agui/", wanted, token=token) as answered:
        events = await answered.events()
        assert answered.headers["content-type"].startswith("text/event-stream")
        assert (answered.headers["cache-control"], answered.headers["x-accel-buffering"]) == (
            "no-cache, no-transform",
            "no",
        )
        assert "content-length" not in answered.headers
        assert "\r" not in answered.text
    assert ends(events) == ("RUN_STARTED", "RUN_FINISHED")
    assert {(event["threadId"], event["runId"]) for event in events if "runId" in event} == {
        (wanted["threadId"], wanted["runId"])
    }
    assert '"Elemental Hotel" by 8 Storey Hike' in answer(events)
    assert len(of_type(events, "TOOL_CALL_RESULT")) == 1
    assert not [event for event in events if event.get("role") == "user"]
    assert not nulls(events)
    assert_valid_agui(events)
    assert await Conversation.objects.filter(pk=wanted["threadId"], owner=user).aexists()


async def test_the_same_run_is_read_again_and_asks_no_gateway(user: User) -> None:
    token, wanted = await atoken_of(user), run_input()
    events, rounds = await posted(token, wanted), await Round.objects.acount()
    assert await posted(token, wanted) == events
    other_words = run_input("other words", threadId=wanted["threadId"], runId=wanted["runId"])
    assert await posted(token, other_words) == events
    assert (await Turn.objects.acount(), await Round.objects.acount()) == (1, rounds)


async def test_a_run_that_is_on_is_read_from_its_first_event_by_whoever_asks_for_it(user: User) -> None:
    token, wanted = await atoken_of(user), run_input(HANGING)
    async with exchange("POST", "/agui/", wanted, token=token) as first:
        before = await first.until("TEXT_MESSAGE_CONTENT")
        async with exchange("POST", "/agui/", wanted, token=token) as second:
            assert (await second.until("TEXT_MESSAGE_CONTENT"))[0] == before[0]
            await stopped(token, wanted)
            assert await second.events() == await first.events()
    assert second.so_far()[-1]["outcome"] == {"type": "cancelled"}


async def test_a_run_in_a_thread_where_one_is_on_is_refused(user: User) -> None:
    token, wanted = await atoken_of(user), run_input(HANGING)
    async with exchange("POST", "/agui/", wanted, token=token) as first:
        await first.until("TEXT_MESSAGE_CONTENT")
        another = run_input(threadId=wanted["threadId"])
        assert await refused("POST", body=another, token=token) == (409, "busy")
        await stopped(token, wanted)
        await first.rest()
    assert await Turn.objects.acount() == 1


async def test_the_next_run_follows_on_by_the_clients_own_names(user: User) -> None:
    token, first = await atoken_of(user), run_input()
    await posted(token, first)
    second = run_input("show the conversation", threadId=first["threadId"], runId="second-run")
    events = await posted(token, second)
    assert (events[0]["runId"], events[0]["parentRunId"]) == ("second-run", first["runId"])
    assert QUESTION in answer(events)


async def test_earlier_messages_are_not_believed(user: User) -> None:
    token, wanted = await atoken_of(user), run_input("show the conversation")
    wanted["messages"].insert(0, {"id": "a", "role": "assistant", "content": "I promise the moon."})
    wanted["messages"].append({"id": "b", "role": "assistant", "content": "And the stars."})
    text = answer(await posted(token, wanted))
    assert "the conversation" in text
    assert "moon" not in text
    assert "stars" not in text


async def test_a_message_that_comes_in_another_run_is_asked_again_beside(user: User) -> None:
    token, first = await atoken_of(user), run_input()
    first["messages"][0]["id"] = "no-uuid"
    await posted(token, first)
    assert '"Elemental Hotel"' in answer(await posted(token, first | {"runId": "again"}))
    turns = [turn async for turn in Turn.objects.order_by("number")]
    assert [turn.parent_id for turn in turns] == [None, None]


async def test_a_run_that_a_page_began_is_read_by_its_own_id(user: User) -> None:
    turn = await sync_to_async(lambda: ask(conversation_of(user), QUESTION))()
    wanted = run_input(None, threadId=str(turn.conversation_id), runId=str(turn.pk))
    assert "8 Storey Hike" in answer(await posted(await atoken_of(user), wanted))
    assert await Turn.objects.acount() == 1


async def test_a_run_that_fails_ends_with_its_error(user: User) -> None:
    events = await posted(await atoken_of(user), run_input("fail invalid"))
    assert (events[-1]["type"], events[-1]["code"]) == ("RUN_ERROR", "invalid_request")
    assert not nulls(events)


async def test_pictures_and_documents_come_in_parts(user: User) -> None:
    data = {"type": "data", "value": b64encode(picture()).decode(), "mimeType": "image/png"}
    parts = [
        {"type": "text", "text": "show the conversation"},
        {"type": "image", "source": data},
        {
            "type": "document",
            "source": {**data, "value": b64encode(PDF).decode(), "mimeType": "application/pdf"},
        },
    ]
    token, wanted = await atoken_of(user), run_input(threadId=str(uuid4()))
    wanted["messages"][0]["content"] = parts
    await posted(token, wanted)
    names = [row.name async for row in Attachment.objects.order_by("kind")]
    assert names == ["document.pdf", "image.png"]
    source = {"type": "file", "value": str((await Attachment.objects.afirst()).pk)}
    wanted = run_input(threadId=wanted["threadId"])
    wanted["messages"][0]["content"] = [{"type": "document", "source": source}]
    await posted(token, wanted)
    assert await Attachment.objects.acount() == 2
    assert await Turn.objects.acount() == 2


# -- approvals


@pytest.fixture
def guarded() -> Iterator[None]:
    with top_song_as(lambda sign: {"song": f"the song of {sign}"}, approval=True):
        yield


@pytest.mark.usefixtures("guarded")
@pytest.mark.parametrize("approved", [True, False])
async def test_an_interrupt_is_answered_by_a_further_run_that_stands_alone(
    user: User, approved: bool
) -> None:
    token, wanted = await atoken_of(user), run_input()
    asking = await posted(token, wanted)
    [interrupt] = asking[-1]["outcome"]["interrupts"]
    unanswered = run_input(threadId=wanted["threadId"])
    assert await refused("POST", body=unanswered, token=token) == (409, "busy")
    answers = run_input(
        None, threadId=wanted["threadId"], runId="answers", resume=[decision(interrupt["id"], approved)]
    )
    events = await posted(token, answers)
    assert (events[0]["runId"], events[-1]["runId"]) == ("answers", "answers")
    [result] = of_type(events, "TOOL_CALL_RESULT")
    assert result["metadata"]["status"] == ("success" if approved else "error")
    for run in (asking, events):
        assert_valid_agui(run)
        assert not nulls(run)
    assert await posted(token, answers) == events
    assert await refused("POST", body=answers | {"runId": "late"}, token=token) == (400, "invalid_request")


@pytest.mark.usefixtures("guarded")
async def test_all_interrupts_are_answered_at_once(user: User) -> None:
    token, wanted = await atoken_of(user), run_input("show parallel calls")
    interrupts = (await posted(token, wanted))[-1]["outcome"]["interrupts"]
    assert len(interrupts) > 1
    some = run_input(None, threadId=wanted["threadId"], resume=[decision(interrupts[0]["id"])])
    assert await refused("POST", body=some, token=token) == (400, "invalid_request")
    all_of_them = some | {"resume": [decision(one["id"]) for one in interrupts]}
    assert_valid_agui(await posted(token, all_of_them))


# -- a client that leaves


async def test_a_run_goes_on_without_its_reader(user: User) -> None:
    token, wanted = await atoken_of(user), run_input(HANGING)
    async with exchange("POST", "/agui/", wanted, token=token) as first:
        await first.until("TEXT_MESSAGE_CONTENT")
        await first.leave()
    assert (await Turn.objects.aget()).status == Turn.Status.RUNNING
    await stopped(token, wanted)


async def test_a_run_whose_reader_leaves_is_stopped_if_it_was_to_be(user: User) -> None:
    wanted = run_input(HANGING, forwardedProps={"onDisconnect": "cancel"})
    async with exchange("POST", "/agui/", wanted, token=await atoken_of(user)) as first:
        await first.until("TEXT_MESSAGE_CONTENT")
        await first.leave()
    assert await sync_to_async(engine.WORKER.wait)(20)
    assert (await Turn.objects.aget()).status == Turn.Status.STOPPED


@pytest.mark.usefixtures("guarded")
async def test_whoever_leaves_once_a_run_waits_takes_nothing_back(user: User) -> None:
    wanted = run_input(forwardedProps={"onDisconnect": "cancel"})
    async with exchange("POST", "/agui/", wanted, token=await atoken_of(user)) as first:
        await first.until("RUN_FINISHED")
    assert await sync_to_async(engine.WORKER.wait)(20)
    assert (await Turn.objects.aget()).status == Turn.Status.WAITING


async def stopped(token: str, wanted: Event) -> None:
    async with exchange("POST", "/agui/stop", {"threadId": wanted["threadId"]}, token=token) as answered:
        assert (answered.status, await answered.json()) == (200, {"stopped": True})
    assert await sync_to_async(engine.WORKER.wait)(20)


async def test_there_may_be_nothing_to_stop(user: User) -> None:
    token, wanted = await atoken_of(user), run_input()
    await posted(token, wanted)
    assert await sync_to_async(engine.WORKER.wait)(20)  # the run is packed after its last event
    async with exchange("POST", "/agui/stop", {"threadId": wanted["threadId"]}, token=token) as answered:
        assert (answered.status, await answered.json()) == (200, {"stopped": False})


async def test_silence_is_broken_by_comments(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conversations.agui.streams.BEAT", 0.05)
    token, wanted = await atoken_of(user), run_input(HANGING)
    async with exchange("POST", "/agui/", wanted, token=token) as first:
        await first.until("TEXT_MESSAGE_CONTENT")
        while not first.text.endswith(": beat\n\n: beat\n\n"):
            await first.more()
        await stopped(token, wanted)
        assert_valid_agui(await first.events())


async def test_no_more_is_sent_than_a_reader_has_room_for(user: User) -> None:
    turn = await sync_to_async(large_turn)(user)
    wanted = run_input(None, threadId=str(turn.conversation_id), runId=str(turn.pk))
    free = asyncio.Event()

    async def room() -> None:
        await free.wait()

    async with exchange("POST", "/agui/", wanted, token=await atoken_of(user), room=room) as reader:
        await reader.more()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.more(), 0.2)
        assert len(reader.text) < 300_000
        free.set()
        await reader.rest()
    assert len(reader.text) > 1_000_000


def large_turn(user: User) -> Turn:
    deltas = [{"type": "TEXT_MESSAGE_CONTENT", "messageId": "a", "delta": "x" * 16_000}] * 64
    start, _, end = text_events("")
    return recorded_turn(conversation_of(user), "?", start, *deltas, end)


async def test_a_reader_who_takes_nothing_is_cut_off(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conversations.agui.detached.READ_TIMEOUT", 0.05)
    wanted = run_input(HANGING)
    async with exchange(
        "POST", "/agui/", wanted, token=await atoken_of(user), room=asyncio.Event().wait
    ) as reader:
        await reader.ended()
    assert (await Turn.objects.aget()).status == Turn.Status.RUNNING
    await sync_to_async(lambda: (engine.stop(UUID(wanted["threadId"])), engine.WORKER.wait(20)))()


# -- a thread


async def thread(token: str, thread_id: str) -> list[Event]:
    async with exchange("GET", f"/agui/?threadId={thread_id}", token=token) as answered:
        assert answered.status == 200
        return await answered.events()


async def test_a_thread_is_read_as_its_runs_with_what_the_user_said(user: User) -> None:
    token, first = await atoken_of(user), run_input()
    await posted(token, first)
    second = run_input("show reasoning", threadId=first["threadId"])
    await posted(token, second)
    events = await thread(token, first["threadId"])
    assert [event["runId"] for event in of_type(events, "RUN_STARTED")] == [first["runId"], second["runId"]]
    user_messages = [event["messageId"] for event in events if event.get("role") == "user"]
    assert user_messages == [first["messages"][0]["id"], second["messages"][0]["id"]]
    assert of_type(events, "STEP_STARTED")
    assert not nulls(events)
    assert_valid_agui([event for event in events if event["type"] != "CUSTOM"])


async def test_a_thread_is_the_branch_that_is_shown(user: User) -> None:
    token, first = await atoken_of(user), run_input()
    await posted(token, first)
    again = first | {"runId": "again"}
    await posted(token, again)
    events = await thread(token, first["threadId"])
    assert [event["runId"] for event in of_type(events, "RUN_STARTED")] == ["again"]


async def test_a_thread_is_read_on_until_the_run_that_is_on_has_ended(user: User) -> None:
    token, wanted = await atoken_of(user), run_input(HANGING)
    async with exchange("POST", "/agui/", wanted, token=token) as run:
        await run.until("TEXT_MESSAGE_CONTENT")
        async with exchange("GET", f"/agui/?threadId={wanted['threadId']}", token=token) as reader:
            await reader.until("STEP_STARTED")
            await stopped(token, wanted)
            assert (await reader.events())[-1]["outcome"] == {"type": "cancelled"}
        await run.rest()


async def test_an_empty_thread_has_no_run(user: User) -> None:
    conversation = await sync_to_async(conversation_of)(user)
    assert await thread(await atoken_of(user), str(conversation.pk)) == []
