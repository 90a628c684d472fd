"""The product's own tool, and an example of one."""

from typing import Annotated

from pydantic import Field

from conversations.tools.registry import ToolError, tool

_SONGS = {"WZPZ": {"song": "Elemental Hotel", "artist": "8 Storey Hike"}}


@tool
def top_song(
    sign: Annotated[str, Field(description="The call sign of the radio station, such as WZPZ or WKRP.")],
) -> dict[str, str]:
    """Get the most popular song played on a radio station."""
    try:
        return dict(_SONGS[sign.strip().upper()])
    except KeyError:
        raise ToolError(f"Station {sign} not found.") from None
