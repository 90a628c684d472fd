"""Whoever is signed out sees nothing more: sockets are closed, and commands are refused till then."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import DatabaseError, connection
from django.test import Client
from django.utils import timezone
from websockets.exceptions import ConnectionClosed

from conversations import engine
from conversations.models import Conversation, Turn
from conversations.sockets import sessions as sockets
from conversations.sockets.consumer import ChatConsumer
from conversations.sockets.sessions import valid_keys
from tests.servers import Browser, manage, on_each_server, serving, site
from tests.sockets.pages import page_of
from tests.turns import conversation_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway")]
NEVER = 3600.0


def sign_out(user: User) -> None:
    client = Client()
    client.cookies["sessionid"] = Session.objects.get().pk
    assert client.post("/accounts/logout/").status_code == 302


def deactivate(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def end_session(user: User) -> None:
    Session.objects.all().delete()


def let_session_run_out(user: User) -> None:
    Session.objects.update(expire_date=timezone.now())


def change_password(user: User) -> None:
    user.set_password("another one")
    user.save()


ENDINGS = [sign_out, deactivate, end_session, let_session_run_out, change_password]


@pytest.mark.parametrize("end", ENDINGS)
async def test_an_open_socket_is_closed_soon_after(
    user: User, conversation: Conversation, end: Callable[[User], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "CHECK_EVERY", 0.05)
    async with page_of(user, conversation) as page:
        await page.receive()
        await sync_to_async(end)(user)
        assert await page.closed() == 4401


@pytest.mark.parametrize("end", ENDINGS)
async def test_the_next_command_is_refused_before_that(
    user: User, conversation: Conversation, end: Callable[[User], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "CHECK_EVERY", NEVER)
    async with page_of(user, conversation) as page:
        await page.receive()
        await sync_to_async(end)(user)
        await page.ask("What is the most popular song on WZPZ?")
        assert await page.closed() == 4401
    assert not await Turn.objects.aexists()


async def test_the_look_comes_often_enough() -> None:
    assert sockets.CHECK_EVERY < 4


async def test_a_page_is_closed_once_its_conversation_is_deleted(
    user: User, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "CHECK_EVERY", 0.05)
    other = await sync_to_async(conversation_of)(user)
    async with page_of(user, conversation) as page, page_of(user, other, "?after=0") as stays:
        await page.receive()
        await sync_to_async(engine.delete)([conversation.pk])
        assert await page.closed() == 4404
        await stays.ask("What is the most popular song on WZPZ?")
        assert (await stays.until_end())[-1]["outcome"] == {"type": "success"}
    async with page_of(user, conversation) as page:
        assert await page.closed() == 4404


async def test_everybody_else_stays(
    user: User, other_user: User, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "CHECK_EVERY", 0.05)
    theirs = await sync_to_async(conversation_of)(other_user)
    async with page_of(user, conversation) as mine, page_of(other_user, theirs, "?after=0") as stays:
        await mine.receive()
        await sync_to_async(deactivate)(user)
        assert await mine.closed() == 4401
        await stays.ask("What is the most popular song on WZPZ?")
        assert (await stays.until_end())[-1]["outcome"] == {"type": "success"}


async def test_a_look_that_fails_closes_nothing_and_is_taken_again(
    user: User, conversation: Conversation, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sockets, "CHECK_EVERY", 0.05)
    failed = asyncio.Event()
    loop = asyncio.get_running_loop()

    def broken(owners: dict[str, int]) -> set[str]:
        if not failed.is_set():
            loop.call_soon_threadsafe(failed.set)
            raise DatabaseError
        return valid_keys(owners)

    async with page_of(user, conversation) as page:
        await page.receive()
        monkeypatch.setattr(sockets, "valid_keys", broken)
        await asyncio.wait_for(failed.wait(), 20)
        await sync_to_async(end_session)(user)
        assert await page.closed() == 4401
    assert "the sessions of 1 sockets could not be looked up" in caplog.text


def test_all_sessions_are_looked_up_at_once(user: User, other_user: User) -> None:
    owners = {}
    for who in (user, other_user):
        for _ in range(5):
            client = Client()
            client.force_login(who)
            owners[client.cookies["sessionid"].value] = who.pk
    with connection.execute_wrapper(counting := Counting()):
        assert valid_keys(owners) == set(owners)
    assert counting.count == 2


class Counting:
    """Counts queries."""

    count = 0

    def __call__(self, execute: Callable[..., object], *args: object) -> object:
        self.count += 1
        return execute(*args)


async def test_a_command_asks_the_database_twice_who_sent_it(
    user: User, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting, check = Counting(), ChatConsumer._conversation
    counts: asyncio.Queue[int] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def counted(consumer: ChatConsumer) -> Conversation:
        with connection.execute_wrapper(counting):
            row = check(consumer)
            assert row.owner == user
        loop.call_soon_threadsafe(counts.put_nowait, counting.count)
        return row

    async with page_of(user, conversation) as page:
        await page.receive()
        monkeypatch.setattr(ChatConsumer, "_conversation", counted)
        await page.send({"type": "stop"})
        assert await asyncio.wait_for(counts.get(), 20) == 2


@pytest.mark.parametrize("end", ENDINGS)
async def test_who_is_signed_out_is_told_so_even_of_a_conversation_that_is_gone(
    user: User, conversation: Conversation, end: Callable[[User], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "CHECK_EVERY", NEVER)
    async with page_of(user, conversation) as page:
        await page.receive()
        await sync_to_async(end)(user)
        await Conversation.objects.all().adelete()
        await page.send({"type": "stop"})
        assert await page.closed() == 4401


def test_a_session_is_good_for_its_own_user_alone(user: User, other_user: User) -> None:
    client = Client()
    client.force_login(user)
    key = client.cookies["sessionid"].value
    assert valid_keys({key: user.pk}) == {key}
    assert valid_keys({key: other_user.pk, "x" * 32: user.pk}) == set()
    Session.objects.update(
        session_data="not what Django wrote", expire_date=timezone.now() + timedelta(days=1)
    )
    assert valid_keys({key: user.pk}) == set()


@on_each_server
def test_another_process_can_sign_somebody_out(tmp_path: Path, kind: str) -> None:
    environment = site(tmp_path)
    code = "from django.contrib.auth.models import User; User.objects.update(is_active=False)"
    with serving(environment, kind=kind) as server:
        reader = Browser()
        with reader.connect(reader.open(server.url + server.path).url) as page:
            page.recv(timeout=20)
            assert manage(environment, "shell", "--no-imports", "-c", code).returncode == 0
            with pytest.raises(ConnectionClosed) as closed:
                page.recv(timeout=20)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401
