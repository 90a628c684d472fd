"""A rerun's tool calls: the record answers them by name and canonical arguments.

A call that is not recorded is never run unawares.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from conversations import engine
from conversations.engine import WORKER
from conversations.engine.synthetic import NOT_RECORDED
from conversations.models import Conversation, ToolCall, Turn
from conversations.rerun import Options
from conversations.tools import registry, tool
from tests.commands import command
from tests.gateway.wire import Answer, WireServer, answer_frames
from tests.lost_turns import Lost
from tests.reruns import conversation_with, json_report, rerun_of, tool_frames
from tests.turns import QUESTION, ask, conversation_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]
RUNS: list[dict[str, Any]] = []
LAST_ANSWER = Answer.stream(*answer_frames("Done."))


@pytest.fixture(autouse=True)
def tools(settings: Settings) -> Iterator[None]:
    """A tool that counts, and one that needs an approval."""
    settings.GATEWAY_RETRIES, settings.USER_TURNS_PER_MINUTE = 1, 0
    RUNS.clear()
    with registry.override():

        @tool
        def spin(record: str, side: int = 1) -> str:
            """Play a record."""
            RUNS.append({"record": record, "side": side})
            return f"played {len(RUNS)}"

        @tool(approval=True)
        def smash(record: str) -> str:
            """Break a record."""
            raise AssertionError("it was run")

        yield


@pytest.fixture
def server(settings: Settings) -> Iterator[WireServer]:
    with WireServer([LAST_ANSWER]) as server:
        settings.GATEWAY_URL = server.url
        yield server


def call(number: int, arguments: str, name: str = "spin") -> Answer:
    return Answer.stream(*tool_frames(f"use-{number}", name, arguments))


def recorded(user: User, server: WireServer, *answers: Answer) -> Conversation:
    """A conversation of one turn, with these answers of the gateway."""
    server.play(*answers, LAST_ANSWER)
    conversation = conversation_of(user)
    ask(conversation, "Play it.")
    return conversation


def results(turn: Turn) -> list[tuple[str, str]]:
    rows = turn.tool_calls.order_by("round__number", "position")
    return [(row.status, row.result[0]["text"]) for row in rows]


def test_a_call_is_answered_by_its_canonical_arguments(user: User, server: WireServer) -> None:
    conversation = recorded(user, server, call(1, '{"record": "Blue", "side": 2}'))
    server.play(call(7, '{"side":2,  "record":"Blue"}'), LAST_ANSWER)
    (pair,) = rerun_of(conversation)
    assert len(RUNS) == 1
    assert results(pair.turn) == [("success", "played 1")]
    assert pair.differs == []
    result = json.loads(server.requests[-1].body)["messages"][-1]["content"][0]["toolResult"]
    assert result == {"toolUseId": "use-7", "content": [{"text": "played 1"}]}


def test_the_same_call_made_again_gets_the_next_answer_and_no_more_than_were_recorded(
    user: User, server: WireServer
) -> None:
    same = '{"record": "Blue"}'
    conversation = recorded(user, server, call(1, same), call(2, same), LAST_ANSWER)
    server.play(call(1, same), call(2, same), call(3, same), LAST_ANSWER)
    (pair,) = rerun_of(conversation, miss="error")
    assert [text for _, text in results(pair.turn)][:2] == ["played 1", "played 2"]
    assert [status for status, _ in results(pair.turn)] == ["success", "success", "error"]
    assert len(RUNS) == 2


def test_answers_are_given_in_order_over_the_whole_conversation(user: User, server: WireServer) -> None:
    same = '{"record": "Blue"}'
    conversation = recorded(user, server, call(1, same))
    server.play(call(2, same), LAST_ANSWER)
    ask(conversation, "And again.")
    server.play(call(1, same), LAST_ANSWER, call(2, same), LAST_ANSWER)
    by_turn = [results(pair.turn) for pair in rerun_of(conversation)]
    assert by_turn == [[("success", "played 1")], [("success", "played 2")]]


def test_a_call_that_is_not_recorded_ends_the_rerun_and_says_which_and_what_is_nearest(
    user: User, server: WireServer
) -> None:
    conversation = recorded(user, server, call(1, '{"record": "Blue"}'), call(2, '{"record": "Hejira"}'))
    server.play(LAST_ANSWER)
    ask(conversation, "Thanks.")
    server.play(call(1, '{"record": "Bleu"}'), LAST_ANSWER)
    code, out, err = command("rerun", str(conversation.pk))
    assert (code, len(RUNS)) == (1, 2)
    turn = Turn.objects.get(conversation__rerun_of=conversation)
    assert (turn.status, turn.tool_calls.get().error) == ("stopped", NOT_RECORDED)
    assert 'not in the record: spin {"record": "Bleu"}' in out
    assert out.index('recorded: spin {"record": "Blue"}') < out.index('recorded: spin {"record": "Hejira"}')
    assert f"--continue {turn.conversation_id}" in err
    assert len(server.requests) == 1


def test_it_can_be_gone_on_with_once_misses_are_errors(user: User, server: WireServer) -> None:
    conversation = recorded(user, server, call(1, '{"record": "Blue"}'))
    server.play(call(1, '{"record": "Bleu"}'), LAST_ANSWER)
    command("rerun", str(conversation.pk))
    new = conversation.reruns.get()
    server.play(call(1, '{"record": "Bleu"}'), LAST_ANSWER)
    code, report = json_report("--continue", str(new.pk), "--on-miss", "error")
    assert (code, report["complete"]) == (1, True)
    (turn,) = report["turns"]
    assert turn["missed"][0]["arguments"] == {"record": "Bleu"}
    assert Turn.objects.get(pk=turn["again"]).status == "completed"


def test_a_miss_may_run_the_tool_and_only_then(user: User, server: WireServer) -> None:
    conversation = recorded(user, server, call(1, '{"record": "Blue"}'))
    server.play(call(1, '{"record": "Blue"}'), call(2, '{"record": "Hejira"}'), LAST_ANSWER)
    (pair,) = rerun_of(conversation, miss="live")
    assert [text for _, text in results(pair.turn)] == ["played 1", "played 2"]
    assert RUNS == [{"record": "Blue", "side": 1}, {"record": "Hejira", "side": 1}]


def test_live_runs_the_tools_but_none_that_needs_an_approval(user: User, server: WireServer) -> None:
    conversation = recorded(user, server, call(1, '{"record": "Blue"}'))
    server.play(call(1, '{"record": "Blue"}'), call(2, '{"record": "Blue"}', "smash"), LAST_ANSWER)
    code, report = json_report(str(conversation.pk), "--tools", "live")
    turn = Turn.objects.get(pk=report["turns"][0]["again"])
    assert code == 1
    assert results(turn)[0] == ("success", "played 2")
    assert turn.tool_calls.get(name="smash").error == "denied"


def test_a_tool_that_exists_no_more_is_offered_and_answered(user: User, server: WireServer) -> None:
    conversation = recorded(user, server, call(1, '{"record": "Blue"}'))
    server.play(call(1, '{"record": "Blue"}'), LAST_ANSWER)
    first_round = conversation.turns.get().rounds.order_by("number").first()
    with registry.override():
        (pair,) = rerun_of(conversation)
    assert results(pair.turn) == [("success", "played 1")]
    assert pair.turn.rounds.order_by("number").first().base == first_round.base


def test_a_tool_that_is_new_is_offered_too(user: User, server: WireServer) -> None:
    conversation = recorded(user, server, call(1, '{"record": "Blue"}'))

    @tool
    def dance() -> str:
        """Dance."""
        return "danced"

    server.play(LAST_ANSWER)
    rerun_of(conversation)
    offered = json.loads(server.requests[-1].body)["toolConfig"]["tools"]
    assert [entry["toolSpec"]["name"] for entry in offered] == ["dance", "smash", "spin"]


def test_arguments_that_are_no_json_are_answered_by_their_text(user: User, server: WireServer) -> None:
    conversation = recorded(user, server, call(1, '{"record": '))
    server.play(call(1, '{"record": '), LAST_ANSWER)
    (pair,) = rerun_of(conversation)
    assert (pair.differs, pair.missed) == ([], [])


def test_a_result_that_only_a_stop_gave_is_no_answer(user: User, server: WireServer) -> None:
    conversation = recorded(user, server, call(1, '{"record": "Blue"}'))
    ToolCall.objects.update(status="error", error="stopped", result=[{"text": "Stopped."}])
    server.play(call(1, '{"record": "Blue"}'), LAST_ANSWER)
    (pair,) = rerun_of(conversation)
    assert [missed.name for missed in pair.missed] == ["spin"]


def test_a_rerun_that_a_crash_cut_is_answered_from_the_record_by_whoever_takes_it_up(
    user: User, server: WireServer
) -> None:
    conversation = recorded(user, server, call(1, '{"sign": "WZPZ"}', "top_song"))
    ToolCall.objects.update(status="success", error="", result=[{"text": "as recorded"}])
    new = conversation_of(user, rerun_of=conversation)
    lost = Lost(new, rerun_of=conversation.turns.get(), rerun=Options().answers("gateway"))
    lost.calls_tools(one="requested")
    server.play(LAST_ANSWER)
    WORKER.sweep()
    assert engine.WORKER.wait(10)
    assert results(lost.turn) == [("success", "as recorded")]


def test_without_what_it_is_asked_again_from_nothing_is_run(user: User, server: WireServer) -> None:
    conversation = conversation_of(user)
    server.play(call(1, '{"record": "Blue"}'), LAST_ANSWER)
    repetition = engine.Repetition(None, Options().answers("gateway"))
    turn = engine.start(
        conversation.pk, "0" * 8 + "-0000-4000-8000-" + "0" * 12, "Play.", repetition=repetition
    ).turn
    assert engine.WORKER.wait(10)
    assert (RUNS, turn.tool_calls.get().error) == ([], NOT_RECORDED)


def test_a_turn_that_a_file_answers_calls_no_gateway_in_another_process(
    user: User, server: WireServer
) -> None:
    server.play(LAST_ANSWER)
    repetition = engine.Repetition(None, Options().answers("file"))
    identifier = "0" * 8 + "-0000-4000-8000-" + "0" * 12
    turn = engine.start(conversation_of(user).pk, identifier, "Play.", repetition=repetition).turn
    assert engine.WORKER.wait(10)
    turn.refresh_from_db()
    assert (turn.status, turn.error_code, server.requests) == ("failed", "internal", [])


@pytest.mark.usefixtures("gateway")
def test_an_unknown_tool_is_answered_as_it_was(user: User) -> None:
    conversation = conversation_with(user, f"show unknown tool: {QUESTION}")
    (pair,) = rerun_of(conversation)
    assert pair.differs == []
