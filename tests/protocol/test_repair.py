"""Messages that Bedrock would refuse are repaired, a kind in each test."""

import pytest

from conversations.protocol.converse.history import CONTINUE, INTERRUPTED, NO_OUTPUT
from tests.protocol.messages import IMAGE, Block, assistant, interrupted, repaired, result, use, user


def test_nothing_at_all_asks_to_continue() -> None:
    assert repaired() == [user(CONTINUE)]


def test_what_an_assistant_says_before_any_question_is_left_out() -> None:
    assert repaired(assistant("Hello", use()), user(result()), user("Hi")) == [user("Hi")]


def test_after_an_answer_the_model_is_asked_to_continue() -> None:
    assert repaired(user("Hi"), assistant("Hello")) == [user("Hi"), assistant("Hello"), user(CONTINUE)]


def test_answers_in_a_row_are_one() -> None:
    assert repaired(user("Hi"), assistant("One"), user(" "), assistant("Two"), user("And?")) == [
        user("Hi"),
        assistant("One", "Two"),
        user("And?"),
    ]


@pytest.mark.parametrize("blank", ["", " ", "\n\n"])
def test_blank_text_is_left_out(blank: str) -> None:
    messages = repaired(user("Hi", blank), assistant(blank, "Yes"), user(blank, "And?"))
    assert messages == [user("Hi"), assistant("Yes"), user("And?")]


@pytest.mark.parametrize("content", [[], [{"text": " "}], [{"newer": 1}]])
def test_a_result_without_content_says_so(content: list[Block]) -> None:
    messages = repaired(
        user("Hi"), assistant(use()), user(result() | {"toolResult": {"toolUseId": "t1", "content": content}})
    )
    assert messages[-1] == user(result("t1", NO_OUTPUT))


def test_json_of_a_result_is_an_object_and_text_otherwise() -> None:
    messages = repaired(
        user("Hi"), assistant(use()), user(result("t1", {"json": [1]}, {"json": {"a": 1}}, IMAGE))
    )
    assert messages[-1] == user(result("t1", "[1]", {"json": {"a": 1}}, IMAGE))


def test_only_failures_tell_their_status() -> None:
    answers = [result("t1", status="success"), result("t2", status="error")]
    assert repaired(user("Hi"), assistant(use("t1"), use("t2")), user(*answers))[-1] == user(
        result("t1"), result("t2", status="error")
    )


def test_input_that_is_no_object_is_none() -> None:
    assert repaired(user("Hi"), assistant(use(input='{"sign": ')), user(result()))[1] == assistant(
        use(input={})
    )


def test_a_name_that_no_tool_could_have_is_made_legal() -> None:
    assert repaired(user("Hi"), assistant(use(name="<|top song|>")), user(result()))[1] == assistant(
        use(name="__top_song__")
    )


def test_results_that_nothing_asked_for_are_left_out() -> None:
    messages = repaired(
        user("Hi"), assistant("Hello", use("t1")), user(result("t1"), result("t9")), user(result("t1"))
    )
    assert messages[-1] == user(result("t1"))


def test_calls_are_answered_before_the_assistant_says_more() -> None:
    messages = repaired(user("Hi"), assistant(use()), assistant("Yes"), user("And?"))
    assert messages[1:3] == [assistant(use()), user(interrupted())]


def test_calls_are_answered_before_the_user_says_more() -> None:
    messages = repaired(user("Hi"), assistant(use()), user("Stop it.", result()))
    assert messages[2:] == [user(result()), assistant(INTERRUPTED), user("Stop it.")]


def test_ids_used_twice_are_told_apart_on_both_sides() -> None:
    first = [user("Hi"), assistant(use(), use()), user(result("t1", "one"), result("t1", "two"))]
    messages = repaired(*first, assistant(use()), user(result("t1", "three")))
    assert messages[1:] == [
        assistant(use("t1"), use("t1_2")),
        user(result("t1", "one"), result("t1_2", "two")),
        assistant(use("t1_3")),
        user(result("t1_3", "three")),
    ]


@pytest.mark.parametrize(("received", "legal"), [("a b", "a_b"), ("", "tooluse")])
def test_an_id_that_is_not_legal_is_made_so_on_both_sides(received: str, legal: str) -> None:
    assert repaired(user("Hi"), assistant(use(received)), user(result(received)))[1:] == [
        assistant(use(legal)),
        user(result(legal)),
    ]


def test_what_a_user_shows_is_kept() -> None:
    assert repaired(user("Look", IMAGE, {"newer": 1})) == [user("Look", IMAGE)]
