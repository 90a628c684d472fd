"""What a program asks for takes no more statements in a long thread than in a short one."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db.backends.utils import CursorWrapper
from django.urls import reverse

from conversations import agui
from conversations.models import Conversation
from tests.agui.exchanges import atoken_of, exchange, run_input
from tests.turns import ask

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway")]
FEW, MANY = 2, 12
A_TURN = 2
"""Statements of a whole thread for each turn's part of the record; it holds one part at a time."""

TRIES = 3
"""The least of them counts: readers have statements of their own, such as looks for news."""

Case = tuple[str, str, Any]


@contextmanager
def readers_statements() -> Iterator[list[str]]:
    """The statements of the readers' threads, without those of workers and of the writer."""
    texts: list[str] = []
    execute = CursorWrapper.execute

    def execute_and_note(self: CursorWrapper, sql: Any, params: Any = None) -> Any:
        if threading.current_thread().name.startswith("journal-reader"):
            texts.append(str(sql))
        return execute(self, sql, params)

    with patch.object(CursorWrapper, "execute", execute_and_note):
        yield texts


def cases(thread: str, run: str) -> dict[str, Case]:
    """A request to each address, by the address's name; the run is read again."""
    again = run_input(threadId=thread, runId=run)
    return {
        "agui": ("POST", "", again),
        "agui, whole": ("GET", f"?threadId={thread}", None),
        "agui_stop": ("POST", "", {"threadId": thread}),
        "agui_capabilities": ("GET", "", None),
    }


async def count(case: str, request: Case, token: str) -> int:
    method, query, body = request
    path = reverse(f"conversations:{case.partition(',')[0]}") + query
    with readers_statements() as statements:
        async with exchange(method, path, body, token=token) as answer:
            await answer.rest()
            assert answer.status == 200, (case, answer.text)
    return len(statements)


async def test_a_long_thread_takes_no_more_statements_than_a_short_one(user: User) -> None:
    token, first = await atoken_of(user), run_input("hello")
    thread = first["threadId"]
    async with exchange("POST", "/agui/", first, token=token) as answer:
        await answer.rest()
    requests = cases(thread, first["runId"])
    assert {name.partition(",")[0] for name in requests} == {pattern.name for pattern in agui.urlpatterns}
    conversation = await Conversation.objects.aget(pk=thread)
    all_counts = []
    for number in (FEW, MANY):
        for _ in range(number):
            await sync_to_async(ask)(conversation, "hello")
        turns = await conversation.turns.acount()
        counts = {
            name: min([await count(name, request, token) for _ in range(TRIES)])
            for name, request in requests.items()
        }
        counts["agui, whole"] -= A_TURN * turns
        all_counts.append(counts)
    few, many = all_counts
    assert {name: (few[name], more) for name, more in many.items() if more > few[name]} == {}
    assert max(few.values()) < 20
