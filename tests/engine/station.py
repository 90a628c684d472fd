"""The station's tool as tests play it, and the validator's errors in a resumed turn."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ag_ui_validate.pytest_plugin import validate_agui

from conversations.tools import registry, tool
from conversations.tools.registry import Always


@contextmanager
def top_song_as(
    play: Callable[[str], object],
    *,
    approval: bool = False,
    idempotent: bool = False,
    always: Always = "arguments",
) -> Iterator[None]:
    """Replaces what `top_song` does; the options are those of `@tool`."""
    with registry.override():

        @tool(approval=approval, idempotent=idempotent, always=always)
        def top_song(sign: str) -> object:
            """Get the most popular song played on a radio station."""
            return play(sign)

        yield


def validity_errors(events: list[dict[str, Any]]) -> list[Any]:
    """The validator's errors, but for the one that it finds in every resumed run.

    It forgets the calls of the run that was interrupted.
    """
    findings = validate_agui(events).diagnostics
    return [finding for finding in findings if finding.severity == "error" and finding.rule != "AGUI207"]
