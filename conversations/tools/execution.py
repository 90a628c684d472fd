"""The execution of a tool call: a thread of its own runs the function, and a coroutine waits for it."""

import asyncio
import inspect
import logging
import threading
import time
from collections.abc import Awaitable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Literal

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.db import connections

from conversations.protocol.text import clean_text
from conversations.tools import registry, results
from conversations.tools.arguments import InvalidInput
from conversations.tools.context import Context
from conversations.tools.registry import Tool, ToolError
from conversations.tools.results import Content
from conversations.tools.slots import Slots, Wakeup

logger = logging.getLogger(__name__)

Fault = Literal["", "invalid_input", "unknown_tool", "tool_error", "exception", "timeout", "stopped"]
Answer = tuple[Fault, Content]

TOOLS_AT_ONCE = 32
"""Calls that run at once in a process; further calls wait for a slot."""

ABANDONED_WITHOUT_SLOT = 64
"""Abandoned calls that keep no slot; each further one does."""

NO_OBJECT = "The input is not a JSON object. The tool was not run."
FAILED = "The tool failed. What went wrong is in the server's log."
_UNSENDABLE = "The tool returned something that cannot be sent."
_NOT_RUN = "The tool was not run: the turn was stopped."
STOPPED = "The tool was stopped. What it does may or may not have happened."
TIMEOUT = "The tool did not end within {seconds:g} seconds. What it does may or may not have happened."

_key: ContextVar[str] = ContextVar("idempotency_key", default="")
_slots = Slots(TOOLS_AT_ONCE, ABANDONED_WITHOUT_SLOT)


@dataclass(frozen=True)
class Outcome:
    """A call's outcome: the content of a Converse `toolResult`, and `error`, a word for operators."""

    status: Literal["success", "error"]
    error: str
    content: Content
    duration_ms: int


def idempotency_key() -> str:
    """The key of the tool call that runs here, the same if it is made again; '' outside of a call."""
    return _key.get()


async def execute(
    name: str,
    arguments: dict[str, Any] | None,
    *,
    stop: asyncio.Event | None = None,
    key: str = "",
    context: Context | None = None,
) -> Outcome:
    """Runs the tool and waits for its end, its timeout or `stop`; failures are outcomes too.

    `arguments` is None for an input that is no JSON object; `context` is for a tool that wants one. Cancelling the task that waits
    abandons the call. A function that does not end goes on by itself, and its late result is discarded.
    """
    started = time.monotonic()
    context = context or Context(idempotency_key=key)
    error, content = await _answer(name, arguments, stop or asyncio.Event(), context)
    return Outcome("error" if error else "success", error, content, _milliseconds(started))


async def _answer(
    name: str, arguments: dict[str, Any] | None, stop: asyncio.Event, context: Context
) -> Answer:
    tool = registry.get(name)
    if tool is None:
        return "unknown_tool", results.text(_no_such_tool(name))
    if arguments is None:
        return "invalid_input", results.text(NO_OBJECT)
    slots = _slots
    if stop.is_set() or not await slots.enter(stop):
        return "stopped", results.text(_NOT_RUN)
    call = _Call(tool, arguments, context, slots)
    call.start()
    return await call.wait(stop)


class _Call:
    """A call in its thread. Its answer is set once: by the thread, or by whoever abandons it first."""

    def __init__(self, tool: Tool, arguments: dict[str, Any], context: Context, slots: Slots) -> None:
        self._tool = tool
        self._arguments = arguments
        self._context, self._key = context, context.idempotency_key
        self._slots = slots
        self._started = time.monotonic()
        self._answer: Future[Answer] = Future()
        self._wakeup = Wakeup()

    def start(self) -> None:
        thread = threading.Thread(target=self._work, name=f"tool {self._tool.name}", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no more threads to be had
            logger.exception("Tool %s (%s) could not be started", self._tool.name, self._key)
            self._end(("exception", results.text(FAILED)))

    async def wait(self, stop: asyncio.Event) -> Answer:
        """The answer, which is a fault if the call was abandoned at its timeout or because `stop` was set."""
        try:
            await self._wakeup.wait(stop, self._tool.seconds)
        finally:
            is_abandoned = self._abandon()
        if not is_abandoned:
            return self._answer.result()
        if stop.is_set():
            return "stopped", results.text(STOPPED)
        return "timeout", results.text(TIMEOUT.format(seconds=self._tool.seconds))

    def _abandon(self) -> bool:
        """Cancels the call unless it has ended; returns whether it was cancelled."""
        if not self._answer.cancel():
            return False
        if kept := self._slots.abandon():
            logger.warning(
                "Tool %s (%s) was given up and keeps its slot, with %d of %d kept by calls that do not end",
                *(self._tool.name, self._key, kept, self._slots.capacity),
            )
        return True

    def _work(self) -> None:
        _key.set(self._key)
        answer = self._guarded()
        _close_connections()
        self._end(answer)

    def _end(self, answer: Answer) -> None:
        try:
            self._answer.set_result(answer)
        except InvalidStateError:
            self._slots.end_abandoned()
            duration = _milliseconds(self._started)
            logger.warning(
                "Tool %s (%s) ended after it was given up, %d ms in all", self._tool.name, self._key, duration
            )
        else:
            self._slots.end()
            self._wakeup.send()

    def _guarded(self) -> Answer:
        try:
            return self._attempt()
        except BaseException as error:  # SystemExit too: nobody else would hear of it in this thread
            if not (self._answer.cancelled() and isinstance(error, asyncio.CancelledError)):
                logger.exception("Tool %s (%s) failed", self._tool.name, self._key)
            text = _UNSENDABLE if isinstance(error, results.Unsendable) else FAILED
            return "exception", results.text(text)

    def _attempt(self) -> Answer:
        try:
            return "", results.content(self._run())
        except InvalidInput as error:
            return "invalid_input", results.text(str(error))
        except ToolError as error:
            return "tool_error", results.text(str(error) or FAILED)

    def _run(self) -> Any:
        arguments = self._tool.arguments
        contexts = dict.fromkeys(arguments.contexts, self._context)
        result = self._tool.function(**arguments.validate(self._arguments), **contexts)
        return asyncio.run(self._async_result(result)) if inspect.isawaitable(result) else result

    async def _async_result(self, result: Awaitable[Any]) -> Any:
        """The result, on a loop of the thread's own; abandoning the call cancels it."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()

        def cancel(answer: Future[Answer]) -> None:
            with suppress(RuntimeError):  # the loop has just closed
                if answer.cancelled() and task:
                    loop.call_soon_threadsafe(task.cancel)

        self._answer.add_done_callback(cancel)
        # The ORM runs in a thread of this context, not in the one that the whole process shares.
        async with ThreadSensitiveContext():
            try:
                return await result
            finally:
                await sync_to_async(_close_connections)()


def _close_connections() -> None:
    try:
        connections.close_all()
    except Exception:
        logger.exception("A tool's database connections could not be closed")


def _no_such_tool(name: str) -> str:
    names = ", ".join(registry.open_names())
    return f"There is no tool named {clean_text(name[:64])!r}. There is: {names or 'none'}."


def _milliseconds(since: float) -> int:
    return round((time.monotonic() - since) * 1000)
