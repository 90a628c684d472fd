"""One server, as a lasting task: it connects, offers tools, and starts again when the server dies."""

import asyncio
import logging
import time
from collections.abc import Awaitable
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

from mcp import Client, MCPError
from mcp_types import (
    CallToolResult,
    ElicitRequestFormParams,
    ElicitRequestParams,
    ElicitResult,
    Implementation,
    ListToolsResult,
    ToolListChangedNotification,
)
from mcp_types.jsonrpc import CONNECTION_CLOSED, INVALID_REQUEST
from pydantic import ValidationError

from conversations.protocol.text import beginning, clean_text
from conversations.threads import Threads
from conversations.tools import (
    Content,
    Question,
    RemoteCaller,
    RemoteContext,
    RemoteError,
    ToolError,
    registry,
)

from . import definitions, offering
from .configuration import ServerConfiguration
from .connection import Liveness, Lost, labels, transport_of
from .contents import content_of
from .definitions import Definition
from .schemas import UnusableSchema, check

logger = logging.getLogger(__name__)

START_SECONDS = 30.0
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0
STEADY_SECONDS = 60.0
"""Seconds after which a connection counts as steady: the next pause is then the shortest again."""

NEWS_SECONDS = 1.0
"""Seconds between two looks whether staff agreed to a change; a new listing waits a quarter of it."""

MOST_TOOLS = 500
LONGEST_NAME = 255
"""The longest name of a tool on its server, by the table of definitions; the protocol allows 128."""

CLIENT = Implementation(name="turntable", version="1")
GONE = "The server {} is not there at the moment. The tool was not run."
DIED = "The server {} ended while the call ran. What it does may or may not have happened."
UNCLEAR = (
    "The server %s asks something, and it is not clear for which of its calls: it is told that nobody answers"
)


class _Running:
    """A call that runs at the server."""

    def __init__(self, context: RemoteContext) -> None:
        self.context = context
        self.was_given_up = False


_running: ContextVar[_Running] = ContextVar("running")


class Server:
    """A server of the file. Its tools are in the registry while it is connected."""

    def __init__(self, name: str, configuration: ServerConfiguration, threads: Threads) -> None:
        self.name, self._configuration, self._threads = name, configuration, threads
        self.settled = asyncio.Event()
        """Set once its tools have been listed, or could not be."""

        self.fault = ""
        """Why its tools are missing, for people; blank while it is connected."""

        self.refused: dict[str, str] = {}
        """Why some of its tools are not offered."""

        self._client: Client | None = None
        self._liveness = Liveness()
        self._changed = asyncio.Event()
        self._blocked: dict[str, str] = {}
        self._calls: list[_Running] = []
        self._call_ended = asyncio.Event()
        self._mode = "legacy"

    async def run(self) -> None:
        """Keeps the server connected until the task is cancelled."""
        pause = FIRST_PAUSE
        while True:
            began = time.monotonic()
            try:
                await self._stay_connected()
            except Exception as error:  # noqa: BLE001 (whatever it is, the server is begun again)
                self._lose(error)
            finally:
                self._withdraw()
            if time.monotonic() - began > STEADY_SECONDS:
                pause = FIRST_PAUSE
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _lose(self, error: BaseException) -> None:
        self._withdraw()
        fault, known = reason(error), self.fault
        self.fault = fault
        self.settled.set()
        if fault != known:
            log = logger.info if known else logger.warning
            log("MCP server %s: %s. Its tools are not offered until it is back", self.name, fault)

    def _withdraw(self) -> None:
        """Takes its tools out of the registry, and ends the calls that run there."""
        self._client = None
        registry.replace(self.name, [])
        self._liveness.ended.set()

    async def _stay_connected(self) -> None:
        liveness = self._liveness = Liveness()
        client = Client(
            transport_of(self._configuration, liveness),
            mode=self._mode,
            message_handler=self._hear,
            elicitation_callback=self._elicit,
            client_info=CLIENT,
            read_timeout_seconds=None,
        )
        await _within(START_SECONDS, self._enter(client))
        try:
            await self._serve(client, liveness)
        except Exception as error:
            self._lose(error)  # first: to leave a connection takes its time
            raise
        finally:
            self._withdraw()
            await client.__aexit__(None, None, None)

    async def _enter(self, client: Client) -> None:
        try:
            await client.__aenter__()
        except MCPError:
            # Servers of the protocol of 2026 know no handshake, older ones need it. Tools may ask only after a handshake.
            self._mode = "auto" if self._mode == "legacy" else "legacy"
            raise

    async def _serve(self, client: Client, liveness: Liveness) -> None:
        listening = asyncio.create_task(self._listen(client)) if self._mode == "auto" else None
        try:
            while True:
                await _within(START_SECONDS, self._offer(client, liveness))
                await self._wait_for_change(liveness)
        finally:
            if listening is not None:
                listening.cancel()

    async def _listen(self, client: Client) -> None:
        with suppress(Exception):  # without it the list is as it was at first
            async with client.listen(tools_list_changed=True) as changes:
                async for _ in changes:
                    self._changed.set()

    async def _hear(self, message: Any) -> None:
        if isinstance(message, ToolListChangedNotification):
            self._changed.set()

    # -- its tools

    async def _offer(self, client: Client, liveness: Liveness) -> None:
        """Lists the server's tools, and puts those into the registry whose definitions are agreed to."""
        self._changed.clear()
        listed = [definition for definition in await _listed(client) if self._is_chosen(definition)]
        agreed = await self._threads.run(definitions.pin, self.name, listed)
        hashes = {definition["name"]: definitions.hash_of(definition) for definition in listed}
        self._blocked = {name: digest for name, digest in hashes.items() if name not in agreed}
        offered = [definition for definition in listed if definition["name"] in agreed]
        tools, self.refused = offering.tools_of(self.name, offered, self._configuration, self._call_of)
        self._log_refused()
        if liveness.ended.is_set():
            raise Lost("its connection ended")
        self._client = client
        for name in registry.replace(self.name, tools):
            logger.warning("MCP server %s: %s is not offered, as another tool has that name", self.name, name)
        if self.fault or not self.settled.is_set():
            logger.info("MCP server %s: connected, with %d tools", self.name, len(tools))
        self.fault = ""
        self.settled.set()

    def _is_chosen(self, definition: Definition) -> bool:
        return len(definition["name"]) <= LONGEST_NAME and offering.is_chosen(
            definition["name"], self._configuration
        )

    def _log_refused(self) -> None:
        for name, why in self.refused.items():
            logger.warning("MCP server %s: %s is not offered: %s", self.name, name, why)
        if self._blocked:
            names = ", ".join(sorted(self._blocked))
            logger.warning(
                "MCP server %s: %s not offered, as they were changed: staff agree in the admin",
                self.name,
                names,
            )

    async def _wait_for_change(self, liveness: Liveness) -> None:
        """Waits until the tools may have changed; raises Lost when the connection ends."""
        while True:
            waiters = [asyncio.ensure_future(event.wait()) for event in (liveness.ended, self._changed)]
            try:
                await asyncio.wait(
                    waiters,
                    timeout=NEWS_SECONDS if self._blocked else None,
                    return_when=asyncio.FIRST_COMPLETED,
                )
            finally:
                for waiter in waiters:
                    waiter.cancel()
            if liveness.ended.is_set():
                raise Lost("its connection ended")
            if self._changed.is_set():
                await asyncio.sleep(NEWS_SECONDS / 4)  # it may change several at once
                return
            if await self._threads.run(definitions.agreed, self.name, self._blocked):
                return

    # -- calls

    def _call_of(self, tool: str) -> RemoteCaller:
        async def call(arguments: dict[str, Any], context: RemoteContext) -> Content:
            return await self._call(tool, arguments, context)

        return call

    async def _call(self, tool: str, arguments: dict[str, Any], context: RemoteContext) -> Content:
        client, liveness, running = self._client, self._liveness, _Running(context)
        if client is None:
            raise ToolError(GONE.format(self.name))
        labels.set(context.labels)
        _running.set(running)
        liveness.calls += 1
        self._calls.append(running)
        try:
            result = await self._result(client, liveness, tool, arguments, context)
        except asyncio.CancelledError:
            running.was_given_up = True
            raise
        finally:
            liveness.calls -= 1
            self._calls.remove(running)
            self._call_ended.set()
        content = content_of(result, takes_pictures=context.takes_pictures)
        if result.is_error:
            raise RemoteError(content)
        return content

    async def _result(
        self, client: Client, liveness: Liveness, tool: str, arguments: dict[str, Any], context: RemoteContext
    ) -> CallToolResult:
        async def report(progress: float, total: float | None, message: str | None) -> None:
            context.progress(progress, total, message or "")

        request = asyncio.ensure_future(client.call_tool(tool, arguments, progress_callback=report))
        death = asyncio.ensure_future(liveness.ended.wait())
        try:
            await asyncio.wait({request, death}, return_when=asyncio.FIRST_COMPLETED)
            if not request.done():
                raise ToolError(DIED.format(self.name))
            return request.result()
        except MCPError as error:
            raise ToolError(self._in_words(error, liveness)) from None
        except (ValidationError, RuntimeError) as error:
            logger.warning("MCP server %s: %s answered with what is no result: %s", self.name, tool, error)
            raise ToolError(
                f"The server {self.name} answered with something that is no result of this tool."
            ) from None
        finally:
            request.add_done_callback(_forget)
            request.cancel()
            death.cancel()

    def _in_words(self, error: MCPError, liveness: Liveness) -> str:
        if error.error.code == INVALID_REQUEST and "Session terminated" in error.error.message:
            liveness.ended.set()  # the server was started again, and does not know the session
        if error.error.code == CONNECTION_CLOSED:
            liveness.probe_now.set()
        if error.error.code == CONNECTION_CLOSED or liveness.ended.is_set():
            return DIED.format(self.name)
        return f"The server {self.name} answered with an error: {beginning(clean_text(error.error.message), 1000)}"

    # -- its questions

    async def _elicit(self, context: Any, params: ElicitRequestParams) -> ElicitResult:
        running = _running.get(None) or await self._only_call()
        if running is None:
            logger.warning(UNCLEAR, self.name)
            return ElicitResult(action="cancel")
        try:
            question = _question(params)
        except UnusableSchema as error:
            logger.warning("MCP server %s asks something that cannot be answered: %s", self.name, error)
            return ElicitResult(action="cancel")
        reply = await running.context.ask(question)
        return ElicitResult(action=reply.action, content=reply.content if reply.action == "accept" else None)

    async def _only_call(self) -> _Running | None:
        """The call that asks: the only one that is left of those that run, None if one of them was given up.

        Over standard output a question does not say to which call it belongs, and it must not reach another user.
        """
        candidates = list(self._calls)
        while True:
            left = [call for call in candidates if call in self._calls]
            if len(left) <= 1 or any(call.was_given_up for call in candidates):
                break
            self._call_ended.clear()
            await self._call_ended.wait()
        is_clear = not any(call.was_given_up for call in candidates)
        return left[0] if left and is_clear else None


def _forget(request: "asyncio.Future[CallToolResult]") -> None:
    """Retrieves the exception of a call that nobody waits for, so that asyncio does not log it."""
    if not request.cancelled():
        request.exception()


async def _within(seconds: float, work: Awaitable[None]) -> None:
    async with asyncio.timeout(seconds):
        await work


async def _listed(client: Client) -> list[Definition]:
    tools: list[Definition] = []
    cursor: str | None = None
    while len(tools) < MOST_TOOLS:
        page: ListToolsResult = await client.list_tools(cursor=cursor, cache_mode="bypass")
        tools += map(definitions.definition_of, page.tools)
        cursor = page.next_cursor
        if not cursor:
            break
    return tools[:MOST_TOOLS]


def _question(params: ElicitRequestParams) -> Question:
    message = clean_text(beginning(params.message, 4_000))
    if isinstance(params, ElicitRequestFormParams):
        return Question(message, check(params.requested_schema))
    return Question(
        f"{message}\n{clean_text(beginning(params.url, 2_000))}", {"type": "object", "properties": {}}
    )


def reason(error: BaseException) -> str:
    """Why a server is lost, for people, without addresses and keys."""
    if isinstance(error, BaseExceptionGroup):
        return reason(error.exceptions[0])
    match error:
        case FileNotFoundError() | PermissionError():
            return f"its command cannot be run ({error.strerror})"
        case TimeoutError():
            return "it did not answer in time"
        case Lost():
            return str(error)
        case MCPError():
            return f"it refused ({beginning(clean_text(error.error.message), 200)})"
    name = type(error).__name__
    return "it cannot be reached" if name.startswith("Connect") else f"it cannot be used ({name})"
