"""Reruns: ordinary turns in a linked conversation, a report of what differs, and an exit code."""

import threading
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from conversations import engine
from conversations.engine import WORKER
from conversations.models import Conversation, Turn
from conversations.rerun import Options, Rerun, rerun, rerunning
from conversations.tools import registry
from tests.commands import command
from tests.gateway.wire import Answer, WireServer, answer_frames
from tests.reruns import conversation_with, json_report, rerun_of
from tests.turns import QUESTION, ask, conversation_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway")]
PHRASES = [
    QUESTION,
    "show parallel calls",
    "show unknown tool",
    "show broken tool input",
    "show reused id",
    "show a server tool",
    "show reasoning",
    "show citations",
    "show nothing",
    "show the conversation",
    "show stop reason max_tokens",
    "fail refused",
    f"fail refused later: {QUESTION}",
]


@pytest.fixture(autouse=True)
def one_try(settings: Settings) -> None:
    settings.GATEWAY_RETRIES, settings.USER_TURNS_PER_MINUTE = 1, 0


def answers(*texts: str) -> list[Answer]:
    return [Answer.stream(*answer_frames(text)) for text in texts]


def test_against_the_demo_gateway_nothing_differs_and_no_tool_runs(user: User) -> None:
    conversation = conversation_with(user, *PHRASES)
    with registry.override():
        code, out, err = command("rerun", str(conversation.pk))
    assert code == 0, out
    assert "nothing differs" in out
    assert err.count("Message ") == len(PHRASES)


IN_FORCE: dict[str, Any] = {
    "system": "Be brief.", "inference": {"temperature": 0.5}, "tools_off": ["another"], "reasoning_budget": 0,
}  # fmt: skip


def test_all_of_it_is_stored_and_linked(user: User) -> None:
    conversation = conversation_with(user, QUESTION, "help", **IN_FORCE)
    pairs = rerun_of(conversation)
    conversation.refresh_from_db()
    (new,) = conversation.reruns.all()
    assert (new.owner, new.title, new.model) == (user, conversation.title, conversation.model)
    assert [turn.rerun_of for turn in new.turns.all()] == list(conversation.turns.all())
    assert [pair.turn for pair in pairs] == list(new.turns.all())
    for turn in new.turns.all():
        assert (turn.model_settings(), turn.status) == (IN_FORCE | {"model": conversation.model}, "completed")
        assert turn.recording.last_seq
    assert new.tool_calls.get().result == conversation.tool_calls.get().result


def test_another_model_prompt_or_setting_is_asked_and_what_changed_is_told(user: User) -> None:
    conversation = conversation_with(user, "show the conversation", system="Be brief.")
    code, report = json_report(
        str(conversation.pk), "--model", "amazon.nova-lite-v1:0", "--system", "Be long.", "--inference", '{"topP": 1}'
    )  # fmt: skip
    assert (code, report["differs"], report["complete"]) == (1, True, True)
    (turn,) = report["turns"]
    assert turn["differs"] == ["text"]
    changed = [(words["recorded"], words["again"]) for words in turn["words"]]
    assert ("`cohere.command-r-v1:0`", "`amazon.nova-lite-v1:0`") in changed
    assert ("brief.", "long.") in changed
    again = Turn.objects.get(pk=turn["again"])
    assert (again.model, again.system, again.inference) == ("amazon.nova-lite-v1:0", "Be long.", {"topP": 1})


def test_the_report_for_machines_has_the_documented_shape(user: User) -> None:
    conversation = conversation_with(user, QUESTION)
    code, report = json_report(str(conversation.pk))
    assert code == 0
    assert set(report) == {"rerun", "rerunOf", "complete", "differs", "turns"}
    assert (report["rerunOf"], report["differs"]) == (str(conversation.pk), False)
    (turn,) = report["turns"]
    compared = {"status", "error", "text", "calls", "stopReasons", "tokens", "firstTokenMs", "totalMs"}
    rest = {"number", "turn", "again", "message", "differs", "words", "requests", "missed"}
    assert set(turn) == compared | rest
    assert turn["calls"]["again"] == [{"name": "top_song", "arguments": {"sign": "WZPZ"}}]
    assert turn["stopReasons"]["recorded"] == ["tool_use", "end_turn"]
    assert turn["tokens"]["again"]["total"] > 0
    assert all(turn[name]["again"] is not None for name in ("firstTokenMs", "totalMs"))


def test_a_person_sees_the_words_calls_and_ends_that_differ(user: User, settings: Settings) -> None:
    conversation = conversation_with(user, QUESTION)
    with WireServer(answers("It is Elemental Hotel by 8 Storey Hike.")) as server:
        settings.GATEWAY_URL = server.url
        code, out, _ = command("rerun", str(conversation.pk))
    assert code == 1
    assert "differs in text, calls, stop reasons" in out
    assert '    - top_song {"sign": "WZPZ"}' in out
    assert "stop reasons: tool_use, end_turn -> end_turn" in out
    assert "{+It+}" in out
    assert "first token: " in out


def test_some_of_the_messages_can_be_asked_again(user: User) -> None:
    conversation = conversation_with(user, "help", QUESTION, "show reasoning")
    assert [pair.question.number for pair in rerun_of(conversation, numbers=range(2, 3))] == [2]
    _, report = json_report(str(conversation.pk), "--turns", "2-")
    assert [turn["number"] for turn in report["turns"]] == [2, 3]


def test_a_turn_that_fails_where_the_recorded_one_did_not_ends_it_and_it_can_be_gone_on_with(
    user: User, settings: Settings, gateway: Any
) -> None:
    conversation = conversation_with(user, "help", QUESTION, "show reasoning")
    with WireServer([*answers("Help yourself."), Answer.error(403, {})]) as server:
        settings.GATEWAY_URL = server.url
        code, _, err = command("rerun", str(conversation.pk))
    new = conversation.reruns.get()
    assert code == 1
    assert f"rerun --continue {new.pk}" in err
    assert [turn.status for turn in new.turns.all()] == ["completed", "failed"]
    settings.GATEWAY_URL = gateway.url
    code, out, err = command("rerun", "--continue", str(new.pk))
    assert err.count("Message ") == 2
    first, failed, second, third = new.turns.all()
    assert (second.rerun_of, second.parent, third.parent) == (failed.rerun_of, first, second)
    assert "Turn 1: differs in text" in out
    assert out.count(": the same") == 2
    assert code == 1
    assert "--continue" not in err


def test_ctrl_c_stops_the_turn_and_what_was_done_is_reported(
    user: User, monkeypatch: pytest.MonkeyPatch, settings: Settings, gateway: Any
) -> None:
    conversation = conversation_with(user, "help", QUESTION)
    presses, wait_for = [], WORKER.wait_for

    def press_once(turn: uuid.UUID, timeout: float) -> bool:
        """Ctrl-C while the second turn runs."""
        if not presses and Turn.objects.filter(pk=turn, rerun_of__number=2, status="running").exists():
            presses.append(turn)
            raise KeyboardInterrupt
        return wait_for(turn, timeout)

    monkeypatch.setattr(WORKER, "wait_for", press_once)
    with WireServer([*answers("Help yourself."), Answer.silence()]) as server:
        settings.GATEWAY_URL = server.url
        code, out, err = command("rerun", str(conversation.pk))
    new = conversation.reruns.get()
    assert (code, [turn.status for turn in new.turns.all()]) == (1, ["completed", "stopped"])
    assert "Turn 1:" in out
    assert "Stopped." in err
    settings.GATEWAY_URL = gateway.url
    command("rerun", "--continue", str(new.pk))
    assert [turn.status for turn in new.turns.all()] == ["completed", "stopped", "completed"]


def test_the_users_limits_hold_and_are_told(
    user: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation = conversation_with(user, "help")
    settings.USER_TURNS_PER_MINUTE = 1
    monkeypatch.setattr(rerunning, "PATIENCE", 0.0)
    code, _, err = command("rerun", str(conversation.pk))
    assert (code, conversation.reruns.count()) == (1, 0)
    assert "too many messages in a minute" in err


def test_it_waits_for_the_users_limits(
    user: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation = conversation_with(user, "help")
    settings.USER_TURNS_PER_MINUTE = 1

    class LiftingClock:
        """A clock of which a second's sleep lifts the limit."""

        monotonic = staticmethod(rerunning.time.monotonic)

        def sleep(self, seconds: float) -> None:
            if settings.USER_TURNS_PER_MINUTE:
                settings.USER_TURNS_PER_MINUTE = 0
            pause.wait(0.01)

    pause = threading.Event()
    monkeypatch.setattr(rerunning, "time", LiftingClock())
    code, _, err = command("rerun", str(conversation.pk))
    assert code == 0
    assert "waiting: You have sent too many messages in a minute" in err


def test_a_rerun_belongs_to_the_old_ones_owner_or_to_whom_is_named(user: User, other_user: User) -> None:
    conversation = conversation_with(user, "help")
    command("rerun", str(conversation.pk))
    command("rerun", str(conversation.pk), "--user", "herbert")
    assert [new.owner for new in conversation.reruns.order_by("created_at")] == [user, other_user]


def test_a_message_in_a_rerun_is_an_ordinary_one(user: User) -> None:
    conversation = conversation_with(user, "help")
    rerun_of(conversation)
    turn = ask(conversation.reruns.get(), QUESTION)
    assert (turn.rerun, turn.rerun_of) == ({}, None)
    assert turn.tool_calls.get().status == "success"


def test_the_stored_conversation_may_be_deleted(user: User) -> None:
    conversation = conversation_with(user, "help")
    (pair,) = rerun_of(conversation)
    conversation.delete()
    new = Conversation.objects.get()
    assert (new.rerun_of, Turn.objects.get().pk) == (None, pair.turn.pk)
    code, _, err = command("rerun", "--continue", str(new.pk))
    assert (code, "was deleted" in err) == (1, True)


def test_what_cannot_be_asked_again_is_said(user: User) -> None:
    empty, other = conversation_of(user), conversation_with(user, "help")
    for arguments, sentence in (
        ([], "required"),
        (["7"], "There is no conversation 7."),
        ([str(empty.pk)], "nothing to ask again"),
        ([str(other.pk), "--turns", "9"], "nothing to ask again"),
        ([str(other.pk), "--turns", "one"], "no range"),
        ([str(other.pk), "--inference", "[]"], "no JSON object"),
        ([str(other.pk), "--user", "nobody"], "no user is called nobody"),
        (["--continue", str(other.pk)], "is no rerun"),
    ):
        code, out, err = command("rerun", *arguments)
        assert (code, out) == (1, ""), arguments
        assert sentence in err
    assert Conversation.objects.count() == 2
    with pytest.raises(Exception, match="is not asked again from"):
        rerun(other, onto=empty)


def test_a_turn_that_another_process_runs_is_waited_for(user: User) -> None:
    conversation = conversation_with(user, "help")
    new: Rerun = rerun(conversation, Options())
    repetition = engine.Repetition(conversation.turns.get(), Options().answers("gateway"))
    started = engine.start(
        new.conversation.pk, "0" * 8 + "-0000-4000-8000-" + "0" * 12, "help", repetition=repetition
    )
    (pair,) = new.run()
    assert pair.turn.pk == started.turn.pk


def test_no_text_of_a_report_moves_the_cursor(user: User, settings: Settings) -> None:
    with WireServer([*answers("\x1b[2JHello."), *answers("Hello.")]) as server:
        settings.GATEWAY_URL = server.url
        conversation = conversation_with(user, "Say \x1b[2J.")
        code, out, err = command("rerun", str(conversation.pk))
    assert code == 1
    assert "Hello." in out
    assert "\x1b" not in out + err
