"""The smoothness of the chat's page: blocking of the browser, cost of a delta, time to open.

It is measured while a very long answer comes, and when long conversations are opened.
"""

import argparse
import os
import shutil
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from . import conversation, machine
from .floor import numbers
from .report import Figure, Report, Tell, figures_report
from .site import Site, serving
from .tasks import WATCH, Blocking

PACE = 0.003
"""Seconds between the demo gateway's deltas: some 300 a second, faster than models write."""

PACED_CHARACTERS = 8_000
"""Characters of the answer at that pace, at most."""

PATIENCE = 900
"""Seconds that an answer may take."""

FLAGS = ("--no-sandbox", "--disable-gpu")
COUNT = """
window.deltas = 0;
window.WebSocket = class extends WebSocket {
  constructor(...all) {
    super(...all);
    this.addEventListener("message", ({data}) => { deltas += data.includes("_CONTENT"); });
  }
};
"""
LOADED = "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
READY = f"Math.max({LOADED}, ...tasks.map(([begin, ms]) => begin + ms))"
LONG_MS = 50.0
"""Milliseconds for which the main thread may be blocked at a time."""

ENDED = "document.querySelectorAll('#transcript .turn:last-child .actions:not([hidden])').length"
COLD_KB, WARM_REQUESTS = 350.0, 3.0
"""What a browser without and one with a cache may fetch for a conversation's page."""

FINISHED = "document.querySelectorAll('#transcript .markdown:not(.rendered), #transcript .raw').length === 0"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    parser.add_argument("--characters", type=int, default=1_000_000, help="of the answer (1,000,000)")
    parser.add_argument(
        "--turns", type=numbers, default=[0, 100, 1000], help="of conversations, with commas (0,100,1000)"
    )


def report(options: argparse.Namespace, tell: Tell) -> Report:
    """Measures the chat's page; all is well when every figure meets its goal."""
    return figures_report(measure(options.characters, options.turns, tell))


def measure(characters: int, turns: Sequence[int], tell: Tell) -> list[Figure]:
    """Measures an answer of so many characters, and conversations of so many turns, on a site of its own."""
    with _site() as (site, gateway):
        tell("writing the conversations")
        paths = {count: f"/conversations/{conversation.fill(count)}/" for count in turns}
        with _browsing(site) as page:
            tell("the cost of a delta")
            gateway.pace = PACE
            rows = [*_paced(page, min(characters, PACED_CHARACTERS))]
            tell(f"an answer of {characters:,} characters")
            gateway.pace = 0.0
            rows += [*_streamed(page, characters), *_opened(page, "answer", page.url)]
            for count, path in paths.items():
                tell(f"a conversation of {count:,} turns")
                server_ms = min(_response_ms(site, path) for _ in range(3))
                rows += [Figure(f"{count:,} turns: the server's time", server_ms, "ms")]
                rows += _opened(page, f"{count:,} turns", path, 1000.0)
            rows += _fetched(page, next(iter(paths.values())))
    return rows


@contextmanager
def _site() -> Iterator[tuple[Site, Any]]:
    from conversations import demo_gateway

    gateway = demo_gateway.start(pace=PACE)
    variables = {"GATEWAY_URL": gateway.url, "MAX_TOKENS": "100000000"}
    with serving(variables, machine.cores().tested) as site:
        os.environ.update(site.environment)
        yield site, gateway
    gateway.close()


@contextmanager
def _browsing(site: Site) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    installed = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed, args=FLAGS)
        context = browser.new_context(base_url=site.url)
        cookies = (part.partition("=") for part in site.cookie.split("; "))
        context.add_cookies([{"name": name, "value": value, "url": site.url} for name, _, value in cookies])
        context.add_init_script(WATCH + COUNT)
        yield context.new_page()
        browser.close()


# -- an answer


def _paced(page: Any, characters: int) -> Iterator[Figure]:
    """The cost of a delta that comes by itself."""
    metrics = _begin(page)
    metrics.send("Performance.enable", {"timeDomain": "threadTicks"})
    before, began = _busy(metrics), time.perf_counter()
    _ask(page, characters)
    seconds, busy = time.perf_counter() - began, _busy(metrics) - before
    deltas = max(1, page.evaluate("deltas"))
    yield Figure("delta: so many came in a second", deltas / seconds, "")
    yield Figure("delta: main thread", busy * 1000 / deltas, "ms", 2.0)


def _streamed(page: Any, characters: int) -> Iterator[Figure]:
    """The blocking while an answer comes as fast as the server has it, and when it ends."""
    _begin(page)
    blocking, began = Blocking(), time.perf_counter()
    with blocking.watched(page):
        _ask(page, characters)
        seconds = time.perf_counter() - began
        _until(page, FINISHED)
    yield Figure("answer: it came in", seconds, "s")
    yield from _blocked("answer: while it came and ended", blocking)


def _begin(page: Any) -> Any:
    """Opens a new conversation; returns a session with the browser."""
    page.goto("/")
    page.evaluate("document.querySelector('form[data-start]').submit()")  # without a message
    page.wait_for_url("**/conversations/*/")
    page.wait_for_timeout(500)
    page.evaluate("tasks.length = 0")
    return page.context.new_cdp_session(page)


def _ask(page: Any, characters: int) -> None:
    page.get_by_role("textbox", name="Message").fill(f"show characters {characters}")
    page.keyboard.press("Enter")
    _until(page, ENDED)


def _busy(metrics: Any) -> float:
    """Seconds that the main thread has been busy, on a processor."""
    values = metrics.send("Performance.getMetrics")["metrics"]
    return next(float(metric["value"]) for metric in values if metric["name"] == "TaskDuration")


def _until(page: Any, condition: str) -> None:
    """Waits for a condition in the page, without Playwright's locators, whose scripts are tasks too."""
    session, deadline = page.context.new_cdp_session(page), time.monotonic() + PATIENCE
    while not session.send("Runtime.evaluate", {"expression": condition})["result"].get("value"):
        if time.monotonic() > deadline:
            raise TimeoutError(condition)
        page.wait_for_timeout(100)
    session.detach()


def _blocked(name: str, blocking: Blocking) -> Iterator[Figure]:
    yield Figure(f"{name}, longest task", blocking.cpu, "ms CPU", LONG_MS)
    yield Figure(f"{name}, the same by the clock", blocking.clock, "ms")
    yield Figure(f"{name}, tasks over 50 ms by the clock", blocking.count, "")


# -- opening


def _opened(page: Any, name: str, url: str, goal: float | None = None) -> Iterator[Figure]:
    """The median time of three until it could be used, and the longest task of all."""
    ready, blocking = [], Blocking()
    for _ in range(3):
        page.goto("about:blank")
        with blocking.watched(page):
            page.goto(url)
            _until(page, FINISHED)
        # tasks that were long by the clock alone waited for other processes, which are not the page's
        ready.append(page.evaluate(READY if blocking.cpu > LONG_MS else LOADED))
    yield Figure(f"{name}: opened, ready to use", sorted(ready)[1], "ms", goal)
    yield from _blocked(f"{name}: opened", blocking)


def _fetched(page: Any, url: str) -> Iterator[Figure]:
    """What a conversation's page fetches without a cache, and with what it has cached then."""
    session, sizes = page.context.new_cdp_session(page), list[float]()
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    session.send("Network.enable")
    session.send("Network.clearBrowserCache")
    for name, most, most_kb in (("cold", None, COLD_KB), ("warm", WARM_REQUESTS, None)):
        page.goto("about:blank")
        sizes.clear()
        page.goto(url, wait_until="networkidle")
        fetched = [size for size in sizes if size]  # one from the cache has none
        yield Figure(f"{name} cache: requests", len(fetched), "", most)
        yield Figure(f"{name} cache: fetched", sum(fetched) / 1000, "kB", most_kb)
    session.detach()


def _response_ms(site: Site, url: str) -> float:
    request = urllib.request.Request(site.url + url, headers={"Cookie": site.cookie})  # noqa: S310 (our own server)
    began = time.perf_counter()
    with urllib.request.urlopen(request) as answer:  # noqa: S310 (our own server)
        answer.read()
    return (time.perf_counter() - began) * 1000
