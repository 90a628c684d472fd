"""Tools that run elsewhere: a call is a task on the loop, and it may ask a person on its way."""

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
    """What a call wants to know from a person; `schema` is the JSON Schema of the answer, an object."""

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
    """What a remote call may know and do: its labels for headers, its progress, its questions."""

    labels: dict[str, str]
    takes_pictures: bool
    progress: Progress
    ask: Ask


class RemoteError(Exception):
    """The tool itself says that it failed, by a result."""

    def __init__(self, content: Content) -> None:
        super().__init__()
        self.content = content


RemoteCaller = Callable[[dict[str, Any], RemoteContext], Awaitable[Content]]


@dataclass(frozen=True)
class RemoteTool(Tool):
    """A tool of a server. `call` makes a call there, and raises RemoteError or ToolError."""

    description: str = ""
    call: RemoteCaller = field(kw_only=True)

    @cached_property
    def spec(self) -> dict[str, Any]:
        """Converse's `toolSpec` entry."""
        described = {"description": self.description} if self.description else {}
        schema = {"inputSchema": {"json": self.arguments.schema}}
        return {"toolSpec": {"name": self.name, **described, **schema}}


class RemoteCall:
    """A call under way. It waits for its end or its next question; while it asks, its time stands still."""

    def __init__(
        self,
        tool: RemoteTool,
        arguments: dict[str, Any],
        *,
        labels: dict[str, str],
        takes_pictures: bool,
    ) -> None:
        self.progress: Progress = lambda done, of, text: None
        """Takes the call's progress."""

        self.is_asking = False
        """Whether it has asked, and nobody has answered."""

        self._tool, self._spent = tool, 0.0
        self._asking = asyncio.Lock()
        self._question: Question | None = None
        self._reply: asyncio.Future[Reply] | None = None
        self._has_question = asyncio.Event()
        context = RemoteContext(labels, takes_pictures, self._show, self._ask)
        self.task = asyncio.get_running_loop().create_task(self._answer(arguments, context))

    async def settled(self, stop: asyncio.Event) -> Outcome | Question:
        """The outcome or the next question. Stop and the call's time end it."""
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
        """Gives the call up: its server is told, and nobody waits for it."""
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
        async with self._asking:  # one after another
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
        """How long it has run, in ms, without the time in which a person was asked."""
        return round(self._spent * 1000)
