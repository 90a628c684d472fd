"""The operator's pages over a million tool calls, on a PostgreSQL of its own: how long each takes."""

import argparse
import os
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import StringIO
from typing import Any, NamedTuple

from conversations.management.timeouts import without_timeout

from .machine import description
from .report import Report, Tell
from .services import postgres

DUE_MS = 300.0
PAGES = {
    "all calls": "",
    "a rare word": "q=needle77",
    "a word of one call in a hundred": "q=seldom",
    "a word of every call": "q=station",
    "two words": "q=elemental+seldom",
    "words side by side": "q=%22elemental+hotel%22",
    "the beginning of a word": "q=needle7*",
    "that of a word of every call": "q=needle*",
    "no such word": "q=turkey",
    "no word at all": "q=%2B",
    "a tool": "name__exact=tool_3",
    "a tool, over 10 s": "name__exact=tool_3&slower=10000",
    "an error class": "error__exact=timeout",
    "a user": "user=3",
    "a user and a word": "user=3&q=seldom",
    "a user and a word's beginning": "user=3&q=needle*",
    "a day": "created_at__year=2026&created_at__month=3&created_at__day=17",
    "a day and a word": "created_at__year=2026&created_at__month=3&created_at__day=17&q=seldom",
    "page 100": "p=100",
}
CALLS_PER_CONVERSATION = 100
"""Tool calls of a conversation."""

FILL = """
INSERT INTO conversations_toolcall (id, conversation_id, turn_id, round_id, position, tool_use_id, name, arguments, input, status,
  error, result, created_at, started_at, finished_at, duration_ms)
SELECT md5('k' || n)::uuid, r.conversation_id, r.turn_id, r.id, n % {per_conversation}, 'tooluse_' || n, 'tool_' || n % 20,
  arguments, arguments, CASE WHEN n % 50 = 0 THEN 'error' ELSE 'success' END, CASE WHEN n % 50 = 0 THEN 'timeout' ELSE '' END,
  '[{{"json":{{"song":"Elemental Hotel ' || n % 5000 || '","artist":"8 Storey Hike","note":"' || md5(n::text) || ' '
    || md5((n / 7)::text) || CASE WHEN n % 100 = 0 THEN ' seldom' ELSE '' END || '"}}}}]',
  timestamptz '2026-01-01' + n * interval '15 s', now(), now(), (random() * random() * random() * 15000)::int
FROM (SELECT n, '{{"station":"needle' || n || '","hour":' || n % 24 || '}}' AS arguments FROM generate_series(0, {calls} - 1) n) k
JOIN (SELECT r.id, r.turn_id, t.conversation_id, row_number() OVER (ORDER BY r.id) - 1 AS place FROM conversations_round r
      JOIN conversations_turn t ON t.id = r.turn_id) r ON r.place = n / {per_conversation}
"""


class Timing(NamedTuple):
    """The times of a page, in ms, and the number of calls that it counted."""

    name: str
    median: float
    worst: float
    rows: int


class Measurement(NamedTuple):
    """All pages over so many calls, and the seconds in which those were written."""

    calls: int
    written: float
    pages: list[Timing]

    @property
    def is_well(self) -> bool:
        """Whether every page was there in time."""
        return all(page.median <= DUE_MS for page in self.pages)


@contextmanager
def _site() -> Iterator[Any]:
    """Django, set up on an empty PostgreSQL, and a browser that the operator is signed in with."""
    with postgres() as url:
        os.environ |= {
            "DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": "project.settings",
            "ALLOWED_HOSTS": "testserver",
        }
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connections
        from django.test import Client

        call_command("migrate", verbosity=0)
        try:
            yield Client(headers={"host": "testserver"})
        finally:
            connections.close_all()


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    parser.add_argument("--calls", type=int, default=1_000_000, help="tool calls in the database (1,000,000)")
    parser.add_argument("--repeat", type=int, default=5, help="looks at each page, whose median counts (5)")


def report(options: argparse.Namespace, tell: Tell) -> Report:
    """Opens the operator's pages; all is well when every page is there in time."""
    measurement = measure(options.calls, options.repeat, tell)
    return Report(text(measurement), as_json(measurement), measurement.is_well)


def measure(calls: int, repeat: int, tell: Tell) -> Measurement:
    """Fills the database, then opens each page `repeat` times."""
    with _site() as client:
        from django.contrib.auth.models import User
        from django.core.management import call_command
        from django.db import connection

        began = time.monotonic()
        _fill(calls // CALLS_PER_CONVERSATION)
        with without_timeout(), connection.cursor() as cursor:
            cursor.execute(
                FILL.format(calls=calls, per_conversation=CALLS_PER_CONVERSATION).replace("%", "%%"), []
            )
        call_command("reindex", stdout=StringIO())  # what SQL writes is not indexed
        written = time.monotonic() - began
        tell(f"{calls:,} calls written in {written:.0f} s")
        with without_timeout(), connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        client.force_login(User.objects.get(username="user0"))
        return Measurement(
            calls, written, [_page(client, name, query, repeat) for name, query in PAGES.items()]
        )


def _fill(number: int) -> None:
    """Creates so many conversations of a hundred users, with a turn of one round each."""
    from django.contrib.auth.models import User

    from conversations.models import Conversation, RequestBase, Round, Turn

    users = User.objects.bulk_create(
        User(username=f"user{n}", is_staff=not n, is_superuser=not n) for n in range(100)
    )
    whole = [
        Conversation(owner=users[n % 100], title=f"Conversation {n}", model=f"model {n % 5}")
        for n in range(number)
    ]
    turns = [
        Turn(conversation=row, number=1, user=row.owner, status="completed", model=row.model)
        for row in Conversation.objects.bulk_create(whole)
    ]
    base = RequestBase.objects.create(sha256="0" * 64, body="{}")
    rounds = [Round(turn=row, number=1, status="completed", model=row.model, base=base) for row in turns]
    Turn.objects.bulk_create(turns)
    Round.objects.bulk_create(rounds)


def _page(client: Any, name: str, query: str, repeat: int) -> Timing:
    url, times = f"/admin/conversations/toolcall/?{query}", []
    page = client.get(url)
    rows = (
        page.context_data["cl"].result_count if page.status_code == 200 else 0
    )  # few calls have no page 100
    for _ in range(repeat):
        began = time.perf_counter()
        client.get(url)
        times.append((time.perf_counter() - began) * 1000)
    return Timing(name, statistics.median(times), max(times), rows)


def text(measurement: Measurement) -> str:
    """A table for people."""
    lines = [f"{'page':34}{'median ms':>10}{'worst':>8}{'rows':>8}"]
    lines += [
        f"{page.name:34}{page.median:10.0f}{page.worst:8.0f}{page.rows:8}" for page in measurement.pages
    ]
    note = f"{measurement.calls:,} tool calls on PostgreSQL. A whole page, with filters and figures, is due in {DUE_MS:.0f} ms."
    counted = (
        "Rows: 10,000 are counted at most. What holds no word is sought in the newest 10,000 calls alone."
    )
    return "\n".join([*lines, "", note, counted])


def as_json(measurement: Measurement) -> dict[str, Any]:
    """Everything: the machine and all pages."""
    pages = [page._asdict() for page in measurement.pages]
    at: dict[str, Any] = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": description()}
    return at | {"calls": measurement.calls, "written": measurement.written, "due": DUE_MS, "pages": pages}
