"""The times to open and to seek in a long conversation, on the server and in Chromium."""

import argparse
import json
import os
import random
import shutil
import statistics
import time
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

from . import machine
from .report import Report, Tell
from .site import Site, serving

DUE_MS = {"open": 1000.0, "seek": 100.0}
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--no-sandbox", "--disable-gpu")
SEEK = """(share) => new Promise((resolve) => {
  const page = document.getElementById("conversation"), range = document.querySelector("#track input");
  page.addEventListener("moved", () => requestAnimationFrame(() => resolve(performance.now() - began)), {once: true});
  const began = performance.now();
  range.value = share * range.max;
  range.dispatchEvent(new Event("input"));
})"""


class Timing(NamedTuple):
    """How often something was waited for, and how long, in ms."""

    name: str
    times: int
    median: float
    worst: float


class Measurement(NamedTuple):
    """All timings, over so many turns and events."""

    turns: int
    events: int
    timings: list[Timing]

    @property
    def is_well(self) -> bool:
        """Whether the page opens and seeks in the time that is due, by the median."""
        return all(
            timing.median < due
            for timing in self.timings
            for name, due in DUE_MS.items()
            if timing.name.startswith(f"Chromium: {name}")
        )


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    parser.add_argument("--turns", type=int, default=100, help="of the conversation (100)")
    parser.add_argument("--events", type=int, default=100_000, help="of the conversation (100,000)")
    parser.add_argument("--seeks", type=int, default=30, help="to moments by chance (30)")


def report(options: argparse.Namespace, tell: Tell) -> Report:
    """Measures opening and seeking in the player; all is well when both are done in time."""
    measurement = measure(options.turns, options.events, options.seeks, tell)
    return Report(text(measurement), as_json(measurement), measurement.is_well)


def measure(turns: int, events: int, seeks: int, tell: Tell) -> Measurement:
    """Times the playback of a conversation of so many turns and events, on a site of its own."""
    with _site() as site:
        tell("writing the record")
        pk, last = _fill(turns, events // turns)
        tell("asking the server")
        timings = list(_server_timings(site, pk, last))
        tell("asking Chromium")
        timings += _browser_timings(site, f"{site.url}/conversations/{pk}/replay/", seeks)
    return Measurement(turns, events // turns * turns, timings)


@contextmanager
def _site() -> Iterator[Site]:
    with serving({"GATEWAY_URL": "http://127.0.0.1:9"}, machine.cores().tested) as site:
        os.environ.update(site.environment)
        yield site


# -- the record


def _fill(turns: int, events: int) -> tuple[str, int]:
    """Writes a conversation of the site's owner; returns its id and the last turn's first seq."""
    import django

    django.setup()
    from django.contrib.auth.models import User

    from conversations.journal.recordings import squeeze, summary
    from conversations.models import Conversation, Recording, Turn

    owner = User.objects.get()
    conversation = Conversation.objects.create(owner=owner, model="bench", title="A long conversation")
    clock, seq, turn = 1_700_000_000_000, 0, None
    for number in range(1, turns + 1):
        columns = {"conversation": conversation, "parent": turn, "number": number, "user": owner}
        turn = Turn.objects.create(**columns, model="bench", status=Turn.Status.COMPLETED)
        frames = _frames(str(turn.pk), clock, events)
        data = [
            json.dumps(
                frame | {"metadata": frame.get("metadata", {}) | {"seq": seq + at}}, separators=(",", ":")
            )
            for at, frame in enumerate(frames, 1)
        ]
        Recording.objects.create(
            turn=turn,
            conversation=conversation,
            first_seq=seq + 1,
            last_seq=seq + len(data),
            body=squeeze("\n".join(f"{line}\t" for line in data)),
            snapshot=squeeze(json.dumps(summary(turn.pk, data))),
        )
        seq, clock = seq + len(data), frames[-1]["timestamp"] + 60_000
    return str(conversation.pk), seq - events + 1


def _frames(turn: str, clock: int, events: int) -> list[dict[str, Any]]:
    """A turn of exactly so many events, 20 ms apart: a question, a tool call, and an answer word by word."""
    call, answer = f"tooluse_{turn}", f"{turn}:2:0"
    begin: list[dict[str, Any]] = [
        {"type": "RUN_STARTED", "threadId": "bench", "runId": turn},
        {"type": "TEXT_MESSAGE_START", "messageId": f"{turn}:q", "role": "user"},
        {"type": "TEXT_MESSAGE_CONTENT", "messageId": f"{turn}:q", "delta": "What is the most popular song?"},
        {"type": "TEXT_MESSAGE_END", "messageId": f"{turn}:q"},
        {"type": "STEP_STARTED", "stepName": "round 1"},
        {"type": "TOOL_CALL_START", "toolCallId": call, "toolCallName": "top_song"},
        {"type": "TOOL_CALL_ARGS", "toolCallId": call, "delta": '{"sign": "WZPZ"}'},
        {"type": "TOOL_CALL_END", "toolCallId": call},
        {"type": "STEP_FINISHED", "stepName": "round 1", "metadata": {"stopReason": "tool_use"}},
        {
            "type": "TOOL_CALL_RESULT", "messageId": f"result:{call}", "toolCallId": call,
            "content": '{"song": "Elemental Hotel"}', "metadata": {"status": "success", "durationMs": 5},
        },
        {"type": "STEP_STARTED", "stepName": "round 2"},
        {"type": "TEXT_MESSAGE_START", "messageId": answer, "role": "assistant"},
    ]  # fmt: skip
    words = ("A ", "*record* ", "turns ", "at ", "a ", "steady ", "speed.\n\n")
    end: list[dict[str, Any]] = [
        {"type": "TEXT_MESSAGE_END", "messageId": answer},
        {"type": "STEP_FINISHED", "stepName": "round 2", "metadata": {"stopReason": "end_turn"}},
        {"type": "RUN_FINISHED", "threadId": "bench", "runId": turn},
    ]
    begin += [
        {"type": "TEXT_MESSAGE_CONTENT", "messageId": answer, "delta": words[at % len(words)]}
        for at in range(events - len(begin) - len(end))
    ]
    return [frame | {"timestamp": clock + 20 * at} for at, frame in enumerate(begin + end)]


# -- the waiting


def _server_timings(site: Site, pk: str, last: int) -> Iterator[Timing]:
    base = f"{site.url}/conversations/{pk}/replay/"
    outline = json.loads(_get(site, f"{base}outline/"))
    turn = outline["turns"][-1]["id"]
    paths = {
        "page": base,
        "outline": f"{base}outline/",
        "a turn": f"{base}turns/{turn}/",
        "the ends of five turns": f"{base}ends/?first={outline['turns'][-6]['first']}&last={last - 1}",
    }
    for name, path in paths.items():
        yield _timing(f"server: {name}", [_milliseconds(partial(_get, site, path)) for _ in range(7)])


def _get(site: Site, url: str) -> bytes:
    request = urllib.request.Request(url, headers={"Cookie": site.cookie, "Accept-Encoding": "deflate"})  # noqa: S310 (our own server)
    with urllib.request.urlopen(request) as answer:  # noqa: S310 (our own server)
        body: bytes = answer.read()
        return zlib.decompress(body) if answer.headers.get("Content-Encoding") == "deflate" else body


def _milliseconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


def _browser_timings(site: Site, url: str, seeks: int) -> list[Timing]:
    from playwright.sync_api import sync_playwright

    chance = random.Random(4)  # noqa: S311 (a measurement)
    installed = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed, args=FLAGS)
        context = browser.new_context()
        cookies = (part.partition("=") for part in site.cookie.split("; "))
        context.add_cookies([{"name": name, "value": value, "url": site.url} for name, _, value in cookies])
        page = context.new_page()

        def open_page() -> None:
            page.goto("about:blank")
            page.goto(url, wait_until="commit")
            page.locator("#player").wait_for()

        open_times = [_milliseconds(open_page) for _ in range(5)]
        page.wait_for_load_state("networkidle")  # a person needs longer to get to the slider
        seek_times = [page.evaluate(SEEK, chance.random()) for _ in range(seeks)]
        browser.close()
    return [_timing("Chromium: open", open_times), _timing("Chromium: seek anywhere", seek_times)]


def _timing(name: str, times: list[float]) -> Timing:
    return Timing(name, len(times), statistics.median(times), max(times))


# -- the report


def text(measurement: Measurement) -> str:
    """The table for people."""
    lines = [
        f"{measurement.turns} turns, {measurement.events:,} events",
        f"{'':32}{'times':>6}{'median ms':>11}{'worst ms':>10}",
    ]
    lines += [
        f"{name:32}{times:>6}{median:>11.0f}{worst:>10.0f}"
        for name, times, median, worst in measurement.timings
    ]
    return "\n".join(lines)


def as_json(measurement: Measurement) -> dict[str, Any]:
    """Everything, and the machine."""
    timings = [timing._asdict() for timing in measurement.timings]
    return {
        "turns": measurement.turns,
        "events": measurement.events,
        "waits": timings,
        "machine": machine.description(),
    }
