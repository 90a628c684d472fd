"""A client that sends too much is warned, then closed; one that reads and acknowledges is not."""

import json
import threading
import uuid
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from websockets.exceptions import ConnectionClosed

from conversations import engine
from conversations.models import Conversation, Turn
from conversations.sockets import inbound
from conversations.sockets.inbound import BURST, DEBT, OVERHEAD, WAITING
from tests.servers import NO_PROC, Browser, on_each_server, serving, site
from tests.sockets.pages import Page, page_of
from tests.turns import ask, record

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway")]
MIB = 1024 * 1024


async def codes_until_closed(page: Page) -> tuple[list[str], int]:
    """The codes with which frames are refused, and the code that closes the socket in the end."""
    codes = []
    while (message := await page.communicator.receive_output(timeout=20))["type"] != "websocket.close":
        codes.append(json.loads(message["text"])["value"]["code"])
    return codes, message["code"]


@pytest.mark.parametrize(
    "frame", [{"text_data": "{}"}, {"bytes_data": b"\0"}, {"text_data": '{"type": "ack", "seq": -1}'}]
)
async def test_a_socket_that_goes_on_sending_is_told_and_then_closed_with_1008(
    user: User, conversation: Conversation, frame: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbound, "REFILL", 0)
    async with page_of(user, conversation) as page:
        await page.receive()
        for _ in range((BURST + DEBT) // OVERHEAD + 10):
            await page.communicator.send_to(**frame)
        codes, closed = await codes_until_closed(page)
    assert closed == 1008
    assert codes[-1] == "throttled"
    assert codes.count("throttled") == DEBT // OVERHEAD
    assert len(codes) <= (BURST + DEBT) // OVERHEAD


async def test_large_frames_are_counted_by_their_size(
    user: User, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbound, "REFILL", 0)
    async with page_of(user, conversation) as page:
        await page.receive()
        for _ in range(10):
            await page.communicator.send_to(text_data="x" * (MIB - OVERHEAD))
        assert await codes_until_closed(page) == (["invalid_request"] * 4 + ["throttled"], 1008)


async def test_acknowledging_each_event_of_a_long_record_is_no_flood(
    user: User, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbound, "REFILL", 0)
    monkeypatch.setattr(inbound, "BURST", 0)
    await sync_to_async(ask)(conversation, "show a long answer")
    everything = await sync_to_async(record)(conversation)
    assert len(everything) > 10
    async with page_of(user, conversation, "?after=0") as page:
        assert [await page.receive() for _ in everything] == everything
        await page.send({"type": "ack", "seq": 10**30})
        assert (await page.receive())["value"]["code"] == "throttled"


async def test_a_command_that_takes_long_holds_up_no_frame_and_lets_few_wait(
    user: User, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    going_on = threading.Event()
    monkeypatch.setattr(engine, "stop", lambda conversation, turn: going_on.wait(30))
    async with page_of(user, conversation, "?after=0") as page:
        await page.send({"type": "stop"})
        for _ in range(WAITING // OVERHEAD + 5):
            await page.send({"type": "stop"})
        assert (await page.receive())["value"]["code"] == "throttled"
        await page.send({"type": "fly"})
        while (await page.receive())["value"]["code"] == "throttled":
            pass
        going_on.set()
        await page.ask(" ")
        while "empty" not in (await page.receive())["value"]["message"]:
            await page.ask(" ")


async def test_what_was_sent_just_before_the_page_was_closed_is_done(
    user: User, conversation: Conversation
) -> None:
    async with page_of(user, conversation, "?after=0") as page:
        await page.ask("What is the most popular song on WZPZ?")
    assert await Turn.objects.acount() == 1
    assert await sync_to_async(engine.WORKER.wait)(20)


class Flooding(threading.Thread):
    """A page that sends 200 MB, one at a time, and connects again whenever it is closed."""

    def __init__(self, reader: Browser, address: str) -> None:
        super().__init__()
        self.reader, self.address = reader, address
        self.sent, self.codes = 0, set[int | None]()

    def run(self) -> None:
        while self.sent < 200:
            with self.reader.connect(self.address) as page:
                try:
                    while True:
                        page.send("x" * 1_000_000)
                        self.sent += 1
                except ConnectionClosed as closed:
                    self.codes.add(closed.rcvd.code if closed.rcvd else None)


@NO_PROC
@on_each_server
def test_200_mb_cost_the_server_little_memory_and_nobody_else_their_answer(tmp_path: Path, kind: str) -> None:
    with serving(site(tmp_path), kind=kind) as server:
        reader = Browser()
        address = reader.open(server.url + server.path).url
        before = server.peak
        flooding = Flooding(reader, address)
        with reader.connect(address) as page:
            page.recv(timeout=20)
            flooding.start()
            page.send(json.dumps({"type": "message", "id": str(uuid.uuid4()), "text": "hello"}))
            while "RUN_FINISHED" not in str(page.recv(timeout=30)):
                pass
        flooding.join(timeout=90)
        assert flooding.sent >= 200
        assert 1008 in flooding.codes
        assert server.peak - before < 50
