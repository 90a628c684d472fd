"""Tasks of the page's main thread, by Chromium's own trace and by the page's report of long ones."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

CATEGORIES = ["-*", "disabled-by-default-devtools.timeline"]
WATCH = """
window.tasks = [];
new PerformanceObserver((list) => {
  for (const {startTime, duration} of list.getEntries()) tasks.push([startTime, duration]);
}).observe({type: "longtask", buffered: true});
"""
LATE_MS = 300
"""Milliseconds after which the page knows of its long tasks."""


class Blocking:
    """How long the main thread was blocked at a time, at worst, in ms.

    `cpu` is the time on a processor; `clock`, and `count` of the tasks over 50 ms, also hold what other processes took meanwhile.
    """

    def __init__(self) -> None:
        self.cpu = self.clock = 0.0
        self.count = 0

    @contextmanager
    def watched(self, page: Any) -> Iterator[None]:
        """Adds what happens on the page until the block ends."""
        page.context.browser.start_tracing(page=page, categories=CATEGORIES)
        yield
        page.wait_for_timeout(LATE_MS)
        durations = [duration for _, duration in page.evaluate("tasks")]
        self.cpu = max(self.cpu, longest(page.context.browser.stop_tracing()))
        self.clock = max(self.clock, *durations, 0.0)
        self.count += len(durations)


def longest(trace: bytes) -> float:
    """Milliseconds on a processor of the longest task of any page's main thread."""
    events = json.loads(trace)["traceEvents"]
    threads = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    tasks = [event for event in events if event["name"] == "RunTask"]
    return (
        max((task.get("tdur", 0) for task in tasks if (task["pid"], task["tid"]) in threads), default=0)
        / 1000
    )
