"""The product's own tool."""

import pytest

from conversations.tools import ToolError, registry, top_song
from tests.tools.calls import execute


def test_wzpz_plays_elemental_hotel() -> None:
    assert top_song("WZPZ") == {"song": "Elemental Hotel", "artist": "8 Storey Hike"}


@pytest.mark.parametrize("sign", ["wzpz", " WZPZ\n", "Wzpz"])
def test_a_call_sign_is_read_with_kindness(sign: str) -> None:
    assert top_song(sign)["song"] == "Elemental Hotel"


@pytest.mark.parametrize("sign", ["WKRP", "wkrp", ""])
def test_any_other_station_is_not_found(sign: str) -> None:
    with pytest.raises(ToolError, match=f"^Station {sign} not found.$"):
        top_song(sign)


def test_the_model_is_told_of_it_as_in_the_contract() -> None:
    tool = registry.get("top_song")
    assert tool
    assert tool.spec in registry.specs()
    assert tool.spec["toolSpec"] == {
        "name": "top_song",
        "description": "Get the most popular song played on a radio station.",
        "inputSchema": {
            "json": {
                "type": "object",
                "properties": {
                    "sign": {
                        "type": "string",
                        "description": "The call sign of the radio station, such as WZPZ or WKRP.",
                    }
                },
                "required": ["sign"],
                "additionalProperties": False,
            }
        },
    }


def test_the_song_goes_to_the_model_as_json() -> None:
    outcome = execute("top_song", {"sign": "WZPZ"})
    assert (outcome.status, outcome.error) == ("success", "")
    assert outcome.content == [{"json": {"song": "Elemental Hotel", "artist": "8 Storey Hike"}}]


def test_an_unknown_station_is_told_to_the_model() -> None:
    outcome = execute("top_song", {"sign": "WKRP"})
    assert (outcome.status, outcome.error) == ("error", "tool_error")
    assert outcome.content == [{"text": "Station WKRP not found."}]


def test_a_call_without_a_sign_is_answered_with_what_is_missing() -> None:
    outcome = execute("top_song", {})
    assert (outcome.status, outcome.error) == ("error", "invalid_input")
    assert "sign is required" in outcome.content[0]["text"]
