"""No event is too large for a frame, whatever a model, a tool or a user says."""

import json
from typing import Any

import pytest
from ag_ui.core import Event as AguiEvent
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from conversations.protocol.agui import events
from conversations.protocol.converse.stream import Assembly
from conversations.protocol.text import clean_text
from tests.protocol.own_streams import delta, end, start, stop, tool_start
from tests.protocol.rearranged import wild
from tests.protocol.turns import display_events

AGUI: TypeAdapter[Any] = TypeAdapter(AguiEvent)
FRAME_BYTES = 1024 * 1024 - 1024  # Daphne's limit, less what the journal adds


def frame_bytes(event: events.Event) -> int:
    return len(json.dumps(event, ensure_ascii=False).encode())


@settings(max_examples=50)
@given(wild)
def test_whatever_comes_is_shown_as_agui_in_frames_that_fit(stream_events: list[Any]) -> None:
    for event in display_events(Assembly(), stream_events, "turn:1"):
        AGUI.validate_python(event)
        assert frame_bytes(event) < FRAME_BYTES


@pytest.mark.parametrize("size", [0, 1, 16 * 1024, 16 * 1024 + 1, 100_000])
@pytest.mark.parametrize("character", ["a", "é", "😀", "\x01"])
def test_long_text_is_told_in_pieces_of_16_kib(character: str, size: int) -> None:
    pieces = list(events.chunks(character * size))
    assert "".join(pieces) == character * size
    assert all(0 < len(piece.encode()) <= 16 * 1024 for piece in pieces)
    assert all(len(piece.encode()) > 16 * 1024 - 4 for piece in pieces[:-1])


@given(st.text().map(clean_text), st.integers(4, 9))
def test_pieces_join_to_the_whole(text: str, limit: int) -> None:
    pieces = list(events.chunks(text, limit))
    assert "".join(pieces) == text
    assert all(0 < len(piece.encode()) <= limit for piece in pieces)


def test_the_longest_message_of_a_user_is_split_too() -> None:
    message = events.user_message("m1", "😀" * 100_000)
    assert "".join(event["delta"] for event in message[1:-1]) == "😀" * 100_000
    assert max(map(frame_bytes, message)) < 17 * 1024


@pytest.mark.parametrize("character", ["a", "\x01", '"', "😀"])
def test_a_result_of_any_size_fits_into_a_frame(character: str) -> None:
    event = events.tool_call_result("t" * 64, character * 2_000_000, status="success", duration_ms=1)
    assert event["metadata"]["cut"]
    assert frame_bytes(event) < FRAME_BYTES


@pytest.mark.parametrize("character", ["a", "\x01", '"', "😀"])
def test_a_citation_of_any_size_fits_into_a_frame(character: str) -> None:
    citation = {"sourceContent": [{"text": character * 1_000_000}]}
    [event] = display_events(Assembly(), [delta(0, citation=citation), stop(0), *end()], "turn:1")
    assert event["value"]["citation"]["cut"]
    assert json.dumps(citation, ensure_ascii=False).startswith(event["value"]["citation"]["json"])
    assert frame_bytes(event) < FRAME_BYTES


@pytest.mark.parametrize("character", ["a", "\x01", '"', "😀"])
def test_a_server_tool_s_result_of_any_size_fits_and_keeps_its_id(character: str) -> None:
    content = [{"json": {"stdOut": character * 1_000_000}}]
    served = start(0, toolResult={"toolUseId": "s1", "type": "code_result", "status": "success"})
    server_tool = [served, delta(0, toolResult=content), stop(0), *end()]
    [event] = display_events(Assembly(), server_tool, "turn:1")
    result = event["value"]["server_tool"]["toolResult"]
    assert (result["toolUseId"], result["status"], result["content"]["cut"]) == ("s1", "success", True)
    assert json.dumps(content, ensure_ascii=False).startswith(result["content"]["json"])
    assert frame_bytes(event) < FRAME_BYTES


def test_names_and_ids_of_any_size_fit_into_a_frame() -> None:
    stream_events = [tool_start(0, "i" * 2_000_000, "n" * 2_000_000), stop(0), *end("tool_use")]
    assert max(map(frame_bytes, display_events(Assembly(), stream_events, "turn:1"))) < 1024
