"""How long a user of 50,000 conversations waits for lists, among 1,000,000 messages."""

import argparse
import re
import statistics
from typing import Any, NamedTuple
from urllib.parse import urlencode

from .filled import Size, browser_of, filled, on_each_database, page_times
from .report import Figure, Report, Tell, are_well, report_data, table

DUE_MS = {"postgresql": 100.0, "sqlite": 300.0}
PENDING = 50
"""Calls that wait for the user's approval."""

SEARCHES = {
    "a common word": "common",
    "a rare word": "needle77",
    "the beginning of a word": "wor",
    "common words that are never together": "common 天气",
    "no such word": "turkey",
}


class Timing(NamedTuple):
    """A whole page on one database, in ms, and the statements that it took."""

    database: str
    name: str
    median: float
    worst: float
    statements: int


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command line."""
    parser.add_argument("--conversations", type=int, default=100_000, help="in the database (100,000)")
    parser.add_argument("--messages", type=int, default=1_000_000, help="in the database (1,000,000)")
    parser.add_argument("--keep", default="", metavar="FOLDER", help="keeps the databases for the next time")
    parser.add_argument("--repeat", type=int, default=9, help="looks at each page, whose median counts (9)")


def report(options: argparse.Namespace, tell: Tell) -> Report:
    """Measures each database in a process of its own; all is well when every page is there in time."""
    size = Size(options.conversations, max(2, options.messages // options.conversations))
    timings = [
        timing
        for several in on_each_database(measure, (size, options.repeat), tell, options.keep)
        for timing in several
    ]
    rows = [
        (f"{one.database}, {one.name}", f"{one.median:.1f}", f"{one.worst:.1f}", str(one.statements))
        for one in timings
    ]
    figures = [
        Figure(f"{one.database}, {one.name}", one.median, "ms", DUE_MS[one.database]) for one in timings
    ]
    note = (
        f"{size.conversations:,} conversations, {size.all_messages:,} messages; half of them are the user's. "
        "The median of a whole page is due in 100 ms on PostgreSQL, in 300 ms on SQLite."
    )
    text = f"{table(('page', 'median ms', 'worst', 'statements'), rows)}\n\n{note}"
    data = report_data(**size._asdict(), timings=[timing._asdict() for timing in timings])
    return Report(text, data, are_well(figures))


# -- in the process of a database


def measure(url: str, size: Size, repeat: int) -> list[Timing]:
    """Fills the database, then opens the user's pages."""
    with filled(url, size, _let_wait, in_haste=True):
        from django.db import connection

        client = browser_of("user0")
        return [
            _timing(connection.vendor, client, name, path, repeat) for name, path in _pages(client).items()
        ]


def _let_wait() -> None:
    """Some calls of the first user wait for an approval."""
    from conversations.models import Approval, Conversation, ToolCall, Turn

    keys = list(
        Conversation.objects.filter(owner__username="user0").order_by("pk").values_list("pk", flat=True)
    )
    waiting = keys[:: max(1, len(keys) // PENDING)][:PENDING]
    Turn.objects.filter(conversation__in=waiting).update(status="waiting")
    calls = ToolCall.objects.filter(conversation__in=waiting, position=0)
    Approval.objects.bulk_create(Approval(call=call) for call in calls)


def _pages(client: Any) -> dict[str, str]:
    """The addresses of the pages; the list goes on from where a page says."""
    sidebar = client.get("/sidebar/").content.decode()
    [place] = re.findall(r'data-more="(.*?)"', sidebar)
    [first, *_] = re.findall(r'data-id="(.*?)"', sidebar)
    return {
        "the list": "/",
        "page 100 of the list": "/?page=100",
        "the archive": "/?archived",
        **{f"a search: {name}": f"/?{urlencode({'q': words})}" for name, words in SEARCHES.items()},
        "the sidebar": "/sidebar/",
        "the sidebar, going on": place,
        "a conversation": f"/conversations/{first}/",
        "what waits": "/waiting/",
    }


def _timing(database: str, client: Any, name: str, path: str, repeat: int) -> Timing:
    from django.db import connection

    statements = 0

    def count(execute: Any, *arguments: Any) -> Any:
        nonlocal statements
        statements += 1
        return execute(*arguments)

    with connection.execute_wrapper(count):
        client.get(path)
    times = page_times(client, path, repeat)
    return Timing(database, name, statistics.median(times), max(times), statements)
