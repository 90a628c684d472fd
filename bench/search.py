"""How long a user and the operator wait for a search in a million messages, on both databases."""

import argparse
import statistics
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlencode

from .filled import Size, browser_of, filled, on_each_database, page_times
from .report import Figure, Report, Tell, are_well, report_data, table

DUE_MS = 100.0
PER_CONVERSATION = 20
"""Messages of a conversation; every second one has a tool call."""

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


def report(options: argparse.Namespace, tell: Tell) -> Report:
    """Measures each database in a process of its own; all is well when every page is there in time."""
    size = Size(options.messages // PER_CONVERSATION, PER_CONVERSATION)
    return _report(on_each_database(measure, (size, options.repeat), tell), options.messages)


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


def measure(url: str, size: Size, repeat: int) -> Measurement:
    """Fills the database, then searches as each person."""
    with filled(url, size) as written:
        from django.db import connection

        return Measurement(connection.vendor, written, list(_timings(connection.vendor, repeat)))


def _timings(database: str, repeat: int) -> Iterator[Timing]:
    for person, username in PEOPLE.items():
        client = browser_of(username)
        is_operator = person == "the operator"
        path = "/admin/conversations/message/" if is_operator else "/"
        for name, plain in SEARCHES.items():
            words = f"{plain}*" if is_operator and name in BEGINNINGS else plain
            times = page_times(client, f"{path}?{urlencode({'q': words})}", repeat)
            yield Timing(database, person, name, statistics.median(times), max(times))
