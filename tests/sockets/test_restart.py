"""A server that ends sends its sockets the rest of their frames and closes them."""

import asyncio
import json
from pathlib import Path
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from conversations.models import Conversation
from conversations.sockets.consumer import ChatConsumer
from conversations.sockets.sessions import RESTART, SOCKETS, Sockets
from tests.servers import manage, on_each_server, site, slow_turn
from tests.sockets.pages import page_of


class Fake:
    """A socket that leaves when it is asked to, or not."""

    session, owner = "s", 1

    def __init__(self, sockets: Sockets, *, finishes: bool, answers: bool = True) -> None:
        self.sockets, self.finishes, self.answers = sockets, finishes, answers
        self.codes: list[int] = []
        sockets.add(self)

    def finish(self) -> None:
        if self.finishes:
            asyncio.get_running_loop().call_soon(self.sockets.remove, self)

    async def leave(self, code: int) -> None:
        self.codes.append(code)
        if self.answers:
            self.sockets.remove(self)


async def test_sockets_that_finish_by_themselves_are_waited_for() -> None:
    sockets = Sockets()
    one, other = (Fake(sockets, finishes=True) for _ in range(2))
    await asyncio.wait_for(sockets.finish(60), 10)
    assert (one.codes, other.codes) == ([], [])


async def test_one_that_does_not_finish_in_time_is_closed() -> None:
    sockets = Sockets()
    fast, slow = Fake(sockets, finishes=True), Fake(sockets, finishes=False)
    await asyncio.wait_for(sockets.finish(0.05), 10)
    assert (fast.codes, slow.codes) == ([], [RESTART])


async def test_one_that_does_not_even_answer_is_left() -> None:
    sockets = Sockets()
    dead = Fake(sockets, finishes=False, answers=False)
    await asyncio.wait_for(sockets.finish(0.05), 10)
    assert dead.codes == [RESTART]


async def test_without_sockets_there_is_nothing_to_wait_for() -> None:
    await asyncio.wait_for(Sockets().finish(60), 10)


@pytest.mark.django_db(transaction=True)
async def test_an_open_page_is_closed_with_1012_and_a_new_one_too(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation = await Conversation.objects.acreate(owner=user, model="m")
    async with page_of(user, conversation) as page:
        assert (await page.receive())["type"] == "MESSAGES_SNAPSHOT"
        monkeypatch.setattr(SOCKETS, "is_finishing", False)  # so that it is put back
        finishing = asyncio.create_task(SOCKETS.finish(20))
        assert await page.closed() == 1012
        async with page_of(user, conversation) as late:
            assert await late.closed() == 1012
    await asyncio.wait_for(finishing, 20)


async def test_one_whose_client_has_left_is_closed_without_an_error() -> None:
    async def send(message: dict[str, object]) -> None:
        raise OSError

    consumer = ChatConsumer()
    consumer.base_send = send
    await consumer.leave(RESTART)
    assert consumer.has_left


@on_each_server
def test_a_drain_ends_the_turn_stores_what_is_asked_meanwhile_and_closes_with_1012(
    tmp_path: Path, kind: str
) -> None:
    with slow_turn(tmp_path, kind) as turn:
        turn.server.process.terminate()
        assert turn.browser.open(turn.address).status == 200
        with turn.browser.connect(turn.address) as second:
            assert json.loads(second.recv(timeout=20))["type"] == "MESSAGES_SNAPSHOT"
            second.send(json.dumps({"type": "message", "id": str(uuid4()), "text": "help"}))
            until_queued(turn.page)
            until_queued(second)
            turn.gateway.pace = 0
            for page in (turn.page, second):
                names, code = until_closed(page)
                assert (names[-1], code) == ("RUN_FINISHED", 1012)
        assert turn.server.process.wait(timeout=20) == 0
    counted = manage(site(tmp_path), "shell", "--no-imports", "-c", COUNT)
    assert counted.stdout == "[(1, 'completed'), (2, 'queued')]\n"


COUNT = """
from conversations.models import Turn
print(sorted(Turn.objects.values_list("number", "status")))
"""


def until_queued(page: ClientConnection) -> None:
    """Reads until the queue has a message."""
    event: dict[str, object] = {}
    while not (event.get("name") == "turntable.queued" and event["value"]):
        event = json.loads(page.recv(timeout=60))


def until_closed(page: ClientConnection) -> tuple[list[str], int | None]:
    """The types of the frames until the server closes, and the code."""
    names: list[str] = []
    try:
        while True:
            event = json.loads(page.recv(timeout=60))
            names.append(event.get("name") or event["type"])
    except ConnectionClosed as closed:
        return names, closed.rcvd.code if closed.rcvd else None
