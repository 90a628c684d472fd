"""This process's calls at MCP servers. They outlive a run that ends when one asks a person."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from conversations.models import Model, ToolCall, Turn
from conversations.tools import RemoteCall, RemoteTool, registry

from .requests import labels_of


class Origin(NamedTuple):
    """The origin of a remote call: labels for headers, and whether its model takes pictures."""

    labels: dict[str, str]
    takes_pictures: bool


def origin_of(turn: Turn) -> Origin:
    """The origin of a turn's calls, read from the database."""
    return Origin(labels_of(turn), Model.of(turn.model).capabilities.takes_pictures is not False)


class LiveCalls:
    """The remote calls under way. Its methods belong on the turns' loop."""

    def __init__(self, when_lost: Callable[[Turn], None]) -> None:
        self.when_lost = when_lost
        """Called with a turn whose call has ended while a person was asked."""

        self._calls: dict[UUID, tuple[RemoteCall, Turn]] = {}

    def __contains__(self, row: ToolCall) -> bool:
        return row.pk in self._calls

    def get(self, row: ToolCall) -> RemoteCall | None:
        """The call, if it runs here."""
        return self._calls[row.pk][0] if row.pk in self._calls else None

    def begin(self, row: ToolCall, arguments: dict[str, Any], turn: Turn, origin: Origin) -> RemoteCall:
        """Makes the call of a remote tool."""
        tool = registry.get(row.name)
        if not isinstance(tool, RemoteTool):
            raise TypeError(f"{row.name} is no tool of a server")
        call = RemoteCall(tool, arguments, **origin._asdict())
        self._calls[row.pk] = (call, turn)
        call.task.add_done_callback(partial(self._report_loss, call, turn))
        return call

    def forget(self, row: ToolCall) -> None:
        """Forgets a call that has ended."""
        self._calls.pop(row.pk, None)

    def cancel(self, turn: UUID) -> None:
        """Gives up the calls of a turn that ends."""
        for key, (call, owner) in list(self._calls.items()):
            if owner.pk == turn:
                del self._calls[key]
                call.cancel()

    @property
    def turns(self) -> set[UUID]:
        """The turns of the calls."""
        return {turn.pk for _, turn in list(self._calls.values())}

    def _report_loss(self, call: RemoteCall, turn: Turn, task: object) -> None:
        if call.is_asking and any(call is kept for kept, _ in self._calls.values()):
            self.when_lost(turn)
