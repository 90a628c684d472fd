"""Tools that run elsewhere: a call is a task on the loop, and may ask a person while it runs."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

from conversations.protocol.text import clean_text
from conversations.tools import results
from conversations.tools.arguments import InvalidInput
from conversations.tools.execution import FAILED, STOPPED, TIMEOUT, Outcome
from conversations.tools.registry import Tool, ToolError
from conversations.tools.results import Content

logger = logging.getLogger(__name__)

Action = Literal["accept", "decline", "cancel"]


@dataclass(frozen=True)
class Question:
    """A question of a call to a person; `schema` is the JSON Schema of the answer, an object."""

    message: str
    schema: dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """A person's answer to a question; only an accepted one has content."""

    action: Action
    content: dict[str, Any] | None = None


Ask = Callable[[Question], Awaitable[Reply]]
Progress = Callable[[float, float | None, str], None]


@dataclass(frozen=True)
class RemoteContext:
    """The context of a remote call: its labels for headers, its progress, its questions."""

    labels: dict[str, str]
    takes_pictures: bool
    progress: Progress
    ask: Ask


class RemoteError(Exception):
    """A failure that the tool itself returned as its result."""

    def __init__(self, content: Content) -> None:
        super().__init__()
        self.content = content


RemoteCaller = Callable[[dict[str, Any], RemoteContext], Awaitable[Content]]


@dataclass(frozen=True)
class RemoteTool(Tool):
    """A tool of a server. `call` calls it there, and raises RemoteError or ToolError."""

    description: str = ""
    call: RemoteCaller = field(kw_only=True)

    @cached_property
    def spec(self) -> dict[str, Any]:
        """Converse's `toolSpec` entry."""
        described = {"description": self.description} if self.description else {}
        schema = {"inputSchema": {"json": self.arguments.schema}}
        return {"toolSpec": {"name": self.name, **described, **schema}}


class RemoteCall:
    """A call under way. Its timeout stands still while it asks a person."""

    def __init__(
        self,
        tool: RemoteTool,
        arguments: dict[str, Any],
        *,
        labels: dict[str, str],
        takes_pictures: bool,
    ) -> None:
        self.progress: Progress = lambda done, of, text: None
        """Called with the call's progress."""

        self.is_asking = False
        """Whether it waits for the answer to a question."""

        self._tool, self._spent = tool, 0.0
        self._asking = asyncio.Lock()
        self._question: Question | None = None
        self._reply: asyncio.Future[Reply] | None = None
        self._has_question = asyncio.Event()
        context = RemoteContext(labels, takes_pictures, self._show, self._ask)
        self.task = asyncio.get_running_loop().create_task(self._answer(arguments, context))

    async def wait(self, stop: asyncio.Event) -> Outcome | Question:
        """Waits for the outcome or the next question. `stop` and its timeout end the call."""
        began = time.monotonic()
        waiters = [asyncio.ensure_future(self._has_question.wait()), asyncio.ensure_future(stop.wait())]
        try:
            await asyncio.wait(
                {self.task, *waiters},
                timeout=max(0.0, self._tool.seconds - self._spent),
                return_when=asyncio.FIRST_COMPLETED,
            )
        except asyncio.CancelledError:
            self.cancel()
            raise
        finally:
            self._spent += time.monotonic() - began
            for waiter in waiters:
                waiter.cancel()
        return self._state(is_stopped=stop.is_set())

    def reply(self, reply: Reply) -> None:
        """Answers the question."""
        self._has_question.clear()
        self.is_asking = False
        if self._reply is not None and not self._reply.done():
            self._reply.set_result(reply)

    def cancel(self) -> None:
        """Cancels the call, which the server is told too."""
        self.task.cancel()

    def _state(self, *, is_stopped: bool) -> Outcome | Question:
        if self.task.done() and not self.task.cancelled():
            return replace(self.task.result(), duration_ms=self._duration)
        if is_stopped:
            self.cancel()
            return self._outcome("stopped", results.text(STOPPED))
        if self._has_question.is_set() and self._question is not None:
            self.is_asking = True
            return self._question
        self.cancel()
        return self._outcome("timeout", results.text(TIMEOUT.format(seconds=self._tool.seconds)))

    def _show(self, done: float, of: float | None, text: str) -> None:
        self.progress(done, of, text)

    async def _ask(self, question: Question) -> Reply:
        async with self._asking:  # one question at a time
            self._question, self._reply = question, asyncio.get_running_loop().create_future()
            self._has_question.set()
            return await self._reply

    async def _answer(self, arguments: dict[str, Any], context: RemoteContext) -> Outcome:
        try:
            validated = self._tool.arguments.validate(arguments)
            return self._outcome("", await self._tool.call(validated, context))
        except InvalidInput as error:
            return self._outcome("invalid_input", results.text(str(error)))
        except RemoteError as error:
            return self._outcome("tool_error", error.content)
        except ToolError as error:
            return self._outcome("tool_error", results.text(clean_text(str(error)) or FAILED))
        except Exception:
            logger.exception("Tool %s failed", self._tool.name)
            return self._outcome("exception", results.text(FAILED))

    def _outcome(self, error: str, content: Content) -> Outcome:
        return Outcome("error" if error else "success", error, content, self._duration)

    @property
    def _duration(self) -> int:
        """How long it has run, in ms, without the time in which it waited for a person."""
        return round(self._spent * 1000)
