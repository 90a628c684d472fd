"""How long a user and the operator wait for a search in a million messages, on both databases."""

import argparse
import multiprocessing
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from urllib.parse import urlencode

from .report import Figure, Report, are_well, report_data, table
from .services import Missing, postgres

DUE_MS = 100.0
USERS = 200
PER_CONVERSATION = 20
"""Messages of a conversation; every second one has a tool call."""

BATCH = 10
"""Conversations that are written at once: messages and tool calls have to come by turns."""

SEARCHES = {
    "a common word": "common",
    "a word of one message in a hundred": "seldom",
    "a rare word": "needle77",
    "two words": "common seldom",
    "words side by side": '"common seldom"',
    "the beginning of a word": "need",
    "that of most words": "wor",
    "upper case and accents": "SÉLDÖM",
    "two Chinese characters, common": "天气",
    "two Chinese characters, rare": "龍龜",
    "four Chinese characters": "天气很好",
    "one Chinese character": "天",
    "no such word": "turkey",
}
BEGINNINGS = ("the beginning of a word", "that of most words")
"""What the operator's search has to be told by a `*`."""

PEOPLE = {"half of all": "user0", "one in 400": "user7", "the operator": "user0"}
"""Who searches, by the share of the messages that are theirs; the operator searches all messages."""


class Timing(NamedTuple):
    """A search of one person on one database, in ms: a whole page with its snippets."""

    database: str
    person: str
    name: str
    median: float
    worst: float


class Measurement(NamedTuple):
    """The timings on one database, and the microseconds that a message took to be written with its index."""

    database: str
    written: float
    timings: list[Timing]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command line."""
    parser.add_argument("--messages", type=int, default=1_000_000, help="in the database (1,000,000)")
    parser.add_argument(
        "--repeat", type=int, default=5, help="searches of each kind, whose median counts (5)"
    )


def report(options: argparse.Namespace, tell: Callable[[str], None]) -> Report:
    """Measures each database in a process of its own; all is well when every page is there in time."""
    measurements = []
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="turntable-search-"))
        for url in _urls(stack, Path(folder), tell):
            context = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(1, mp_context=context) as process:
                measurements.append(process.submit(measure, url, options.messages, options.repeat).result())
    return _report(measurements, options.messages)


def _urls(stack: ExitStack, folder: Path, tell: Callable[[str], None]) -> Iterator[str]:
    yield f"sqlite:///{folder}/db.sqlite3"
    try:
        yield stack.enter_context(postgres())
    except Missing as missing:
        tell(f"not on PostgreSQL: {missing}")


def _report(measurements: list[Measurement], messages: int) -> Report:
    rows = [
        (f"{timing.database}, {timing.person}: {timing.name}", f"{timing.median:.1f}", f"{timing.worst:.1f}")
        for measurement in measurements
        for timing in measurement.timings
    ]
    written = [
        f"{one.database}: {one.written:.0f} us to write a message and its index" for one in measurements
    ]
    note = (
        f"{messages:,} messages. The median of a whole page, with the newest 50, is due in {DUE_MS:.0f} ms."
    )
    figures = [
        Figure(f"{timing.database}, {timing.person}: {timing.name}", timing.median, "ms", DUE_MS)
        for measurement in measurements
        for timing in measurement.timings
    ]
    text = "\n".join([table(("search", "median ms", "worst"), rows), "", *written, note])
    as_dicts = [
        one._asdict() | {"timings": [timing._asdict() for timing in one.timings]} for one in measurements
    ]
    data = report_data(messages=messages, measurements=as_dicts)
    return Report(text, data, are_well(figures))


# -- in the process of a database


def measure(url: str, messages: int, repeat: int) -> Measurement:
    """Fills the database, then searches as each person."""
    os.environ |= {
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "ALLOWED_HOSTS": "testserver",
    }
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection, connections

    from project.database import patient

    call_command("migrate", verbosity=0)
    begin = time.monotonic()
    with patient():
        _fill(messages)
        written = (time.monotonic() - begin) / messages * 1e6
        print(f"{connection.vendor}: {messages:,} messages, {written:.0f} us each", file=sys.stderr)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
    try:
        return Measurement(connection.vendor, written, list(_timings(connection.vendor, repeat)))
    finally:
        connections.close_all()


def _fill(messages: int) -> None:
    """Writes the messages as the product does, row and index at once."""
    from django.contrib.auth.models import User
    from django.db import transaction

    users = User.objects.bulk_create(
        User(username=f"user{n}", is_staff=not n, is_superuser=not n) for n in range(USERS)
    )
    chance = random.Random(7)  # noqa: S311 (no cryptography)
    base, texts = _base(), _texts(chance)
    number = messages // PER_CONVERSATION
    for first in range(0, number, BATCH):
        numbers = range(first, min(first + BATCH, number))
        with transaction.atomic():
            _write([users[0] if n % 2 else users[n // 2 % USERS] for n in numbers], base, texts)


def _base() -> Any:
    from conversations.models import RequestBase

    return RequestBase.objects.create(sha256="0" * 64, body="{}")


def _write(owners: list[Any], base: Any, texts: Iterator[str]) -> None:
    from conversations.models import Conversation, Message, Round, ToolCall, Turn

    whole = [Conversation(owner=owner, title=next(texts)[:40], model="bench") for owner in owners]
    rows = Conversation.objects.bulk_create(whole)
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
        for at in range(PER_CONVERSATION)
    )
    ToolCall.objects.bulk_create(
        ToolCall(
            conversation=row.turn.conversation, turn=row.turn, round=row, position=at, tool_use_id=f"tooluse_{at}", name="top_song",
            status="success", input={"sign": f"WZPZ {at}"}, result=[{"json": {"song": "Elemental Hotel"}}],
        )
        for row in rounds
        for at in range(PER_CONVERSATION // 2)
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


def _timings(database: str, repeat: int) -> Iterator[Timing]:
    from django.contrib.auth.models import User
    from django.test import Client

    for person, username in PEOPLE.items():
        client = Client(headers={"host": "testserver"})
        client.force_login(User.objects.get(username=username))
        is_operator = person == "the operator"
        path = "/admin/conversations/message/" if is_operator else "/"
        for name, plain in SEARCHES.items():
            words = f"{plain}*" if is_operator and name in BEGINNINGS else plain
            times = [_time(client, f"{path}?{urlencode({'q': words})}") for _ in range(repeat + 1)][1:]
            yield Timing(database, person, name, statistics.median(times), max(times))


def _time(client: Any, url: str) -> float:
    begin = time.perf_counter()
    page = client.get(url)
    if page.status_code != 200:
        raise RuntimeError(url)
    return (time.perf_counter() - begin) * 1000
