"""A message that a failing machine cannot take: its writer learns what to do, and can do it."""

import sqlite3
import uuid
from contextlib import closing

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import connection, connections

from conversations.threads import Threads
from tests.faults.scene import HEALTHY, Scene
from tests.sockets.pages import page_of

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="locks an SQLite file"),
]


async def test_a_message_that_cannot_be_stored_is_refused_and_can_be_sent_again(
    scene: Scene, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connections.settings["default"]["OPTIONS"], "timeout", 0.1)
    monkeypatch.setattr("conversations.sockets.consumer.READERS", Threads("impatient", 1))
    scene.server.play(HEALTHY)
    name, message_id = str(connection.settings_dict["NAME"]), str(uuid.uuid4())
    async with page_of(user, scene.conversation) as page:
        await page.until("MESSAGES_SNAPSHOT")
        with closing(sqlite3.connect(name, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            await page.ask("Hello?", message_id)
            refused = (await page.receive())["value"]
        assert (refused["id"], refused["code"]) == (message_id, "internal")
        assert "Try again" in refused["message"]
        await page.ask("Hello?", message_id)
        events = await page.until_end()
    assert events[-1]["type"] == "RUN_FINISHED"
    assert [e["messageId"] for e in events if e.get("role") == "user"] == [message_id]
    await sync_to_async(scene.check_alive)()
