"""Stored turns become the messages of a valid request, whatever happened in them."""

import pytest

from conversations.protocol.converse.history import INTERRUPTED, export_messages
from tests.protocol.messages import (
    IMAGE,
    MODEL,
    REDACTED,
    SERVED,
    SERVED_RESULT,
    SIGNED,
    Block,
    assistant,
    interrupted,
    next_messages,
    result,
    round_,
    turn,
    use,
    user,
)

ANSWERED = round_("Let me see.", use(), results=[result()], stop_reason="tool_use")


def test_the_first_round_asks_what_the_user_said() -> None:
    assert next_messages(turn("Hi")) == [user("Hi")]


def test_a_round_after_tools_ends_with_their_results() -> None:
    assert next_messages(turn("Hi", ANSWERED)) == [
        user("Hi"),
        assistant("Let me see.", use()),
        user(result()),
    ]


def test_a_further_turn_tells_all_that_was_said() -> None:
    messages = next_messages(turn("Hi", ANSWERED, round_("Elemental Hotel")), turn("Thanks"))
    assert messages[-3:] == [user(result()), assistant("Elemental Hotel"), user("Thanks")]


def test_all_results_of_a_round_are_in_one_message_in_the_order_of_its_calls() -> None:
    both = round_(use("t1"), use("t2"), results=[result("t2", "two"), result("t1", "one")])
    assert next_messages(turn("Hi", both))[-1] == user(result("t1", "one"), result("t2", "two"))


# -- turns that did not end well


def test_a_question_without_an_answer_is_followed_by_the_next() -> None:
    assert next_messages(turn("Hi"), turn("Hello?")) == [user("Hi"), assistant(INTERRUPTED), user("Hello?")]


def test_of_a_cut_round_what_it_said_is_told_and_nothing_else() -> None:
    cut = round_(SIGNED, "Let me", use(), SERVED, is_complete=False, results=[result()])
    assert next_messages(turn("Hi", cut), turn("And?")) == [user("Hi"), assistant("Let me"), user("And?")]


def test_a_cut_round_that_said_nothing_leaves_no_trace() -> None:
    cut = round_(use(), is_complete=False)
    assert next_messages(turn("Hi", cut), turn("And?")) == [user("Hi"), assistant(INTERRUPTED), user("And?")]


def test_a_turn_stopped_before_its_calls_ran_tells_that_they_were_interrupted() -> None:
    stopped = turn("Hi", round_(use("t1"), use("t2"), results=[result("t2")]))
    assert next_messages(stopped, turn("And?"))[2:] == [
        user(interrupted("t1"), result("t2")),
        assistant(INTERRUPTED),
        user("And?"),
    ]


def test_a_turn_stopped_between_its_results_and_the_next_round_goes_on() -> None:
    messages = next_messages(turn("Hi", ANSWERED), turn("And?"))
    assert messages[2:] == [user(result()), assistant(INTERRUPTED), user("And?")]


def test_an_empty_answer_is_left_out() -> None:
    assert next_messages(turn("Hi", ANSWERED, round_()), turn("And?")) == next_messages(
        turn("Hi", ANSWERED), turn("And?")
    )


def test_a_turn_that_a_guardrail_blocked_is_left_out() -> None:
    blocked = turn("Bad", ANSWERED, round_("Blocked.", stop_reason="guardrail_intervened"))
    assert next_messages(turn("Hi", round_("Hello")), blocked, turn("Good")) == [
        user("Hi"),
        assistant("Hello"),
        user("Good"),
    ]


def test_a_turn_that_a_guardrail_blocked_is_told_while_it_is_the_one_that_is_asked() -> None:
    blocked = round_(use(), results=[result()], stop_reason="guardrail_intervened")
    assert next_messages(turn("Bad", blocked)) == [user("Bad"), assistant(use()), user(result())]


# -- reasoning, citations and server-side tools


@pytest.mark.parametrize("reasoning", [SIGNED, REDACTED])
def test_signed_reasoning_goes_back_unchanged(reasoning: Block) -> None:
    assert next_messages(turn("Hi", round_(reasoning, use(), results=[result()])))[1] == assistant(
        reasoning, use()
    )


@pytest.mark.parametrize(
    "reasoning",
    [
        {"reasoningText": {"text": "hm"}},
        {"reasoningText": {"text": "hm", "signature": ""}},
        {"redactedContent": ""},
        {"redactedContent": "?"},
        {},
    ],
)
def test_reasoning_without_its_signature_is_left_out(reasoning: Block) -> None:
    assert next_messages(turn("Hi", round_({"reasoningContent": reasoning}, "Yes")), turn("Thanks"))[
        1
    ] == assistant("Yes")


def test_reasoning_that_nothing_follows_is_left_out() -> None:
    messages = next_messages(turn("Hi", round_(SIGNED, "Yes", SIGNED, REDACTED)), turn("And?"))
    assert messages[1] == assistant(SIGNED, "Yes")


def test_reasoning_that_only_an_unanswered_server_call_follows_is_left_out() -> None:
    assert next_messages(turn("Hi", round_("Yes", SIGNED, SERVED)), turn("And?"))[1] == assistant("Yes")


def test_what_only_another_model_understands_is_left_out() -> None:
    other = round_(
        SIGNED, SERVED, SERVED_RESULT, "Yes", use(), results=[result()], model="amazon.nova-2-lite"
    )
    assert next_messages(turn("Hi", other)) == [user("Hi"), assistant("Yes", use()), user(result())]


def test_cited_text_goes_back_as_text() -> None:
    cited = {
        "citationsContent": {
            "content": [{"text": "It "}, {"text": "says so."}],
            "citations": [{"title": "W"}],
        }
    }
    bare = {"citationsContent": {"content": [{"text": ""}], "citations": [{"title": "W"}]}}
    for complete in (True, False):
        messages = next_messages(turn("Hi", round_(cited, bare, is_complete=complete)), turn("And?"))
        assert messages[1] == assistant("It says so.")


def test_a_server_side_call_goes_back_with_its_result() -> None:
    assert next_messages(turn("Hi", round_(SERVED, SERVED_RESULT, "Yes")), turn("And?"))[1] == assistant(
        SERVED, SERVED_RESULT, "Yes"
    )


def test_a_server_side_call_without_an_id_is_left_out() -> None:
    blank = [use("", type="server_tool_use"), result("")]
    assert next_messages(turn("Hi", round_(*blank, "Yes")), turn("And?"))[1] == assistant("Yes")


@pytest.mark.parametrize("lone", [SERVED, SERVED_RESULT])
def test_a_server_side_call_or_result_alone_is_left_out(lone: Block) -> None:
    assert next_messages(turn("Hi", round_(lone, "Yes")), turn("And?"))[1] == assistant("Yes")


def test_images_that_a_model_made_are_left_out() -> None:
    assert next_messages(turn("Hi", round_(IMAGE, "Yes")), turn("And?"))[1] == assistant("Yes")


def test_the_history_is_told_for_the_model_that_is_asked() -> None:
    first = turn("Hi", round_(SIGNED, "Yes"))
    assert next_messages(first, turn("And?"), model=MODEL)[1] == assistant(SIGNED, "Yes")
    assert next_messages(first, turn("And?"), model="other")[1] == assistant("Yes")


# -- as an export holds it


def test_an_export_ends_where_the_conversation_ends() -> None:
    messages = export_messages([turn("Hi", ANSWERED, round_("Elemental Hotel"))])
    assert messages == [
        user("Hi"),
        assistant("Let me see.", use()),
        user(result()),
        assistant("Elemental Hotel"),
    ]
    assert export_messages([]) == []


def test_an_export_leaves_out_calls_that_have_no_result_yet() -> None:
    running = round_(
        "Let me see.", use("t1"), use("t2"), results=[result("t2", "two")], stop_reason="tool_use"
    )
    assert export_messages([turn("Hi", running)])[1:] == [
        assistant("Let me see.", use("t2")),
        user(result("t2", "two")),
    ]


def test_an_export_keeps_reasoning_with_its_signature_whichever_model_it_is_of() -> None:
    messages = export_messages([turn("Hi", round_(SIGNED, "Yes.", model="another"))])
    assert messages[-1] == assistant(SIGNED, "Yes.")
