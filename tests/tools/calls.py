"""Tool calls from a thread without a loop."""

import asyncio
from collections.abc import Callable
from typing import Any

from conversations import tools
from conversations.tools import Outcome, registry, tool


class Stop:
    """A call's stop that any thread may set, also before the call is made."""

    def __init__(self) -> None:
        self.event = asyncio.Event()
        self.loop: asyncio.AbstractEventLoop | None = None

    def set(self) -> None:
        if self.loop is None:
            self.event.set()
        else:
            self.loop.call_soon_threadsafe(self.event.set)


def execute(
    name: str, arguments: dict[str, Any] | None, *, stop: Stop | None = None, key: str = ""
) -> Outcome:
    """The outcome of a call that is made on a loop of its own."""
    stop = stop or Stop()

    async def call() -> Outcome:
        stop.loop = asyncio.get_running_loop()
        return await tools.execute(name, arguments, stop=stop.event, key=key)

    return asyncio.run(call())


def outcome_of(function: Callable[..., Any], /, **arguments: Any) -> Outcome:
    """The outcome of a call of this function, which is declared as a tool for it."""
    with registry.override():
        tool(name="it")(function)
        return execute("it", arguments)


def text_of(outcome: Outcome) -> str:
    (block,) = outcome.content
    text = block["text"]
    assert isinstance(text, str)
    return text
