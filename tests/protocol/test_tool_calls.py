"""Tool calls of a stream have unique, legal ids, and cut or broken arguments are never run."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.protocol.converse.identifiers import LONGEST, legal_id, legal_name, unused_id
from conversations.protocol.steps import STOP_REASONS
from tests.protocol.own_streams import arguments, delta, end, start, stop, text, tool_start, use
from tests.protocol.recorded import RECORDED, params
from tests.protocol.texts import assembled, played

ARGUMENTS = '{"sign": "WZPZ"}'


def calls_of(*events: Any, reason: str = "tool_use", **options: Any) -> Any:
    """The calls of a round that ended for this reason."""
    return assembled([*events, *end(reason)], **options).calls()


@pytest.mark.parametrize("stream", params(RECORDED))
def test_recorded_tool_uses_that_are_ours_are_asked_for_with_their_input(stream: Any) -> None:
    uses = [block["toolUse"] for block in stream.content if "toolUse" in block]
    ours = [use for use in uses if use.get("type") != "server_tool_use"]
    calls = assembled(stream.events).calls()
    assert [(call.tool_use_id, call.name, call.input) for call in calls] == [
        (use["toolUseId"], use["name"], use["input"]) for use in ours
    ]


def test_a_call_is_asked_for_with_its_arguments_as_received() -> None:
    [call] = calls_of(tool_start(0), arguments(0, '{"sign":'), arguments(0, ' "WZPZ" }'), stop(0))
    assert call == ("t1", "top_song", '{"sign": "WZPZ" }', {"sign": "WZPZ"}, "")


@pytest.mark.parametrize("fragments", [[], [""], ["{}"], [" "]])
def test_a_call_without_arguments_is_run_without_arguments(fragments: list[str]) -> None:
    [call] = calls_of(tool_start(0), *(arguments(0, fragment) for fragment in fragments), stop(0))
    assert call.input == {}


@pytest.mark.parametrize(
    "broken", ['{"sign": ', "[]", '"WZPZ"', "null", '{"n": NaN}', '{"n": 1e999}', "{}{}"]
)
def test_broken_arguments_are_kept_as_received_and_not_run(broken: str) -> None:
    events = [tool_start(0), arguments(0, broken), stop(0), *end("tool_use")]
    [block] = assembled(events).content()
    assert block["toolUse"]["input"] == broken
    [call] = assembled(events).calls()
    assert (call.arguments, call.input, call.fault) == (broken, None, "")


CUT = sorted(reason for reason, ending in STOP_REASONS.items() if ending.cuts_arguments)


@pytest.mark.parametrize("reason", CUT)
@pytest.mark.parametrize("cut", [[], [arguments(0, "")], [arguments(0, '{"sign": "W')], [arguments(0, "{}")]])
def test_a_call_that_the_end_of_the_message_cut_is_not_run(reason: str, cut: list[Any]) -> None:
    [call] = calls_of(tool_start(0), *cut, reason=reason)
    assert (call.input, call.fault) == (None, "cut")


def test_blank_arguments_are_not_run_where_the_answer_was_cut_though_the_block_was_ended() -> None:
    assert [call.input for call in calls_of(tool_start(0), stop(0), reason="max_tokens")] == [None]


def test_a_call_that_was_whole_before_the_answer_was_cut_is_run() -> None:
    events = [tool_start(0), arguments(0, ARGUMENTS), stop(0), tool_start(1, "t2")]
    assert [call.input for call in calls_of(*events, reason="max_tokens")] == [{"sign": "WZPZ"}, None]


@pytest.mark.parametrize("ended", [[], [stop(0)]])
def test_a_call_whose_arguments_were_whole_when_the_answer_was_cut_is_run(ended: list[Any]) -> None:
    [call] = calls_of(tool_start(0), arguments(0, ARGUMENTS), *ended, reason="max_tokens")
    assert (call.input, call.fault) == ({"sign": "WZPZ"}, "")


def test_broken_arguments_before_the_block_in_which_the_answer_was_cut_are_broken_not_cut() -> None:
    events = [tool_start(0), arguments(0, '{"sign": '), stop(0), tool_start(1, "t2"), stop(1), text(2, "And")]
    assert [(call.input, call.fault) for call in calls_of(*events, reason="max_tokens")] == [
        (None, ""),
        ({}, ""),
    ]


def test_a_call_without_the_end_of_its_block_is_run_where_nothing_was_cut() -> None:
    assert [call.input for call in calls_of(tool_start(0), arguments(0, ARGUMENTS))] == [{"sign": "WZPZ"}]


def test_nothing_is_run_of_a_message_that_never_ended() -> None:
    [call] = assembled([tool_start(0), arguments(0, ARGUMENTS), stop(0)]).calls()
    assert (call.arguments, call.input) == (ARGUMENTS, None)


def test_a_server_side_call_is_not_ours_to_run() -> None:
    assert calls_of(tool_start(0, type="server_tool_use"), stop(0)) == []


def test_an_id_used_before_in_the_conversation_is_made_unique() -> None:
    events = [tool_start(0), stop(0), *end("tool_use")]
    assembly, deltas = played(events, used_ids={"t1", "t1_2"})
    assert [call.tool_use_id for call in assembly.calls()] == ["t1_3"]
    assert assembly.content() == [use("t1_3")]
    assert {delta.detail["toolUseId"] for delta in deltas if delta.detail} == {"t1_3"}


def test_an_id_used_twice_in_a_message_is_made_unique() -> None:
    calls = calls_of(tool_start(0, "top_song"), stop(0), tool_start(1, "top_song"), stop(1))
    assert [call.tool_use_id for call in calls] == ["top_song", "top_song_2"]


@pytest.mark.parametrize(("received", "legal"), [("a b/ü", "a_b__"), ("x" * 90, "x" * 64), (" t1 ", "t1")])
def test_an_illegal_id_is_made_legal(received: str, legal: str) -> None:
    assert [call.tool_use_id for call in calls_of(tool_start(0, received), stop(0))] == [legal]


@pytest.mark.parametrize(
    "block", [{}, {"toolUseId": ""}, {"toolUseId": "  "}, {"toolUseId": 7}, {"toolUseId": None}]
)
def test_a_missing_id_is_made(block: dict[str, Any]) -> None:
    calls = calls_of(
        text(0, "Hm"), start(1, toolUse=block | {"name": "top_song"}), stop(1), prefix="tooluse_3_1"
    )
    assert [call.tool_use_id for call in calls] == ["tooluse_3_1_1"]


def test_a_call_without_a_start_has_no_name_and_an_id_of_ours() -> None:
    [call] = calls_of(arguments(0, ARGUMENTS), stop(0))
    assert call == ("tooluse_0", "", ARGUMENTS, {"sign": "WZPZ"}, "")


def test_a_name_is_cut_where_no_name_is_longer() -> None:
    assert [len(call.name) for call in calls_of(tool_start(0, name="n" * 1000), stop(0))] == [200]


def test_a_server_side_result_follows_the_id_of_its_call() -> None:
    call, result = {"toolUseId": "s1", "name": "n", "type": "server_tool_use"}, {"toolUseId": "s1"}
    content = assembled(
        [start(0, toolUse=call), start(1, toolResult=result), *end()], used_ids=["s1"]
    ).content()
    assert content[0]["toolUse"]["toolUseId"] == content[1]["toolResult"]["toolUseId"] == "s1_2"


def test_members_of_a_start_that_nobody_knows_are_left_out() -> None:
    events = [tool_start(0, colour="blue", type=7), stop(0), *end("tool_use")]
    assert assembled(events).content() == [use()]


@pytest.mark.parametrize(("value", "received"), [({"sign": "WZPZ"}, ARGUMENTS), (None, "null"), (7, "7")])
def test_arguments_that_are_no_text_are_taken_as_their_json(value: Any, received: str) -> None:
    [call] = calls_of(tool_start(0), delta(0, toolUse={"input": value}), stop(0))
    assert call.arguments == received
    assert call.input == (value if isinstance(value, dict) else None)


@given(st.lists(st.text(st.characters(exclude_categories=()), max_size=70), max_size=8))
def test_every_id_is_legal_and_used_once(received: list[str]) -> None:
    events = [
        event for index, name in enumerate(received) for event in (tool_start(index, name), stop(index))
    ]
    ids = [call.tool_use_id for call in calls_of(*events, used_ids=["t1", "t1_2"])]
    assert len({*ids, "t1", "t1_2"}) == len(received) + 2
    assert all(legal_id(id_) == id_ != "" for id_ in ids)


def test_a_long_id_is_made_unique_within_its_length() -> None:
    used_ids = {"x" * LONGEST, "x" * (LONGEST - 2) + "_2"}
    assert unused_id("x" * LONGEST, used_ids) == "x" * (LONGEST - 2) + "_3"


@pytest.mark.parametrize(
    ("received", "legal"), [("top.song", "top_song"), ("", "unnamed"), ("n" * 70, "n" * 64)]
)
def test_a_name_is_made_legal_for_the_wire(received: str, legal: str) -> None:
    assert legal_name(received) == legal
