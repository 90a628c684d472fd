"""Tool calls that a person has to let through wait as rows; after the decision the turn goes on."""

import io
import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from ag_ui_validate.pytest_plugin import assert_valid_agui
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone
from pytest_django.fixtures import Settings

from conversations import engine
from conversations.engine import WORKER, lifecycle
from conversations.errors import Refused
from conversations.exports.agui import as_lines
from conversations.models import Approval, Conversation, Recording, ToolCall, Turn
from conversations.protocol.agui.snapshot import Snapshot
from tests.engine.approvals import PLAYED, decide, decisions, entry
from tests.engine.station import validity_errors
from tests.resources import at_once
from tests.sockets.pages import page_of
from tests.turns import QUESTION, answer, ask, conversation_of, decision, of_type, record

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway", "guarded")]
# -- waiting


def test_the_call_waits_as_a_row_and_is_not_run(waiting: Turn) -> None:
    approval = Approval.objects.select_related("call").get()
    assert (approval.status, approval.call.status, approval.call.result) == ("pending", "requested", None)
    assert PLAYED == []
    assert (waiting.lease_token, waiting.finished_at) == (None, None)
    assert not Recording.objects.exists()


def test_the_run_ends_with_an_interrupt_for_the_call(waiting: Turn) -> None:
    events = record(waiting.conversation)
    assert not validity_errors(events)
    outcome = events[-1]["outcome"]
    approval = Approval.objects.get()
    assert approval.expires_at is not None
    (interrupt,) = outcome["interrupts"]
    assert outcome["type"] == "interrupt"
    assert (interrupt["id"], interrupt["toolCallId"]) == (
        approval.call.tool_use_id,
        approval.call.tool_use_id,
    )
    assert (interrupt["reason"], interrupt["message"]) == ("tool_call", "Run top_song?")
    assert interrupt["expiresAt"] == approval.expires_at.isoformat()
    assert Snapshot(str(waiting.pk)).apply(events).state["interrupts"][0]["id"] == interrupt["id"]


def test_without_a_time_limit_it_waits_for_ever(conversation: Conversation, settings: Settings) -> None:
    settings.APPROVAL_TIMEOUT = 0
    ask(conversation, QUESTION)
    assert Approval.objects.get().expires_at is None


def test_input_that_is_no_object_needs_nobodys_approval(conversation: Conversation) -> None:
    turn = ask(conversation, "show broken arguments")
    assert turn.status == Turn.Status.COMPLETED
    assert not Approval.objects.exists()


def test_a_message_waits_behind_a_turn_that_waits(waiting: Turn) -> None:
    started = engine.start(waiting.conversation.pk, str(uuid.uuid4()), "help")
    assert started.is_queued
    decide(waiting, entry(False))
    assert Turn.objects.get(pk=started.turn.pk).status == Turn.Status.COMPLETED


# -- decided


def test_an_approved_call_runs_and_the_turn_goes_on_as_a_further_run(waiting: Turn) -> None:
    turn = decide(waiting, entry(True))
    events = record(waiting.conversation)
    assert not validity_errors(events)
    assert (turn.status, PLAYED) == ("completed", ["WZPZ"])
    assert [run["runId"] for run in of_type(events, "RUN_STARTED")] == [str(turn.pk), f"{turn.pk}:2"]
    assert events[-1]["runId"] == f"{turn.pk}:2"
    assert "the song of WZPZ" in answer(events)
    (value,) = decisions(waiting.conversation)
    assert value == {
        "toolCallId": ToolCall.objects.get().tool_use_id,
        "status": "approved",
        "by": "jennifer",
    }
    assert Recording.objects.filter(turn=turn).exists()


def test_who_decided_when_is_kept(waiting: Turn, other_user: User) -> None:
    decide(waiting, entry(True), user=other_user)
    approval = Approval.objects.get()
    assert (approval.status, approval.decided_by) == ("approved", other_user)
    assert approval.decided_at is not None
    assert approval.requested_at < approval.decided_at


def test_a_denied_call_is_not_run_and_the_model_is_told_why(waiting: Turn) -> None:
    turn = decide(waiting, entry(False, reason="Not on a Tuesday."))
    call = ToolCall.objects.get()
    assert (turn.status, PLAYED) == ("completed", [])
    assert (call.status, call.error) == ("error", "denied")
    assert "Not on a Tuesday." in call.result[0]["text"]
    result = of_type(record(waiting.conversation), "TOOL_CALL_RESULT")[0]
    assert result["metadata"]["error"] == "denied"


def test_an_answer_that_was_cancelled_denies(waiting: Turn) -> None:
    name = Approval.objects.get().call.tool_use_id
    decide(waiting, {"interruptId": name, "status": "cancelled"})
    assert Approval.objects.get().status == "denied"


def test_arguments_may_be_changed_and_the_model_is_told(waiting: Turn) -> None:
    decide(waiting, entry(True, editedArgs={"sign": "WKRP"}))
    call, approval = ToolCall.objects.get(), Approval.objects.get()
    assert PLAYED == ["WKRP"]
    assert (call.input, approval.input) == ({"sign": "WZPZ"}, {"sign": "WKRP"})
    assert '{"sign": "WKRP"}' in call.result[0]["text"]
    assert decisions(waiting.conversation)[0]["editedArgs"] == {"sign": "WKRP"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"interruptId": "nothing"},
        {"interruptId": ["x"]},
        {"status": "perhaps"},
        {"payload": {"approved": "yes"}},
        {"payload": {"approved": True, "editedArgs": ["WKRP"]}},
        {"payload": {"approved": True, "editedArgs": {"station": "WKRP"}}},
    ],
    ids=["unknown", "no-id", "no-answer", "no-boolean", "no-object", "not-its-arguments"],
)
def test_a_wrong_answer_is_refused_and_the_call_waits_on(waiting: Turn, wrong: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        engine.resume(waiting.conversation, waiting.user, [entry(True) | wrong])
    assert Approval.objects.get().status == "pending"
    assert Turn.objects.get().status == "waiting"


def test_nobody_decides_by_way_of_a_conversation_of_their_own(waiting: Turn, other_user: User) -> None:
    with pytest.raises(Refused):
        engine.resume(conversation_of(other_user), other_user, [entry(True)])
    assert (Approval.objects.get().status, PLAYED) == ("pending", [])


def test_a_decision_stands_once_it_is_made(waiting: Turn) -> None:
    approved = entry(True)
    decide(waiting, approved)
    with pytest.raises(Refused):
        engine.resume(waiting.conversation, waiting.user, [approved])
    assert PLAYED == ["WZPZ"]


def test_of_two_who_decide_at_once_one_does(waiting: Turn) -> None:
    approval = entry(True)

    def is_refused() -> bool:
        try:
            engine.resume(waiting.conversation, waiting.user, [approval])
        except Refused:
            return True
        return False

    refusals = at_once(is_refused, is_refused)
    assert engine.WORKER.wait(20)
    assert (sum(refusals), PLAYED) == (1, ["WZPZ"])


def test_the_turn_goes_on_when_all_of_its_calls_are_decided(conversation: Conversation) -> None:
    turn = ask(conversation, "show parallel calls on WZPZ and WKRP")
    names = list(Approval.objects.order_by("call__position").values_list("call__tool_use_id", flat=True))
    assert (turn.status, len(names) > 1) == ("waiting", True)
    first, *others = [entry(True, name) for name in names]
    assert decide(turn, first).status == "waiting"
    assert PLAYED == []
    assert [event["value"] for event in engine.first_notices(conversation, None, [])] == [
        {"interrupts": names[:1]}
    ]
    assert decide(turn, *others).status == "completed"
    assert len(PLAYED) == len(names)


# -- other ends


def test_nobody_decides_in_time(waiting: Turn) -> None:
    Approval.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    WORKER.sweep()
    assert engine.WORKER.wait(20)
    call = ToolCall.objects.get()
    assert (Turn.objects.get().status, Approval.objects.get().status) == ("completed", "expired")
    assert (call.error, PLAYED) == ("expired", [])


def test_a_call_that_may_wait_still_is_left_alone(waiting: Turn) -> None:
    WORKER.sweep()
    assert Turn.objects.get().status == "waiting"


def test_stop_ends_a_turn_that_waits(waiting: Turn) -> None:
    assert engine.stop(waiting.conversation_id)
    assert engine.WORKER.wait(20)
    events = record(waiting.conversation)
    assert not validity_errors(events)
    assert (Turn.objects.get().status, Approval.objects.get().status) == ("stopped", "withdrawn")
    assert events[-1]["outcome"]["type"] == "cancelled"
    assert of_type(events, "TOOL_CALL_RESULT")[0]["metadata"]["status"] == "error"
    assert ask(waiting.conversation, "help").status == "completed"


def test_a_process_that_dies_after_the_decision_leaves_it_to_be_carried_out(waiting: Turn) -> None:
    lifecycle.decide(waiting.conversation, waiting.user, [entry(True)])
    Turn.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    WORKER.sweep()
    assert engine.WORKER.wait(20)
    events = record(waiting.conversation)
    assert not validity_errors(events)
    assert (Turn.objects.get().status, PLAYED) == ("completed", ["WZPZ"])
    assert [run["runId"] for run in of_type(events, "RUN_STARTED")] == [str(waiting.pk), f"{waiting.pk}:2"]
    assert len(decisions(waiting.conversation)) == 1


# -- at the terminal, and through the socket


class Typing(io.StringIO):
    """Somebody at a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("typed", "status", "reason"),
    [
        ("y\n", "approved", ""),
        ("no\n", "denied", ""),
        ("Not today\n", "denied", "Not today"),
        ("", "denied", ""),
    ],
    ids=["yes", "no", "reason", "end"],
)
def test_whoever_asks_at_the_terminal_decides_there(
    user: User, monkeypatch: pytest.MonkeyPatch, typed: str, status: str, reason: str
) -> None:
    monkeypatch.setattr("sys.stdin", Typing(typed))
    out = io.StringIO()
    call_command("ask", QUESTION, stdout=out)
    assert engine.WORKER.wait(20)
    approval = Approval.objects.get()
    assert (approval.status, approval.reason, approval.decided_by) == (status, reason, user)
    assert out.getvalue().endswith("Finished streaming messages with model cohere.command-r-v1:0.\n")


def test_where_nobody_sits_at_the_terminal_it_is_denied(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    call_command("ask", QUESTION, stdout=io.StringIO())
    assert engine.WORKER.wait(20)
    assert (Approval.objects.get().status, PLAYED) == ("denied", [])


async def test_a_page_decides_and_hears_the_turn_go_on(conversation: Conversation, user: User) -> None:
    async with page_of(user, conversation, "?after=0") as page:
        await page.ask(QUESTION)
        interrupt = (await page.until_end())[-1]["outcome"]["interrupts"][0]
        approval = decision(interrupt["id"])
        await page.send({"type": "resume", "resume": [approval]})
        events = await page.until_end()
        assert events[0]["runId"].endswith(":2")
        assert events[1]["value"]["status"] == "approved"
        assert "TOOL_CALL_RESULT" in [event["type"] for event in events]
        await page.send({"type": "resume", "resume": [approval]})
        assert (await page.until("CUSTOM"))[-1]["value"]["code"] == "invalid_request"


def test_the_record_of_a_turn_that_has_waited_is_exported_as_valid_lines(waiting: Turn) -> None:
    decide(waiting, entry(True))
    lines = [json.loads(line) for line in as_lines(waiting.conversation)]
    assert lines == record(waiting.conversation)
    begins = [place for place, event in enumerate(lines) if event["type"] == "RUN_STARTED"]
    assert len(begins) == 2
    assert_valid_agui(lines[: begins[1]])
    assert_valid_agui(lines[begins[1] :])
