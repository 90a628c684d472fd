"""Models that misbehave: broken input, odd names and ids, calls without an end, no answer."""

import json

import pytest
from pytest_django.fixtures import Settings

from conversations.gateway.frames import encode
from conversations.models import ToolCall, Turn
from conversations.protocol.steps import STOP_REASONS
from tests.faults.scene import HELLO, Scene, asking_for
from tests.gateway.wire import Answer, answer_frames
from tests.turns import of_type

pytestmark = pytest.mark.django_db(transaction=True)
WHOLE = Answer.stream(*HELLO)
SIGN = '{"sign": "WZPZ"}'


def one_call(scene: Scene, *frames: bytes) -> ToolCall:
    """The call that a round of these frames asks for, after a turn that ended well all the same."""
    turn = scene.ask(Answer.stream(*frames), WHOLE)
    scene.check_completed(turn, "Hello world")
    return ToolCall.objects.get(turn=turn)


BAD_INPUTS = {
    "no JSON": "{sign: WZPZ",
    "half of an object": '{"sign": "WZ',
    "a list": '["WZPZ"]',
    "a text": '"WZPZ"',
    "null": "null",
    "nested too deep": "[" * 100_000,
    "NaN": '{"sign": NaN}',
    "a huge number": '{"sign": ' + "9" * 5000 + "}",
    "another member": '{"station": "WZPZ"}',
    "another type": '{"sign": {"a": 1}}',
    "nothing": "",
    "a NUL and half a character": '{"sign": "\\u0000\\ud83d"}',
}


@pytest.mark.parametrize("sent", BAD_INPUTS.values(), ids=BAD_INPUTS.keys())
def test_a_call_with_input_that_does_not_fit_is_answered_with_an_error_and_the_model_goes_on(
    scene: Scene, sent: str
) -> None:
    call = one_call(scene, *asking_for(("call-1", "top_song", sent)))
    assert call.status == "error"
    result = json.loads(scene.server.requests[1].body)["messages"][-1]["content"][0]["toolResult"]
    assert (result["status"], result["content"]) == ("error", call.result)
    assert "".join(e["delta"] for e in of_type(scene.events(), "TOOL_CALL_ARGS")) == sent
    scene.check_alive()


def test_input_of_two_megabytes_is_kept_whole_and_shown_in_pieces(scene: Scene) -> None:
    sent = json.dumps({"sign": "W" * 2_000_000})
    call = one_call(scene, *asking_for(("call-1", "top_song", sent)))
    assert (call.status, call.arguments) == ("error", sent)
    pieces = [e["delta"] for e in of_type(scene.events(), "TOOL_CALL_ARGS")]
    assert "".join(pieces) == sent
    assert max(len(piece) for piece in pieces) <= 16 * 1024
    scene.check_alive()


HALF = '{"sign": "WZ'


@pytest.mark.parametrize(
    ("stop", "error", "words"),
    [
        ("max_tokens", "max_tokens", "limit of 4096 tokens"),
        ("content_filtered", "cut", "(content_filtered)"),
        ("tool_use", "invalid_input", "not a JSON object"),
    ],
)
def test_the_model_reads_why_a_call_that_lacks_its_end_was_not_run(
    scene: Scene, stop: str, error: str, words: str
) -> None:
    call = one_call(scene, *asking_for(("call-1", "top_song", HALF), stop=stop))
    assert (call.status, call.error) == ("error", error)
    assert words in call.result[0]["text"]
    [result] = json.loads(scene.server.requests[1].body)["messages"][-1]["content"]
    assert result["toolResult"]["content"] == call.result
    scene.check_alive()


def test_a_call_that_was_cut_among_whole_ones_is_answered_in_its_place(scene: Scene) -> None:
    uses = [("call-1", "top_song", SIGN), ("call-2", "top_song", HALF)]
    turn = scene.ask(Answer.stream(*asking_for(*uses, stop="max_tokens")), WHOLE)
    scene.check_completed(turn, "Hello world")
    calls = ToolCall.objects.filter(turn=turn).order_by("position")
    assert [(call.status, call.error) for call in calls] == [("success", ""), ("error", "max_tokens")]
    assert [e["toolCallId"] for e in of_type(scene.events(), "TOOL_CALL_RESULT")] == ["call-1", "call-2"]
    scene.check_alive()


def test_a_second_round_with_a_cut_call_ends_the_turn_and_names_limit_and_setting(
    scene: Scene, settings: Settings
) -> None:
    settings.MAX_TOKENS = 300
    uses = [("call-1", "top_song", HALF), ("call-2", "top_song", SIGN)]
    cut = Answer.stream(*asking_for(*reversed(uses), stop="max_tokens"))
    turn = scene.ask(Answer.stream(*asking_for(("call-0", "top_song", HALF), stop="max_tokens")), cut)
    message = scene.check_failed(turn, "max_tokens")["message"]
    assert "300 tokens" in message
    assert "MAX_TOKENS" in message
    assert scene.calls() == 2
    calls = ToolCall.objects.filter(turn=turn).order_by("round", "position")
    assert [call.error for call in calls] == ["max_tokens", "not_run", "max_tokens"]
    scene.check_alive()


NAMES = ["no_such_tool", "top song", "top_song\n", "x" * 300, "päron", "", "<script>", "a\0b"]


def test_tools_that_do_not_exist_are_told_to_the_model_whatever_their_names(scene: Scene) -> None:
    requests = [(f"call-{number}", name, SIGN) for number, name in enumerate(NAMES)]
    turn = scene.ask(Answer.stream(*asking_for(*requests)), WHOLE)
    scene.check_completed(turn, "Hello world")
    calls = ToolCall.objects.filter(turn=turn)
    assert [(call.status, call.error) for call in calls] == [("error", "unknown_tool")] * len(NAMES)
    scene.check_alive()


IDS = ["", "call 1", "ü", "x" * 300, "<b>", "\0"]


def test_ids_that_bedrock_would_not_take_are_replaced(scene: Scene) -> None:
    turn = scene.ask(
        Answer.stream(*asking_for(*((identifier, "top_song", SIGN) for identifier in IDS))), WHOLE
    )
    scene.check_completed(turn, "Hello world")
    calls = ToolCall.objects.filter(turn=turn)
    assert {call.status for call in calls} == {"success"}
    assert len({call.tool_use_id for call in calls} - set(IDS)) == len(IDS)
    scene.check_alive()


def test_one_id_for_several_calls_of_a_round_and_of_the_next_is_made_unique(scene: Scene) -> None:
    twice = Answer.stream(*asking_for(("same", "top_song", SIGN), ("same", "top_song", SIGN)))
    once = Answer.stream(*asking_for(("same", "top_song", SIGN)))
    turn = scene.ask(twice, once, WHOLE)
    scene.check_completed(turn, "Hello world")
    calls = ToolCall.objects.filter(turn=turn)
    assert (len({call.tool_use_id for call in calls}), {call.status for call in calls}) == (3, {"success"})
    ids = [e["toolCallId"] for e in of_type(scene.events(), "TOOL_CALL_RESULT")]
    assert sorted(ids) == sorted(call.tool_use_id for call in calls)
    scene.check_alive()


def test_forty_calls_at_once_are_run_and_answered_in_order(scene: Scene) -> None:
    calls = [(f"call-{number}", "top_song", SIGN) for number in range(40)]
    turn = scene.ask(Answer.stream(*asking_for(*calls)), WHOLE)
    scene.check_completed(turn, "Hello world")
    ids = [e["toolCallId"] for e in of_type(scene.events(), "TOOL_CALL_RESULT")]
    assert ids == [call for call, _, _ in calls]
    results = json.loads(scene.server.requests[1].body)["messages"][-1]["content"]
    assert [block["toolResult"]["toolUseId"] for block in results] == ids
    scene.check_alive()


def test_a_model_that_makes_the_same_call_for_ever_meets_the_limit_of_rounds(
    scene: Scene, settings: Settings
) -> None:
    settings.MAX_ROUNDS = 3
    turn = scene.ask(Answer.stream(*asking_for(("same", "top_song", SIGN), before="Again. ")))
    scene.check_failed(turn, "round_limit", "Again. " * 3)
    assert scene.calls() == 3
    calls = list(ToolCall.objects.filter(turn=turn).order_by("round"))
    assert [call.error for call in calls] == ["", "", "round_limit"]
    scene.check_alive()


BLANK_ANSWERS = {
    "no block at all": [HELLO[0], *HELLO[4:]],
    "an empty text": answer_frames(""),
    "blanks": answer_frames(" \n"),
}


@pytest.mark.parametrize("frames", BLANK_ANSWERS.values(), ids=BLANK_ANSWERS.keys())
def test_an_answer_of_nothing_ends_well_and_spoils_no_later_request(
    scene: Scene, frames: list[bytes]
) -> None:
    turn = scene.ask(Answer.stream(*frames))
    scene.check_completed(turn, " \n" if frames == BLANK_ANSWERS["blanks"] else "")
    scene.check_alive()
    scene.check_alive()


def ending_with(reason: str) -> Answer:
    return Answer.stream(*HELLO[:4], encode("messageStop", {"stopReason": reason}), HELLO[5])


@pytest.mark.parametrize("reason", [*STOP_REASONS, "neverHeardOf", ""])
def test_each_stop_reason_ends_the_turn_as_the_table_says_and_is_kept(scene: Scene, reason: str) -> None:
    turn = scene.ask(ending_with(reason))
    code = STOP_REASONS[reason].code if reason in STOP_REASONS else None
    if code:
        scene.check_failed(turn, code, "Hello world")
    else:
        scene.check_completed(turn, "Hello world")
    finished = of_type(scene.events(turn), "STEP_FINISHED")[0]["metadata"]
    assert finished["stopReason"] == (reason or "unknown")
    assert scene.calls() == 1
    scene.check_alive()


def test_a_model_that_says_its_context_is_full_is_told_as_an_overflow(scene: Scene) -> None:
    turn = scene.ask(ending_with("model_context_window_exceeded"))
    assert "too long for this model" in scene.check_failed(turn, "context_overflow", "Hello world")["message"]


def test_a_question_that_a_guardrail_blocked_stays_out_of_later_requests(scene: Scene) -> None:
    scene.ask(ending_with("guardrail_intervened"), text="something forbidden")
    scene.check_alive()
    [request] = scene.server.requests
    assert b"something forbidden" not in request.body
    assert b"Hello world" not in request.body
    assert Turn.objects.count() == 2
