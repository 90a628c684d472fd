"""Gateways that lose bytes inside a frame: the text says so, and a damaged tool call is never run."""

import json

import pytest

from conversations.gateway.frames import encode
from conversations.models import Round, ToolCall
from tests.faults.scene import Scene, asking_for
from tests.gateway.wire import Answer, answer_frames
from tests.turns import of_type

pytestmark = pytest.mark.django_db(transaction=True)
WHOLE = Answer.stream(*answer_frames("Hello", " world"))


def fragment(data: bytes, member: bytes = b'"toolUse":{"input":"%b"}') -> bytes:
    """The frame of a delta of the first block, of which these bytes are the text."""
    return encode("contentBlockDelta", b'{"contentBlockIndex":0,"delta":{' + member % data + b"}}")


def call_of(*fragments: bytes) -> list[bytes]:
    """The frames of a round that calls `top_song` with these in its arguments."""
    begin, start, _, stop, end = asking_for(("call-1", "top_song", "{}"))
    head, tail = fragment(b'{\\"sign\\": \\"'), fragment(b'\\"}')
    return [begin, start, head, *fragments, tail, stop, end]


@pytest.mark.parametrize(
    "fragments",
    [
        [fragment(b"80 \xe2\x82")],
        [fragment(b"80 \xe2"), fragment(b"\x82\xac")],
        [encode("contentBlockDelta", b'{"contentBlockIndex":0,"delta":{"toolUse":{"input":" 80')],
        [encode("contentBlockDelta", b"")],
    ],
    ids=["half a character", "a character in two frames", "half a payload", "no payload"],
)
def test_a_tool_call_whose_arguments_lost_bytes_is_answered_and_not_run(
    scene: Scene, fragments: list[bytes]
) -> None:
    turn = scene.ask(Answer.stream(*call_of(*fragments)), WHOLE)
    scene.check_completed(turn, "Hello world")
    call = ToolCall.objects.get(turn=turn)
    assert (call.status, call.error, call.started_at, call.input) == ("error", "damaged", None, None)
    assert "lost or damaged" in call.result[0]["text"]
    result = json.loads(scene.server.requests[1].body)["messages"][-1]["content"][0]["toolResult"]
    assert (result["status"], result["content"]) == ("error", call.result)
    scene.check_alive()


def test_text_keeps_the_place_of_what_it_lost_and_the_round_says_so(scene: Scene) -> None:
    hello = answer_frames("Hello", " world")
    odd = [fragment(b" 80 \xe2\x82", b'"text":"%b"'), encode("contentBlockDelta", b"{broken")]
    turn = scene.ask(Answer.stream(*hello[:2], *odd, *hello[2:]))
    scene.check_completed(turn, "Hello 80 \ufffd world")
    [finished] = of_type(scene.events(), "STEP_FINISHED")
    assert finished["metadata"]["damaged"] == 2
    assert Round.objects.get(turn=turn).metadata["damaged"] == {"contentBlockDelta": 2}
    scene.check_alive()
