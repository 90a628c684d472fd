"""The servers of a process: started on the turns' loop, and awaited by its first turn."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from conversations.conf import settings
from conversations.threads import Threads
from conversations.tools import registry

from .checks import ensure_usable
from .configuration import Configurations, read

if TYPE_CHECKING:
    from .server import Server

READY_SECONDS = 20.0
"""How long a turn waits at most for servers that have just been started."""


class Servers:
    """A process's servers. Its methods belong on the turns' loop."""

    def __init__(self) -> None:
        self._servers: list[Server] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Starts the servers of the file, once; raises ConfigurationError for an invalid file."""
        loop = asyncio.get_running_loop()
        if self._loop is loop or not settings.MCP_SERVERS:
            return
        self._loop = loop
        self._servers = [*_servers_of(read())]
        self._tasks = [loop.create_task(server.run()) for server in self._servers]

    async def wait_until_ready(self) -> None:
        """Waits until the tools of each server have been listed or could not be, for a while at most."""
        self.start()
        waiting = [server.settled.wait() for server in self._servers if not server.settled.is_set()]
        if waiting:
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.gather(*waiting), READY_SECONDS)

    async def stop(self) -> None:
        """Stops the servers, which may be started again."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for server in self._servers:
            registry.replace(server.name, [])
        self._servers, self._loop = [], None

    def faults(self) -> Mapping[str, str]:
        """Why the tools of servers are missing, by server."""
        return {server.name: server.fault for server in self._servers if server.fault}


def _servers_of(configurations: Configurations) -> "list[Server]":
    if not configurations:
        return []
    ensure_usable()
    from .server import Server

    threads = Threads("mcp", 1)
    return [Server(name, configuration, threads) for name, configuration in configurations.items()]


def faults_in(schema: dict[str, Any], value: dict[str, Any]) -> list[str]:
    """The faults of a person's answer to a server's question, a line each."""
    from .schemas import faults, validator

    return list(faults(validator(schema), value))


SERVERS = Servers()
"""This process's servers."""
