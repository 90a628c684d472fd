"""Event streams that break: what was shown is kept, and tried again is only what had shown nothing."""

import json

import pytest
from pytest_django.fixtures import Settings

from conversations.gateway.frames import encode
from tests.faults.scene import HELLO, PART, Scene, retries
from tests.gateway.wire import Answer, End, answer_frames, chunks, flipped, raw
from tests.turns import of_type

pytestmark = pytest.mark.django_db(transaction=True)

HALF = HELLO[3][:40]
BROKEN = {
    "clean end between frames": Answer.stream(*PART),
    "clean end between frames, until the end": Answer.plain(*PART),
    "clean end with a length": Answer.plain(*PART, missing=100),
    "clean end in a frame": Answer.stream(*PART, HALF),
    "FIN in a frame": raw(chunks(*PART), b"64\r\n" + HALF),
    "without the last chunk": Answer.stream(*PART, terminated=False, end=End.CLOSE),
    "wrong checksum": Answer.stream(*PART, flipped(HELLO[3], -1)),
}
RESET = Answer.stream(*PART, terminated=False, end=End.RESET)


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN.keys())
def test_a_stream_that_breaks_off_keeps_what_was_shown_and_is_not_tried_again(
    scene: Scene, answer: Answer
) -> None:
    turn = scene.ask(answer)
    assert "What arrived is kept" in scene.check_failed(turn, "stream_cut", "Hello world")["message"]
    assert scene.calls() == 1
    scene.check_alive()


def test_a_reset_stream_keeps_what_was_shown(scene: Scene) -> None:
    turn = scene.ask(RESET)
    text = scene.snapshot_text(turn)  # a reset may overtake what was sent before it
    scene.check_failed(turn, "stream_cut", text)
    assert text in ("Hello world", "Hello", "")
    scene.check_alive()


SILENTLY = {
    "clean end": Answer.stream(HELLO[0]),
    "FIN": Answer.stream(HELLO[0], terminated=False, end=End.CLOSE),
    "RST": Answer.stream(HELLO[0], terminated=False, end=End.RESET),
    "wrong checksum": Answer.stream(flipped(HELLO[0], -1)),
}


@pytest.mark.parametrize("answer", SILENTLY.values(), ids=SILENTLY.keys())
def test_a_stream_that_breaks_off_before_it_showed_anything_is_tried_again(
    scene: Scene, answer: Answer
) -> None:
    turn = scene.ask(answer)
    scene.check_failed(turn, "stream_cut")
    assert scene.calls() == 2
    scene.check_completed(scene.ask(answer, Answer.stream(*HELLO)), "Hello world")
    scene.check_alive()


EXCEPTIONS = {
    "internalServerException": ("stream_error", True),
    "modelStreamErrorException": ("stream_error", True),
    "serviceUnavailableException": ("stream_error", True),
    "throttlingException": ("throttled", True),
    "validationException": ("invalid_request", False),
    "modelTimeoutException": ("stream_error", True),
    "neverHeardOfException": ("stream_error", True),
}
OTHER = ("stream_error", True)
FORMS = [(name, "exception") for name in EXCEPTIONS] + [("throttlingException", "error"), ("500", "error")]


@pytest.mark.parametrize(("name", "form"), FORMS)
def test_an_exception_as_the_first_frame_is_tried_again_unless_it_is_the_requests_fault(
    scene: Scene, name: str, form: str
) -> None:
    code, again = EXCEPTIONS.get(name, OTHER)
    turn = scene.ask(Answer.stream(encode(name, {"message": "it broke"}, form)))
    assert "it broke" in scene.check_failed(turn, code)["message"]
    assert scene.calls() == 1 + again
    scene.check_alive()


@pytest.mark.parametrize(("name", "form"), FORMS)
def test_an_exception_after_text_ends_the_turn_and_keeps_the_text(scene: Scene, name: str, form: str) -> None:
    turn = scene.ask(Answer.stream(*PART, encode(name, {"message": "it broke"}, form), *HELLO[3:]))
    assert "it broke" in scene.check_failed(turn, EXCEPTIONS.get(name, OTHER)[0], "Hello world")["message"]
    assert (scene.calls(), retries(scene.events())) == (1, [])
    scene.check_alive()


def test_an_overflow_told_in_the_stream_is_told_as_such(scene: Scene) -> None:
    refusal = encode(
        "validationException", {"message": "Input is too long for requested model."}, "exception"
    )
    scene.check_failed(scene.ask(Answer.stream(refusal)), "context_overflow")
    assert scene.calls() == 1
    scene.check_alive()


WHOLE = {
    "FIN after messageStop": Answer.stream(*HELLO[:5], terminated=False, end=End.CLOSE),
    "clean end after messageStop": Answer.stream(*HELLO[:5]),
    "broken metadata": Answer.stream(*HELLO[:5], flipped(HELLO[5], -1)),
    "exception after messageStop": Answer.stream(*HELLO[:5], encode("internalServerException", {}, "exception")),
    "one byte a chunk": Answer.stream(*HELLO, size=1),
    "all at once": Answer.stream(b"".join(HELLO)),
    "no contentBlockStop": Answer.stream(*PART, *HELLO[4:]),
    "unknown events": Answer.stream(*PART, encode("newEvent", {"a": 1}), encode("contentBlockDelta", b"no JSON"), *HELLO[3:]),
}  # fmt: skip


@pytest.mark.parametrize("answer", WHOLE.values(), ids=WHOLE.keys())
def test_a_stream_that_had_its_messagestop_is_a_whole_answer(scene: Scene, answer: Answer) -> None:
    scene.check_completed(scene.ask(answer), "Hello world")
    assert scene.calls() == 1
    scene.check_alive()


@pytest.mark.parametrize(
    "delta", ["x" * 2**21, "\N{GRINNING FACE}" * 2**19], ids=["ASCII", "four bytes each"]
)
def test_two_mebibytes_in_one_delta_are_shown_in_pieces(scene: Scene, delta: str) -> None:
    scene.ask(Answer.stream(*answer_frames(delta)))
    pieces = [e["delta"] for e in of_type(scene.events(), "TEXT_MESSAGE_CONTENT")][1:]
    assert "".join(pieces) == delta
    assert max(len(piece.encode()) for piece in pieces) <= 16 * 1024
    scene.check_completed(scene.ask(Answer.stream(*HELLO)), "Hello world")


def test_a_million_characters_in_one_answer_are_kept(scene: Scene) -> None:
    texts = [f"{number:0500d}" for number in range(2000)]
    turn = scene.ask(Answer.stream(*answer_frames(*texts)))
    spoken = of_type(scene.events(turn), "TEXT_MESSAGE_CONTENT")[1:]
    assert "".join(e["delta"] for e in spoken) == "".join(texts)
    scene.ask(Answer.stream(*HELLO))
    history = json.loads(scene.server.requests[0].body)["messages"]
    assert history[1]["content"] == [{"text": "".join(texts)}]


def test_silence_before_the_headers_is_not_tried_again_since_it_may_be_paid_for(
    scene: Scene, settings: Settings
) -> None:
    settings.GATEWAY_TIMEOUT = 0.5
    scene.check_failed(scene.ask(Answer.silence()), "timeout")
    assert scene.calls() == 1
    settings.GATEWAY_TIMEOUT = 10
    scene.check_alive()


def test_silence_in_mid_stream_ends_the_turn_and_keeps_what_was_shown(
    scene: Scene, settings: Settings
) -> None:
    settings.GATEWAY_TIMEOUT = 0.5
    turn = scene.ask(Answer.stream(*PART, terminated=False, end=End.STALL))
    scene.check_failed(turn, "timeout", "Hello world")
    assert scene.calls() == 1
    assert scene.server.requests[0].hung_up.wait(5)
    settings.GATEWAY_TIMEOUT = 10
    scene.check_alive()
