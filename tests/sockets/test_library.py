"""A user's pages hear of changes to their own conversations, in every process."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.utils import timezone
from pytest_django.fixtures import Settings
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from conversations import engine
from conversations.engine import notices
from conversations.journal import HUB, doorbell
from conversations.models import Conversation
from conversations.sockets import library, sessions
from tests.gateway.wire import Answer, Request, WireServer, answer_frames
from tests.lost_turns import pending_approvals
from tests.servers import Browser, serving, site
from tests.sockets.pages import Page, socket_of
from tests.turns import ask, conversation_of, decision

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway")]
SONG = "What is the most popular song on WZPZ?"


@asynccontextmanager
async def library_of(user: User, query: str = "") -> AsyncIterator[tuple[Page, dict[str, Any]]]:
    """A page's library socket, and the value of its first frame."""
    async with socket_of(user, f"/library/socket/{query}") as page:
        yield page, (await page.receive())["value"]


async def value(page: Page) -> dict[str, Any]:
    """The value of the next frame."""
    frame = await page.receive()
    assert frame["name"] == "turntable.library"
    return dict(frame["value"])


async def until(page: Page, mark: str) -> dict[str, Any]:
    """The value of the first frame with this mark."""
    while (change := await value(page))["mark"] != mark:
        pass
    return change


def approve(conversation: Conversation, call: str) -> None:
    engine.resume(conversation, conversation.owner, [decision(call)])


async def test_a_turn_marks_its_conversation_running_then_unread_until_it_is_seen(
    user: User, conversation: Conversation
) -> None:
    async with library_of(user) as (page, first), socket_of(user, "/library/socket/") as other:
        assert first == {"waiting": 0, "stale": True}
        await sync_to_async(ask)(conversation, SONG)
        unread = await until(page, "unread")
        assert unread | {"updatedAt": ""} == {
            "conversation": str(conversation.pk), "title": SONG, "mark": "unread", "words": "Unread",
            "updatedAt": "", "pinned": False, "archived": False, "deleted": False, "waiting": 0,
        }  # fmt: skip
        await page.send({"type": "seen", "conversation": str(conversation.pk)})
        assert (await value(page))["mark"] == ""
        await other.receive()
        assert (await until(other, "unread"))["mark"] == "unread"
        assert (await value(other))["mark"] == ""


async def test_a_running_turn_is_told_while_it_runs(
    user: User, conversation: Conversation, settings: Settings
) -> None:
    gate = threading.Event()

    def answer(_: Request) -> Answer:
        gate.wait(20)
        return Answer.stream(*answer_frames("Hello."))

    with WireServer([answer]) as server:
        settings.GATEWAY_URL = server.url
        async with library_of(user) as (page, _):
            await sync_to_async(engine.start)(conversation.pk, str(conversation.pk), "Hello?")
            assert (await value(page))["words"] == "Running"
            gate.set()
            assert (await value(page))["words"] == "Unread"


async def test_each_decision_changes_the_number_that_waits(user: User, conversation: Conversation) -> None:
    await sync_to_async(pending_approvals)(conversation, "one", "two")
    async with library_of(user) as (page, first):
        assert first["waiting"] == 2
        await sync_to_async(approve)(conversation, "one")
        change = await value(page)
        assert (change["words"], change["waiting"]) == ("Waiting for approval", 1)


async def test_nobody_hears_of_what_is_somebody_elses(
    user: User, other_user: User, conversation: Conversation
) -> None:
    theirs = await sync_to_async(conversation_of)(other_user)
    await sync_to_async(pending_approvals)(theirs, "one")
    after = f"?after={int(time.time() * 1000) - 60_000}"
    async with library_of(user, after) as (page, first):
        assert first == {"waiting": 0, "stale": False}
        assert (await value(page))["conversation"] == str(conversation.pk)
        await page.send({"type": "seen", "conversation": str(theirs.pk)})
        await sync_to_async(approve)(theirs, "one")
        await sync_to_async(engine.change)([conversation.pk], title="Own")
        assert (await value(page))["title"] == "Own"


async def test_a_page_that_comes_back_is_told_what_has_changed_since(
    user: User, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "MOST", 2)
    long_ago = timezone.now() - 10 * library.OVERLAP
    await Conversation.objects.filter(pk=conversation.pk).aupdate(changed_at=long_ago)
    after = f"?after={int(time.time() * 1000)}"
    others = [await sync_to_async(conversation_of)(user, title=title) for title in "ab"]
    async with library_of(user, after) as (page, first):
        assert not first["stale"]
        assert [(await value(page))["title"] for _ in others] == ["b", "a"]
    await sync_to_async(conversation_of)(user, title="one more than are told")
    async with library_of(user, after) as (_, first):
        assert first["stale"]


@pytest.mark.parametrize("query", ["?after=x", "?after=99999999999999", "?after=-1"])
async def test_a_page_that_names_no_time_is_to_load_its_list_anew(user: User, query: str) -> None:
    async with library_of(user, query) as (_, first):
        assert first["stale"]


async def test_a_change_of_another_process_is_seen_by_its_time_once(
    user: User, conversation: Conversation
) -> None:
    since = timezone.now()
    async with library_of(user) as (page, _):
        changed = Conversation.objects.filter(pk=conversation.pk)
        await changed.aupdate(title="From elsewhere", changed_at=timezone.now())
        for _ in range(2):
            await doorbell._poll(HUB, notices.current_notices, since)
            await page.communicator.receive_nothing(timeout=0.1)
        assert (await value(page))["title"] == "From elsewhere"
        await sync_to_async(engine.change)([conversation.pk], title="From here")
        assert (await value(page))["title"] == "From here"


async def test_without_a_session_there_is_nothing_to_hear(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with socket_of(None, "/library/socket/") as page:
        assert await page.closed() == 4401
    monkeypatch.setattr(sessions, "CHECK_EVERY", 0.05)
    async with library_of(user) as (page, _):
        await Session.objects.all().adelete()
        assert await page.closed() == 4401


async def test_a_frame_that_is_none_is_refused_and_a_flood_ends_the_socket(user: User) -> None:
    async with library_of(user) as (page, _):
        for frame in ({"type": "seen"}, {"type": "seen", "conversation": 7}, [], "seen"):
            await page.send(frame)
            assert (await page.receive())["name"] == "turntable.refused"
        for _ in range(400):
            await page.send({"type": "heard"})
        assert await page.closed() == 1008


async def test_of_what_a_page_does_not_acknowledge_the_newest_state_waits(
    user: User, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "WINDOW", 1)
    async with library_of(user) as (page, _):  # whose first frame fills it
        for title in ("one", "other"):
            await sync_to_async(engine.change)([conversation.pk], title=title)
            assert await page.communicator.receive_nothing(timeout=0.2)
        await page.send({"type": "heard"})
        assert (await value(page))["title"] == "other"
        monkeypatch.setattr(library, "MOST", 1)
        others = [(await sync_to_async(conversation_of)(user)).pk for _ in range(3)]
        await sync_to_async(engine.change)(others)
        assert await page.closed() == 4008


async def test_a_server_that_ends_lets_its_pages_come_back(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with library_of(user) as (page, _):
        monkeypatch.setattr(sessions.SOCKETS, "is_finishing", False)  # so that it is put back
        finishing = asyncio.create_task(sessions.SOCKETS.finish(10))
        assert await page.closed() == 1012
    await asyncio.wait_for(finishing, 20)


# -- in other processes


@pytest.mark.processes
def test_a_turn_of_one_server_is_marked_on_the_pages_of_another_within_two_seconds(tmp_path: Path) -> None:
    environment = site(tmp_path)
    reader = Browser()
    with serving(environment) as server, serving(environment) as other:
        address = reader.open(server.url + server.path).url
        with library_at(other.url, reader) as library, reader.connect(address) as page:
            page.send(json.dumps({"type": "message", "id": str(uuid4()), "text": "show slow"}))
            while not page.recv(timeout=20).count('"RUN_STARTED"'):
                pass
            began = time.monotonic()
            assert mark(library) == "running"
            assert time.monotonic() - began < 2.5
            page.send(json.dumps({"type": "stop"}))
            while mark(library):
                pass


def library_at(url: str, reader: Browser) -> ClientConnection:
    """The library's socket of a page that has just been made by the server."""
    return connect(
        f"{url.replace('http', 'ws', 1)}/library/socket/?after={time.time_ns() // 1_000_000}",
        origin=Origin(url),
        additional_headers={"Cookie": reader.cookie},
    )


def mark(library: ClientConnection) -> str:
    """The mark of the next frame about a conversation, but for that of its beginning."""
    value = json.loads(library.recv(timeout=20))["value"]
    return str(value["mark"]) if value.get("title") else mark(library)
