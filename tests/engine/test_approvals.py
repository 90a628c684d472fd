"""Tool calls that a person has to let through wait as rows; after the decision the turn goes on."""

import io
import json
import threading
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from ag_ui_validate.pytest_plugin import assert_valid_agui
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import IntegrityError, connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from conversations import engine
from conversations.engine import WORKER, lifecycle
from conversations.errors import Refused
from conversations.exports.agui import as_lines
from conversations.models import Allowance, Approval, Conversation, Recording, ToolCall, Turn
from conversations.protocol.agui.snapshot import Snapshot
from tests.engine.station import top_song_as, validity_errors
from tests.sockets.pages import page_of
from tests.turns import answer, ask, conversation_of, of_type, record

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway")]
QUESTION = "What is the most popular song on WZPZ?"
PLAYED: list[str] = []


@pytest.fixture(autouse=True)
def guarded() -> Iterator[None]:
    """The station's tool, which asks first."""
    PLAYED.clear()

    def play(sign: str) -> dict[str, str]:
        PLAYED.append(sign)
        return {"song": f"the song of {sign}"}

    with top_song_as(play, approval=True):
        yield


@pytest.fixture
def waiting(conversation: Conversation) -> Turn:
    """A turn that waits for a decision about its call."""
    turn = ask(conversation, QUESTION)
    assert turn.status == Turn.Status.WAITING
    return turn


def entry(approved: bool, call: str = "", **payload: object) -> dict[str, Any]:
    """An answer to the call that waits."""
    name = call or Approval.objects.get(status="pending").call.tool_use_id
    return {"interruptId": name, "status": "resolved", "payload": {"approved": approved} | payload}


def decide(turn: Turn, *entries: dict[str, Any], user: User | None = None) -> Turn:
    """The turn after the decisions, when it has come to rest."""
    engine.resume(turn.conversation, user or turn.user, list(entries))
    assert engine.WORKER.wait(20)
    return Turn.objects.get(pk=turn.pk)


def decisions(conversation: Conversation) -> list[dict[str, Any]]:
    events = of_type(record(conversation), "CUSTOM")
    return [event["value"] for event in events if event["name"] == "turntable.approval"]


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
    (decision,) = decisions(waiting.conversation)
    assert decision == {
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
        {"interruptId": "nothing", "status": "resolved", "payload": {"approved": True}},
        {"interruptId": ["x"], "status": "resolved", "payload": {"approved": True}},
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
    ready, refused = threading.Barrier(2, timeout=10), []
    approval = entry(True)

    def decides() -> None:
        ready.wait()
        try:
            engine.resume(waiting.conversation, waiting.user, [approval])
        except Refused as error:
            refused.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=decides) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert engine.WORKER.wait(20)
    assert (len(refused), PLAYED) == (1, ["WZPZ"])


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


# -- standing permissions


def test_always_lets_the_same_call_run_unasked_from_then_on(waiting: Turn) -> None:
    decide(waiting, entry(True, always=True))
    again = ask(waiting.conversation, QUESTION)
    assert (again.status, PLAYED) == ("completed", ["WZPZ", "WZPZ"])
    allowance = Allowance.objects.get()
    assert (allowance.tool, allowance.input) == ("top_song", {"sign": "WZPZ"})
    assert [approval.always for approval in Approval.objects.order_by("requested_at")] == ["arguments", ""]
    assert allowance.approvals.get().call.turn == again
    assert decisions(waiting.conversation)[-1]["standing"] is True
    assert ask(waiting.conversation, "What is the most popular song on WKRP?").status == "waiting"


def test_a_revoked_permission_lets_nothing_through(waiting: Turn) -> None:
    decide(waiting, entry(True, always=True))
    Allowance.objects.update(revoked_at=timezone.now())
    assert ask(waiting.conversation, QUESTION).status == "waiting"


def test_a_permission_is_its_users_alone(waiting: Turn, other_user: User) -> None:
    decide(waiting, entry(True, always=True))
    assert ask(conversation_of(other_user), QUESTION).status == "waiting"


def test_staff_who_decide_for_others_make_no_standing_permission(waiting: Turn, other_user: User) -> None:
    decide(waiting, entry(True, always=True), user=other_user)
    assert not Allowance.objects.exists()


@pytest.fixture
def whole() -> Iterator[None]:
    """The station's tool, which may be let through with any arguments."""
    with top_song_as(lambda sign: PLAYED.append(sign) or {"song": sign}, approval=True, always="tool"):
        yield


@pytest.mark.usefixtures("whole")
def test_a_whole_tool_is_let_through_with_any_arguments_until_it_is_revoked(
    conversation: Conversation,
) -> None:
    turn = ask(conversation, QUESTION)
    [interrupt] = of_type(record(conversation), "RUN_FINISHED")[-1]["outcome"]["interrupts"]
    assert interrupt["metadata"] == {"always": "tool"}
    assert interrupt["responseSchema"]["properties"]["always"]["enum"] == [True, False, "tool"]
    decide(turn, entry(True, always="tool", editedArgs={"sign": "WABC"}))
    approval = Approval.objects.get()
    assert (approval.always, approval.allowance) == ("tool", None)
    other = ask(conversation, "What is the most popular song on WKRP?")
    assert (other.status, PLAYED) == ("completed", ["WABC", "WKRP"])
    allowance = Allowance.objects.get()
    assert (allowance.tool, allowance.input) == ("top_song", None)
    assert allowance.approvals.get().call.turn == other
    assert decisions(conversation)[-1]["standing"] is True
    Allowance.objects.update(revoked_at=timezone.now())
    assert ask(conversation, QUESTION).status == "waiting"


@pytest.mark.usefixtures("whole")
def test_a_permission_for_a_whole_tool_ends_where_its_declaration_allows_it_no_more(
    conversation: Conversation,
) -> None:
    decide(ask(conversation, QUESTION), entry(True, always="tool"))
    with top_song_as(lambda sign: {"song": sign}, approval=True):
        assert ask(conversation, QUESTION).status == "waiting"


def test_a_tool_that_does_not_allow_it_is_not_let_through_whole(waiting: Turn) -> None:
    with pytest.raises(Refused, match="with the same arguments alone"):
        engine.resume(waiting.conversation, waiting.user, [entry(True, always="tool")])
    assert (Approval.objects.get().status, Allowance.objects.count(), PLAYED) == ("pending", 0, [])
    decide(waiting, entry(True, always=False))
    assert (Approval.objects.get().always, Allowance.objects.count()) == ("", 0)


def test_the_same_permission_stands_once(user: User) -> None:
    fields = {"user": user, "tool": "t", "input": {}, "key": Allowance.key_of("t", {})}
    Allowance.objects.create(**fields, revoked_at=timezone.now())
    Allowance.objects.create(**fields)
    with pytest.raises(IntegrityError):
        Allowance.objects.create(**fields)


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
        approval = {"interruptId": interrupt["id"], "status": "resolved", "payload": {"approved": True}}
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
