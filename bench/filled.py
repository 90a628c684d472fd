"""A database with many conversations and messages, on SQLite and on PostgreSQL."""

import multiprocessing
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, TypeVar

from .report import Tell
from .services import Missing, postgres

USERS = 200
BATCH = 10
"""Conversations that are written at once: messages and tool calls have to come by turns."""

HASTE = {
    "sqlite": (["PRAGMA synchronous = OFF", "PRAGMA cache_size = -500000"], []),
    "postgresql": (
        ["DROP INDEX passage_words"],
        [
            "SET maintenance_work_mem = '1GB'",
            "CREATE INDEX passage_words ON conversations_passage USING gin (words) WITH (fastupdate = off)",
        ],
    ),
}
"""Statements before and after a database is filled, to fill it faster."""

Measured = TypeVar("Measured")


class Size(NamedTuple):
    """Conversations, and messages in each; every second message has a tool call."""

    conversations: int
    messages: int

    @property
    def all_messages(self) -> int:
        """The messages of all conversations."""
        return self.conversations * self.messages

    @property
    def mark(self) -> str:
        """The name of a user that only a database which was filled to this size has."""
        return f"filled-{self.conversations}x{self.messages}"


def on_each_database(
    measure: Callable[..., Measured],
    arguments: tuple[Any, ...],
    tell: Tell,
    kept: str = "",
) -> list[Measured]:
    """Calls `measure` with the URL of each database, in a process of its own.

    The databases are empty, unless they were filled before in the folder where they are `kept`.
    """
    measurements = []
    with ExitStack() as stack:
        folder = kept or stack.enter_context(TemporaryDirectory(prefix="turntable-bench-"))
        for url in _urls(stack, Path(folder).resolve(), tell):
            context = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(1, mp_context=context) as process:
                measurements.append(process.submit(measure, url, *arguments).result())
    return measurements


def _urls(stack: ExitStack, folder: Path, tell: Tell) -> Iterator[str]:
    folder.mkdir(parents=True, exist_ok=True)
    yield f"sqlite:///{folder}/db.sqlite3"
    try:
        yield stack.enter_context(postgres(folder / "postgres"))
    except Missing as missing:
        tell(f"not on PostgreSQL: {missing}")


# -- in the process of a database


def browser_of(username: str) -> Any:
    """A client that this user is signed in with."""
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client(headers={"host": "testserver"})
    client.force_login(User.objects.get(username=username))
    return client


def page_times(client: Any, url: str, repeat: int) -> list[float]:
    """The times of a whole page, in ms; the first look at it counts for nothing."""
    times = []
    for _ in range(repeat + 1):
        begin = time.perf_counter()
        page = client.get(url)
        if page.status_code != 200:
            raise RuntimeError(url)
        times.append((time.perf_counter() - begin) * 1000)
    return times[1:]


@contextmanager
def filled(
    url: str, size: Size, more: Callable[[], None] = lambda: None, *, in_haste: bool = False
) -> Iterator[float]:
    """Django on a filled database; gives the microseconds in which a message and its index were written.

    What `more` does comes before the database is told to look at what it has. `in_haste` PostgreSQL makes the index at the end, at once.
    """
    os.environ |= {
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "ALLOWED_HOSTS": "testserver",
    }
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connections

    call_command("migrate", verbosity=0)
    written = 0.0 if _is_filled(size) else _whole(size, more, in_haste=in_haste)
    try:
        yield written
    finally:
        connections.close_all()
        for connection in connections.all(initialized_only=True):
            if connection.vendor == "postgresql":
                connection.close_pool()  # type: ignore[attr-defined]  # its server ends before this process


def _is_filled(size: Size) -> bool:
    """Whether the database was filled before; raises RuntimeError for one that holds anything else."""
    from django.contrib.auth.models import User

    if User.objects.filter(username=size.mark).exists():
        return True
    if User.objects.exists():
        raise RuntimeError("the database was filled otherwise, or not to the end: remove it")
    return False


def _whole(size: Size, more: Callable[[], None], *, in_haste: bool) -> float:
    """Fills the database, and marks it as filled at the end."""
    from django.contrib.auth.models import User
    from django.db import connection

    from conversations.management.timeouts import without_timeout

    begin = time.monotonic()
    with without_timeout(), connection.cursor() as cursor:
        before, after = HASTE[connection.vendor] if in_haste else ([], [])
        for statement in before:
            cursor.execute(statement)
        _fill(size)
        for statement in after:
            cursor.execute(statement)
        written = (time.monotonic() - begin) / size.all_messages * 1e6
        print(f"{connection.vendor}: {size.all_messages:,} messages, {written:.0f} us each", file=sys.stderr)
        more()
        User.objects.create(username=size.mark)
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
    connection.close()  # what is measured has the settings of the product
    return written


def _fill(size: Size) -> None:
    """Writes the messages with their index; half of all are the first user's."""
    from django.contrib.auth.models import User
    from django.db import transaction

    users = User.objects.bulk_create(
        User(username=f"user{n}", is_staff=not n, is_superuser=not n) for n in range(USERS)
    )
    chance = random.Random(7)  # noqa: S311 (no cryptography)
    base, texts = _base(), _texts(chance)
    for first in range(0, size.conversations, BATCH):
        numbers = range(first, min(first + BATCH, size.conversations))
        rows = [
            _conversation(number, users[0] if number % 2 else users[number // 2 % USERS], next(texts)[:40])
            for number in numbers
        ]
        with transaction.atomic():
            _write(rows, size.messages, base, texts)


def _conversation(number: int, owner: Any, title: str) -> Any:
    """A conversation of the last two years; some are pinned, archived or unread."""
    from django.utils import timezone

    from conversations.models import Conversation

    now = timezone.now()
    return Conversation(
        owner=owner,
        title=title,
        model="bench",
        updated_at=now - timedelta(minutes=number * 10),
        pinned_at=now if number % 10_000 == 15 else None,
        archived_at=now if number % 20 == 7 else None,
        seen=number % 7 > 0,
    )


def _base() -> Any:
    from conversations.models import RequestBase

    return RequestBase.objects.create(sha256="0" * 64, body="{}")


def _write(rows: list[Any], messages: int, base: Any, texts: Iterator[str]) -> None:
    from conversations.models import Conversation, Message, Round, ToolCall, Turn

    Conversation.objects.bulk_create(rows)
    turns = [
        Turn(conversation=row, number=1, user=row.owner, status="completed", model="bench") for row in rows
    ]
    Turn.objects.bulk_create(turns)
    rounds = [Round(turn=turn, number=1, status="completed", model="bench", base=base) for turn in turns]
    Round.objects.bulk_create(rounds)
    Message.objects.bulk_create(
        Message(
            conversation=turn.conversation,
            turn=turn,
            role="assistant" if at else "user",
            content=[{"text": next(texts)}],
        )
        for turn in turns
        for at in range(messages)
    )
    ToolCall.objects.bulk_create(
        ToolCall(
            conversation=row.turn.conversation, turn=row.turn, round=row, position=at, tool_use_id=f"tooluse_{at}", name="top_song",
            status="success", input={"sign": f"WZPZ {at}"}, result=[{"json": {"song": "Elemental Hotel"}}],
        )
        for row in rounds
        for at in range(messages // 2)
    )  # fmt: skip


def _texts(chance: random.Random) -> Iterator[str]:
    """Texts of 350 bytes, two in five of them Chinese, by words as rare as those of a language are."""
    vocabulary = [f"word{n}" for n in range(20_000)]
    letters = list("天气很好的是不了我") + [chr(0x4E00 + n) for n in range(3_000)]
    word_weights, letter_weights = _weights(len(vocabulary)), _weights(len(letters))
    for number in count():
        if number % 5 < 2:
            parts = chance.choices(letters, cum_weights=letter_weights, k=110)
            parts += ["天气很好"] * (number % 5 == 0) + ["龍龜"] * (number % 1000 == 0)
            yield "".join(parts)
        else:
            parts = chance.choices(vocabulary, cum_weights=word_weights, k=45)
            parts += ["common"] + ["seldom"] * (number % 100 == 2) + [f"needle{number}"]
            yield " ".join(parts)


def _weights(number: int) -> list[float]:
    """Sums of the weights 1, 1/2, 1/3, and so on."""
    total, sums = 0.0, []
    for rank in range(1, number + 1):
        total += 1 / rank
        sums.append(total)
    return sums
