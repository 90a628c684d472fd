"""The websocket: who gets in, where a record begins, what frames do, how slow a reader is."""

import asyncio
import json
import threading
import uuid
from contextlib import closing

import pytest
from ag_ui_validate.pytest_plugin import assert_valid_agui
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django.fixtures import Settings

from conversations import demo_gateway as demo
from conversations import engine
from conversations.models import Conversation, Turn
from tests.records import running
from tests.resources import elsewhere
from tests.sockets.pages import page_of
from tests.turns import QUESTION, answer, ask, conversation_of, of_type, record

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway")]


async def test_a_message_is_answered_event_by_event(user: User, conversation: Conversation) -> None:
    async with page_of(user, conversation, "?after=0") as page:
        message_id = await page.ask(QUESTION)
        events = await page.until_end()
    assert events[0]["type"] == "RUN_STARTED"
    assert events[1]["messageId"] == message_id
    assert "Elemental Hotel" in answer(events)
    assert [e["metadata"]["seq"] for e in events] == list(range(1, len(events) + 1))
    assert_valid_agui(events)
    await settled()


async def test_two_tabs_see_the_same(user: User, conversation: Conversation) -> None:
    async with (
        page_of(user, conversation, "?after=0") as one,
        page_of(user, conversation, "?after=0") as other,
    ):
        await one.ask(QUESTION)
        assert await one.until_end() == await other.until_end()
    await settled()


async def test_whoever_comes_back_with_any_seq_misses_nothing_and_gets_nothing_twice(
    user: User, conversation: Conversation
) -> None:
    await sync_to_async(ask)(conversation, "show parallel calls")
    everything = await sync_to_async(record)(conversation)
    for after in range(0, len(everything) - 1, 5):
        async with page_of(user, conversation, f"?after={after}") as page:
            assert [await page.receive() for _ in everything[after:]] == everything[after:]


async def test_a_reload_in_mid_answer_goes_on_where_the_snapshot_ends(
    user: User, conversation: Conversation
) -> None:
    async with page_of(user, conversation, "?after=0") as first:
        await first.ask("show a long answer")
        await first.until("TEXT_MESSAGE_CONTENT")
        async with page_of(user, conversation) as second:
            snapshot = await second.receive()
            rest = [] if _ended(snapshot) else await second.until_end()
        await first.until_end()
        events = first.frames
    assert snapshot["type"] == "MESSAGES_SNAPSHOT"
    assert rest == events[snapshot["metadata"]["seq"] :]
    await settled()


def _ended(snapshot: dict) -> bool:  # type: ignore[type-arg]
    return snapshot["metadata"]["turns"][-1]["status"] != "running"


@pytest.mark.parametrize(
    "query", ["", "?after=99", "?after=-1", "?after=x", "?after=1.5", "?after=" + "9" * 30]
)
async def test_without_a_good_after_the_first_frame_is_a_snapshot(
    user: User, conversation: Conversation, query: str
) -> None:
    turn = await sync_to_async(ask)(conversation, QUESTION)
    async with page_of(user, conversation, query) as page:
        snapshot = await page.receive()
    assert snapshot["type"] == "MESSAGES_SNAPSHOT"
    assert snapshot["metadata"]["seq"] == len(await sync_to_async(record)(conversation))
    assert isinstance(snapshot["timestamp"], int)
    roles = [message["role"] for message in snapshot["messages"]]
    assert roles == ["user", "assistant", "assistant", "tool", "assistant"]
    assert snapshot["messages"][-1]["id"] == f"{turn.pk}:2:0"


async def test_no_session_is_4401_and_somebody_elses_conversation_4404(
    user: User, other_user: User, conversation: Conversation
) -> None:
    for who, target, code in (
        (None, conversation, 4401), (other_user, conversation, 4404), (user, uuid.uuid4(), 4404),
    ):  # fmt: skip
        async with page_of(who, target) as page:
            assert await page.closed() == code


WRONG = [
    ("not json", "invalid_request"), ("[]", "invalid_request"), ("7", "invalid_request"),
    ("{}", "invalid_request"), ('{"type": 5}', "invalid_request"), ('{"type": ["message"]}', "invalid_request"),
    ('{"type": "fly"}', "invalid_request"), ("[" * 5000, "invalid_request"), ('{"type": "message"}', "invalid_request"),
    ('{"type": "message", "id": "x", "text": "hi"}', "invalid_request"), ('{"type": "ack", "seq": true}', "invalid_request"),
    ('{"type": "ack"}', "invalid_request"), ('{"type": "regenerate"}', "invalid_request"), ('{"type": "edit"}', "invalid_request"),
    ('{"type": "resume"}', "invalid_request"), ('{"type": "resume", "resume": [7]}', "invalid_request"),
    ('{"type": "resume", "resume": [{"interruptId": "t", "status": "resolved"}]}', "invalid_request"),
    ('{"type": "withdraw"}', "invalid_request"), ('{"type": "branch", "turn": ["x"]}', "invalid_request"),
    ('{"type": "run", "call": {"a": 1}}', "invalid_request"), ('{"type": "draft", "text": 7}', "invalid_request"),
]  # fmt: skip


@pytest.mark.parametrize(("frame", "code"), WRONG)
async def test_a_wrong_frame_is_answered_and_the_socket_stays_open(
    user: User, conversation: Conversation, frame: str, code: str
) -> None:
    async with page_of(user, conversation, "?after=0") as page:
        await page.communicator.send_to(text_data=frame)
        refused = await page.receive()
        assert (refused["name"], refused["value"]["code"]) == ("turntable.refused", code)
        assert "metadata" not in refused
        assert isinstance(refused["timestamp"], int)
        message_id = str(uuid.uuid4())
        await page.send({"type": "message", "id": message_id, "text": " "})
        assert (await page.receive())["value"]["id"] == message_id
    assert not await Turn.objects.aexists()


async def test_a_binary_frame_is_refused(user: User, conversation: Conversation) -> None:
    async with page_of(user, conversation, "?after=0") as page:
        await page.communicator.send_to(bytes_data=b"\x00")
        assert (await page.receive())["name"] == "turntable.refused"


async def test_a_message_while_a_turn_runs_is_queued_and_every_tab_is_told(
    user: User, conversation: Conversation, settings: Settings
) -> None:
    settings.GATEWAY_TIMEOUT = 30
    async with (
        page_of(user, conversation, "?after=0") as one,
        page_of(user, conversation, "?after=0") as other,
    ):
        await one.ask("fail timeout")
        await one.until("STEP_STARTED")
        await other.until("STEP_STARTED")
        waiting = await one.ask("help")
        for page in (one, other):
            notice = await page.receive()
            assert notice["name"] == "turntable.queued"
            assert notice["value"] == [{"id": waiting, "text": "help"}]
        await other.send({"type": "stop"})
        assert (await one.until_end())[-1]["outcome"] == {"type": "cancelled"}
        events = await one.until_end()
    assert waiting in [e.get("messageId") for e in events]
    assert events[-1]["outcome"] == {"type": "success"}
    await settled()


async def test_a_reader_that_does_not_acknowledge_is_waited_for_and_then_gets_the_rest(
    user: User, conversation: Conversation
) -> None:
    text = "x" * 100_000
    for _ in range(4):
        await sync_to_async(ask)(conversation, text)
    everything = await sync_to_async(record)(conversation)
    async with page_of(user, conversation, "?after=0", acknowledges=False) as page:
        size = 0
        while size < 256 * 1024:
            size += len(json.dumps(await page.receive()))
        assert await page.communicator.receive_nothing(timeout=0.3)
        assert len(page.frames) < len(everything)
        page.acknowledges = True
        await page.send({"type": "ack", "seq": page.frames[-1]["metadata"]["seq"]})
        while len(page.frames) < len(everything):
            await page.receive()
    assert page.frames == everything


@pytest.mark.parametrize("seq", [-1, 10**6, 10**30])
async def test_an_acknowledgement_beyond_what_was_sent_is_refused_and_acknowledges_nothing(
    user: User, conversation: Conversation, seq: int
) -> None:
    for _ in range(4):
        await sync_to_async(ask)(conversation, "x" * 100_000)
    async with page_of(user, conversation, "?after=0", acknowledges=False) as page:
        size = 0
        while size < 256 * 1024:
            size += len(json.dumps(await page.receive()))
        last = page.frames[-1]["metadata"]["seq"]
        await page.send({"type": "ack", "seq": seq})
        assert await page.communicator.receive_nothing(timeout=0.3)
        await page.send({"type": "ack", "seq": last})
        refused = await page.receive()
        while "metadata" in refused:
            refused = await page.receive()
    assert (refused["name"], refused["value"]["code"]) == ("turntable.refused", "invalid_request")
    assert "acknowledged" in refused["value"]["message"]


async def test_a_reader_that_lets_the_server_wait_too_long_is_closed_with_4008(
    user: User, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conversations.sockets.cursor.ACK_TIMEOUT", 0.1)
    for _ in range(4):
        await sync_to_async(ask)(conversation, "x" * 100_000)
    async with page_of(user, conversation, "?after=0", acknowledges=False) as page:
        assert await page.closed() == 4008


async def test_a_snapshot_holds_the_newest_messages_that_fit_and_names_the_oldest(
    user: User, conversation: Conversation
) -> None:
    for _ in range(7):
        await sync_to_async(ask)(conversation, "x" * 100_000)
    async with page_of(user, conversation) as page:
        snapshot = await page.receive()
    assert len(json.dumps(snapshot).encode()) < 600 * 1024
    assert snapshot["metadata"]["before"] == snapshot["messages"][0]["id"]
    assert of_type(await sync_to_async(record)(conversation), "RUN_FINISHED")


async def test_events_of_another_process_arrive_by_themselves(user: User, conversation: Conversation) -> None:
    from conversations.journal.doorbell import run_doorbell
    from conversations.journal.hub import HUB

    async with page_of(user, conversation, "?after=0") as page:
        listening, HUB._sockets = HUB._sockets, {}
        await sync_to_async(ask)(conversation, QUESTION)
        HUB._sockets = listening
        looking = asyncio.create_task(run_doorbell(engine.current_notices))
        events = await page.until_end()
        looking.cancel()
    assert events == await sync_to_async(record)(conversation)


async def test_a_stop_waits_for_no_other_command_and_no_database(
    user: User, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped, going_on, stored = asyncio.Event(), threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop_here(pk: uuid.UUID, turn: uuid.UUID | None) -> uuid.UUID:
        if pk == conversation.pk:
            stopped.set()
        return uuid.uuid4()

    monkeypatch.setattr(engine, "keep_draft", lambda conversation, text: going_on.wait(30))
    monkeypatch.setattr(engine, "stop", lambda pk, turn: loop.call_soon_threadsafe(stored.set))
    monkeypatch.setattr(engine, "stop_here", stop_here)
    async with page_of(user, conversation) as page:
        await page.receive()
        await page.send({"type": "draft", "text": "x"})
        await page.send({"type": "stop"})
        await asyncio.wait_for(stopped.wait(), 20)
        assert not stored.is_set()
        going_on.set()
        await asyncio.wait_for(stored.wait(), 20)


async def test_a_stop_that_is_stored_late_does_not_stop_the_message_behind(
    user: User, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop_here(pk: uuid.UUID, turn: uuid.UUID | None) -> uuid.UUID:
        first = elsewhere(lambda: Turn.objects.get(number=1).pk)

        def end_and_begin() -> None:
            Turn.objects.filter(number=1).update(status="stopped")
            Turn.objects.filter(number=2).update(status="running", started_at=timezone.now())

        elsewhere(end_and_begin)
        return first

    for number, status in ((1, "running"), (2, "queued")):
        await sync_to_async(running)(conversation, number, status=status, started_at=timezone.now())
    async with page_of(user, conversation) as page:
        await page.receive()
        monkeypatch.setattr(engine, "stop_here", stop_here)
        await page.send({"type": "stop"})
        await page.ask(" ")
        await page.until("CUSTOM")
    assert [turn.stop_requested_at async for turn in Turn.objects.order_by("number")] == [None, None]
    assert (await Turn.objects.aget(number=2)).status == "running"


async def test_whoever_does_not_own_a_conversation_stops_nothing_before_the_owner_is_known(
    user: User, other_user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped: list[uuid.UUID] = []
    theirs = await sync_to_async(conversation_of)(other_user)
    monkeypatch.setattr(engine, "stop_here", lambda pk, turn: stopped.append(pk))
    async with page_of(user, theirs) as page:
        await page.send({"type": "stop"})
        assert await page.closed() == 4404
        await page.send({"type": "stop"})
    assert stopped == []


async def test_a_stop_that_names_its_turn_stops_no_other(
    user: User, conversation: Conversation, settings: Settings
) -> None:
    with closing(demo.start()) as slow:
        settings.GATEWAY_URL = slow.url
        await _stop_by_name(user, conversation)


async def _stop_by_name(user: User, conversation: Conversation) -> None:
    async with page_of(user, conversation, "?after=0") as page:
        await page.ask("show a long answer")
        run = (await page.until("STEP_STARTED"))[0]["runId"]
        for turn in (str(uuid.uuid4()), "none"):
            await page.send({"type": "stop", "turn": turn})
        while (await page.until("CUSTOM"))[-1]["name"] != "turntable.refused":
            pass
        assert page.frames[-1]["value"]["code"] == "invalid_request"
        for _ in range(10):  # more than can be on their way
            await page.until("TEXT_MESSAGE_CONTENT")
        assert "RUN_FINISHED" not in [frame["type"] for frame in page.frames]
        assert await Turn.objects.filter(pk=run, stop_requested_at=None).aexists()
        await page.send({"type": "stop", "turn": run})
        assert (await page.until_end())[-1]["outcome"] == {"type": "cancelled"}
    await settled()


async def settled() -> None:
    """Leaves no turn running behind a test."""
    assert await sync_to_async(engine.WORKER.wait)(20)
