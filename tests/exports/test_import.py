"""Imports of exports: the same conversation under new ids, or nothing and the place that is wrong."""

import json
import re
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from conversations import engine
from conversations.engine import WORKER
from conversations.exports import DamagedExport, as_json, import_document
from conversations.models import Approval, Conversation, Recording, Round, ToolCall, Turn
from conversations.protocol.converse.request import sha256
from conversations.tools import registry, tool
from tests.engine.station import top_song_as
from tests.gateway.wire import Answer, WireServer, answer_frames
from tests.protocol.recorded import RECORDED, Stream, params
from tests.recorded_streams import response_of
from tests.turns import ask, conversation_of, record

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway")]
UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
PHRASES = (
    "What is the most popular song on WZPZ?",
    "show reasoning",
    "show parallel calls",
    "fail overflow later",
    "fail overflow",
    "fail cut",
)


TEXT: list[str] = []


@pytest.fixture
def text(user: User) -> str:
    """The export of a deleted conversation with several kinds of turns, the same for all tests."""
    if not TEXT:
        own: dict[str, Any] = {"inference": {"topP": 0.5}, "tools_off": ["another"], "reasoning_budget": 0}
        conversation = conversation_of(user, system="Be brief.", **own)
        for phrase in PHRASES:
            ask(conversation, phrase)
        TEXT.append(as_json(Conversation.objects.get()))
        conversation.delete()
    return TEXT[0]


def ids(text: str) -> set[str]:
    """The ids in it that are ours: the gateway's stay what they are."""
    return set(UUID.findall(re.sub('"(gatewayR|r)equestId": "[^"]*"', "", text)))


def numbered(text: str) -> str:
    """The text with each id as the number of its first place."""
    names: dict[str, str] = {}
    return UUID.sub(lambda match: names.setdefault(match[0], f"id {len(names)}"), text)


def test_the_export_of_an_import_is_the_export_but_for_ids(text: str, other_user: User) -> None:
    copy = import_document(text, other_user)
    again = as_json(copy)
    assert numbered(again) == numbered(text)
    assert not ids(again) & ids(text)
    assert copy.owner == other_user


def test_an_imported_record_is_packed_and_read_as_any_other(text: str, user: User) -> None:
    copy = import_document(text, user)
    assert Recording.objects.filter(conversation=copy).count() == len(PHRASES)
    assert [event["metadata"]["seq"] for event in record(copy)][-1] == len(record(copy))


def test_an_imported_rounds_request_is_still_proven(text: str, user: User) -> None:
    copy = import_document(text, user)
    rounds = Round.objects.filter(turn__conversation=copy)
    assert len(rounds) > len(PHRASES)
    for row in rounds:
        assert sha256(engine.rebuild_request(row)) == row.request_sha256


def test_an_imported_conversation_goes_on(text: str, user: User) -> None:
    copy = import_document(text, user)
    assert ask(copy, "show the conversation").status == Turn.Status.COMPLETED


def test_nothing_is_run_by_an_import(text: str, user: User) -> None:
    with registry.override():

        @tool
        def top_song(sign: str) -> str:
            pytest.fail(f"called with {sign}")

        import_document(text, user)
        WORKER.sweep()
    assert engine.WORKER.wait(0)
    assert ToolCall.objects.count() == len(json.loads(text)["toolCalls"])
    assert not Turn.objects.filter(status__in=["running", "queued", "waiting"]).exists()


@pytest.fixture
def guarded() -> Iterator[None]:
    """The station's tool, which asks first."""
    with top_song_as(lambda sign: f"the song of {sign}", approval=True):
        yield


def decided(conversation: Conversation, user: User, **payload: object) -> None:
    """Asks, and decides about the call."""
    ask(conversation, PHRASES[0])
    call = Approval.objects.get(status="pending").call.tool_use_id
    engine.resume(conversation, user, [{"interruptId": call, "status": "resolved", "payload": payload}])
    assert engine.WORKER.wait(20)


@pytest.fixture
def branched(user: User, other_user: User, guarded: None) -> Conversation:
    """A conversation with decisions of several people, and two branches, the older of which is shown."""
    conversation = conversation_of(user)
    decided(conversation, other_user, approved=False, reason="Not on a Sunday.")
    decided(conversation, user, approved=True, editedArgs={"sign": "WKRP"})
    decided(conversation, user, approved=True, always=True)
    turn = ask(conversation, PHRASES[0])
    engine.regenerate(conversation)
    assert engine.WORKER.wait(20)
    engine.show_branch(conversation, turn.pk)
    conversation.refresh_from_db()
    assert conversation.head == turn
    return conversation


def test_decisions_and_branches_come_back_as_they_were(branched: Conversation, other_user: User) -> None:
    text = as_json(branched)
    approvals = [call["approval"] for call in json.loads(text)["toolCalls"]]
    assert [approval["status"] for approval in approvals] == ["denied", *["approved"] * 4]
    assert (approvals[0]["decidedBy"], approvals[0]["reason"], approvals[1]["input"]) == (
        "herbert", "Not on a Sunday.", {"sign": "WKRP"},
    )  # fmt: skip
    assert [turn.get("runs") for turn in json.loads(text)["turns"]] == [2, 2, 2, None, None]
    copy = import_document(text, other_user)
    assert numbered(as_json(copy)) == numbered(text)
    assert not ids(as_json(copy)) & ids(text)
    assert copy.head is not None
    assert (copy.head.number, copy.head.conversation) == (4, copy)


def test_who_imports_decisions_has_made_none_and_is_let_through_nothing(
    branched: Conversation, other_user: User
) -> None:
    copy = import_document(as_json(branched), other_user)
    rows = Approval.objects.filter(call__conversation=copy)
    assert set(rows.values_list("decided_by", "allowance")) == {(None, None)}
    assert {row.decider for row in rows} == {"herbert", "jennifer"}
    assert not other_user.allowances.exists()
    assert ask(copy, PHRASES[0]).status == Turn.Status.WAITING


def test_an_imported_branch_goes_on_where_it_is_shown(branched: Conversation, user: User) -> None:
    copy = import_document(as_json(branched), user)
    turn = ask(copy, "show the conversation")
    assert (turn.status, turn.parent) == (Turn.Status.COMPLETED, copy.head)


def test_the_messages_of_an_export_are_those_of_the_shown_branch(branched: Conversation) -> None:
    messages = json.loads(as_json(branched))["messages"]
    engine.show_branch(branched, branched.turns.get(number=5).pk)
    branched.refresh_from_db()
    other = json.loads(as_json(branched))["messages"]
    uses = [block["toolUse"]["toolUseId"] for branch in (messages, other) for block in _tool_uses(branch)]
    assert (len(messages), len(uses), len(set(uses))) == (len(other), 8, 5)


def _tool_uses(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [block for message in messages for block in message["content"] if "toolUse" in block]


def test_what_nobody_had_decided_comes_in_as_withdrawn(text: str, user: User) -> None:
    whole = json.loads(text)
    whole["toolCalls"][0]["approval"] = APPROVAL
    copy = import_document(json.dumps(whole), user)
    row = Approval.objects.get(call__conversation=copy)
    assert (row.status, row.decider, row.requested_at.year) == ("withdrawn", "", 2026)
    assert row.decided_at is not None


def test_a_turn_that_waits_is_not_taken_in(user: User, guarded: None) -> None:
    conversation = conversation_of(user)
    ask(conversation, PHRASES[0])
    conversation.refresh_from_db()
    with pytest.raises(DamagedExport, match=r"turns\.0\.status"):
        import_document(as_json(conversation), user)
    engine.stop(conversation.pk)
    assert engine.WORKER.wait(20)
    conversation.refresh_from_db()
    import_document(as_json(conversation), user)
    assert not Turn.objects.filter(status="waiting").exists()
    assert set(Approval.objects.values_list("status", flat=True)) == {"withdrawn"}


def test_an_export_of_before_there_were_approvals_is_taken(text: str, user: User) -> None:
    whole = json.loads(text)
    del whole["head"]
    for call in whole["toolCalls"]:
        del call["approval"]
    copy = import_document(json.dumps(whole), user)
    assert (copy.head, Approval.objects.count()) == (None, 0)
    assert ask(copy, "show the conversation").parent == copy.turns.get(number=len(PHRASES))


APPROVAL = {
    "status": "pending", "requestedAt": "2026-05-01T12:00:00+00:00", "expiresAt": None, "decidedAt": None,
    "decidedBy": None, "reason": "", "input": None,
}  # fmt: skip
Damage = Callable[[dict[str, Any]], object]
DAMAGES: dict[str, tuple[Damage, str]] = {
    "a member is missing": (lambda w: w.pop("title"), "title"),
    "a member is unknown": (lambda w: w.update(run="rm -rf /"), "run"),
    "a turn runs": (lambda w: w["turns"][1].update(status="running"), "turns.1.status"),
    "a turn comes twice": (lambda w: w["turns"].append(w["turns"][0]), "turn"),
    "a parent is unknown": (lambda w: w["turns"][1].update(parent=w["id"]), "parent"),
    "an event is missing": (lambda w: w["turns"][0]["events"].pop(3), "event"),
    "an event is unknown": (lambda w: w["turns"][0]["events"][3].update(type="EVAL"), "event"),
    "an event has no text": (lambda w: w["turns"][0]["events"][2].pop("delta"), "event"),
    "a call is of no round": (lambda w: w["toolCalls"][0].update(round=7), "round"),
    "a call comes twice": (lambda w: w["toolCalls"].append(w["toolCalls"][0]), "tool call"),
    "a remedy is none": (
        lambda w: w["turns"][0]["rounds"][0].update(remedies=[{"kind": "all", "value": 1}]), "rounds.0.remedies",
    ),
    "a call has no result": (lambda w: w["toolCalls"][0].update(result=None), "result"),
    "a request base is another": (lambda w: w["requestBases"].update({"0" * 64: "{}"}), "request base"),
    "a request base is missing": (lambda w: w["requestBases"].clear(), "request base"),
    "a content is no block's": (
        lambda w: w["turns"][0]["rounds"][0]["message"].update(content=[{"toolUse": "x"}]), "content",
    ),
    "a text holds NUL": (lambda w: w.update(title="a\0b"), "characters"),
    "a text holds a lone surrogate": (lambda w: w.update(system="\ud800"), "characters"),
    "a title is too long": (lambda w: w.update(title="a" * 201), "title"),
    "the shown branch ends nowhere": (lambda w: w.update(head=w["id"]), "branch"),
    "a turn waits": (lambda w: w["turns"][1].update(status="waiting"), "turns.1.status"),
    "an approval is none": (lambda w: w["toolCalls"][0].update(approval={"status": "approved"}), "approval"),
    "an approval is of no kind": (
        lambda w: w["toolCalls"][0].update(approval=APPROVAL | {"status": "granted"}), "approval.status",
    ),
    "it is nested too deeply": (lambda w: w.update(inference=_deep(100)), "deep"),
}  # fmt: skip


def _deep(levels: int) -> dict[str, Any]:
    return {"a": _deep(levels - 1)} if levels else {}


@pytest.mark.parametrize(("damage", "word"), DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_refused_whole(text: str, user: User, damage: Damage, word: str) -> None:
    whole = json.loads(text)
    damage(whole)
    with pytest.raises(DamagedExport, match=rf"^(?=\S+: |the file: ).*{word}"):
        import_document(json.dumps(whole, indent=1), user)
    assert not Conversation.objects.exists()


def test_the_place_that_is_wrong_is_told(text: str, user: User) -> None:
    whole = json.loads(text)
    events = whole["turns"][1]["events"]
    wrong = next(place for place, event in enumerate(events) if event["type"] == "STEP_STARTED")
    events[wrong]["type"] = "STEP_BEGUN"
    with pytest.raises(DamagedExport, match=rf"^turns\.1\.events\.{wrong}: "):
        import_document(json.dumps(whole), user)


@pytest.mark.parametrize("cut", [0, 1, 500, -3])
def test_a_file_that_breaks_off_is_refused(text: str, user: User, cut: int) -> None:
    with pytest.raises(DamagedExport, match=r"^line \d+"):
        import_document(text[:cut], user)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a": NaN}', "1" * 5000, "null", "[]"])
def test_what_is_no_export_is_refused(user: User, text: str) -> None:
    with pytest.raises(DamagedExport):
        import_document(text, user)
    assert not Conversation.objects.exists()


def test_the_command_takes_a_file_and_says_what_it_made(text: str, user: User, tmp_path: Path) -> None:
    file = tmp_path / "export.json"
    file.write_text(text)
    out = StringIO()
    call_command("import", str(file), user=user.username, stdout=out)
    copy = Conversation.objects.get()
    assert str(copy.pk) in out.getvalue()


def test_the_command_says_what_is_wrong_and_stores_nothing(user: User, tmp_path: Path) -> None:
    file = tmp_path / "export.json"
    file.write_text("{")
    with pytest.raises(CommandError, match="not imported: line 1"):
        call_command("import", str(file), user=user.username)
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import", str(tmp_path / "nothing.json"), user=user.username)
    assert not Conversation.objects.exists()


@pytest.mark.any_database
@pytest.mark.parametrize("stream", params(RECORDED))
def test_every_recorded_stream_is_exported_and_imported_as_it_is(
    user: User, settings: Settings, stream: Stream
) -> None:
    settings.GATEWAY_RETRIES = 1
    conversation = conversation_of(user, model=stream.model)
    with (
        WireServer([response_of(stream), Answer.stream(*answer_frames("Done."))]) as server,
        registry.override(),
    ):
        settings.GATEWAY_URL = server.url
        ask(conversation, "Go on.")
    conversation.refresh_from_db()
    text = as_json(conversation)
    assert numbered(as_json(import_document(text, user))) == numbered(text)
