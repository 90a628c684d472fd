"""How smooth the chat's page is: for how long it blocks the browser while a very long answer comes and when it is opened, what a
delta costs there, and when a conversation can be used.
"""

import os
import shutil
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from . import conversation, machine
from .processes import running
from .site import Site
from .tasks import WATCH, Blocking

PACE = 0.003
"""Of the demo gateway, for counting what a delta costs: some 300 a second, which is faster than models write."""

PACED = 8_000
"""Characters that are enough for that."""

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
"""For which the main thread may be blocked at a time."""

ENDED = "document.querySelectorAll('#transcript .turn:last-child .actions:not([hidden])').length"
FINISHED = "document.querySelectorAll('#transcript .markdown:not(.rendered), #transcript .raw').length === 0"


class Row(NamedTuple):
    """A figure, its unit, and what it should stay below."""

    name: str
    value: float
    unit: str
    limit: float | None = None

    @property
    def is_well(self) -> bool:
        """Whether it does."""
        return self.limit is None or self.value <= self.limit


Measured = list[Row]


def measure(characters: int, turns: Sequence[int], tell: Callable[[str], None]) -> Measured:
    """Has an answer of so many characters streamed and opened, and conversations of so many turns opened, on a site of its own."""
    with _site() as (site, gateway):
        tell("writing the conversations")
        paths = {count: f"/conversations/{conversation.fill(count)}/" for count in turns}
        with _browsing(site) as page:
            tell("the cost of a delta")
            gateway.pace = PACE
            rows = [*_paced(page, min(characters, PACED))]
            tell(f"an answer of {characters:,} characters")
            gateway.pace = 0.0
            rows += [*_streamed(page, characters), *_opened(page, "answer", page.url)]
            for count, path in paths.items():
                tell(f"a conversation of {count:,} turns")
                served = min(_asked(site, path) for _ in range(3))
                rows += [Row(f"{count:,} turns: the server's time", served, "ms")]
                rows += _opened(page, f"{count:,} turns", path, 1000.0)
    return rows


@contextmanager
def _site() -> Iterator[tuple[Site, Any]]:
    from conversations.gateway.demo import DemoGateway
    from conversations.gateway.demo.server import Server

    with TemporaryDirectory(prefix="turntable-bench-") as folder:
        server = Server(("127.0.0.1", 0), PACE)
        gateway = DemoGateway(server)
        own = {
            "DJANGO_SETTINGS_MODULE": "project.settings",
            "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
            "GATEWAY_URL": gateway.url,
            "MAX_TOKENS": "100000000",
            "USER_TURNS_PER_MINUTE": "0",
            "REDIS_URL": "",
            "SECRET_KEY": "one for the measurement " * 3,
            "ALLOWED_HOSTS": "",
        }
        os.environ.update(own)
        serve, log = ("manage.py", "serve", "--port", "0"), Path(folder, "log")
        core = machine.cores().tested
        with (
            log.open("w") as errors,
            running(*serve, core=core, environment=os.environ | own, errors=errors) as process,
        ):
            yield Site(process), server
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


def _paced(page: Any, characters: int) -> Iterator[Row]:
    """What a delta costs where each comes by itself."""
    metrics = _begin(page)
    metrics.send("Performance.enable", {"timeDomain": "threadTicks"})
    before, began = _busy(metrics), time.perf_counter()
    _ask(page, characters)
    seconds, busy = time.perf_counter() - began, _busy(metrics) - before
    deltas = max(1, page.evaluate("deltas"))
    yield Row("delta: so many came in a second", deltas / seconds, "")
    yield Row("delta: main thread", busy * 1000 / deltas, "ms", 2.0)


def _streamed(page: Any, characters: int) -> Iterator[Row]:
    """How the page fares while an answer comes as fast as the server has it, and when it ends."""
    _begin(page)
    blocking, began = Blocking(), time.perf_counter()
    with blocking.watched(page):
        _ask(page, characters)
        seconds = time.perf_counter() - began
        _until(page, FINISHED)
    yield Row("answer: it came in", seconds, "s")
    yield from _blocked("answer: while it came and ended", blocking)


def _begin(page: Any) -> Any:
    """A new conversation; a session with the browser."""
    page.goto("/")
    page.get_by_role("button", name="Start").click()
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
    told = metrics.send("Performance.getMetrics")["metrics"]
    return next(float(metric["value"]) for metric in told if metric["name"] == "TaskDuration")


def _until(page: Any, condition: str) -> None:
    """Waits for a condition in the page; Playwright's locators would bring much script with them, whose tasks are not ours."""
    session, deadline = page.context.new_cdp_session(page), time.monotonic() + PATIENCE
    while not session.send("Runtime.evaluate", {"expression": condition})["result"].get("value"):
        if time.monotonic() > deadline:
            raise TimeoutError(condition)
        page.wait_for_timeout(100)
    session.detach()


def _blocked(name: str, blocking: Blocking) -> Iterator[Row]:
    yield Row(f"{name}, longest task", blocking.cpu, "ms CPU", LONG_MS)
    yield Row(f"{name}, the same by the clock", blocking.clock, "ms")
    yield Row(f"{name}, tasks over 50 ms by the clock", blocking.count, "")


# -- opening


def _opened(page: Any, name: str, url: str, limit: float | None = None) -> Iterator[Row]:
    """When it could be used, the median of three times, and the longest task of all."""
    ready, blocking = [], Blocking()
    for _ in range(3):
        page.goto("about:blank")
        with blocking.watched(page):
            page.goto(url)
            _until(page, FINISHED)
        # tasks that were long by the clock alone waited for other processes, which are not the page's
        ready.append(page.evaluate(READY if blocking.cpu > LONG_MS else LOADED))
    yield Row(f"{name}: opened, ready to use", sorted(ready)[1], "ms", limit)
    yield from _blocked(f"{name}: opened", blocking)


def _asked(site: Site, url: str) -> float:
    asked = urllib.request.Request(site.url + url, headers={"Cookie": site.cookie})  # noqa: S310 (our own server)
    began = time.perf_counter()
    with urllib.request.urlopen(asked) as answer:  # noqa: S310 (our own server)
        answer.read()
    return (time.perf_counter() - began) * 1000


# -- the report


def text(rows: Measured) -> str:
    """The table for people."""
    lines = [f"{'':64}{'':>10}{'limit':>8}"]
    for name, value, unit, limit in rows:
        most = "" if limit is None else f"{limit:.0f}"
        lines.append(f"{name:64}{value:>10.2f}{most:>8} {unit}")
    return "\n".join(lines)


def as_json(rows: Measured) -> dict[str, Any]:
    """Everything, and the machine."""
    return {"figures": [row._asdict() for row in rows], "machine": machine.description()}


def is_well(rows: Measured) -> bool:
    """Whether each figure is below its limit."""
    return all(row.is_well for row in rows)
