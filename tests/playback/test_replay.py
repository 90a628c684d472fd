"""`manage.py replay`: a recording in the terminal, at its own pace, from the database alone."""

import io
import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from pytest_django.fixtures import Settings

from conversations import engine
from conversations.engine import WORKER
from conversations.management.commands import replay as replaying
from conversations.models import Conversation, Turn
from conversations.playback import moments
from conversations.protocol.agui import events
from conversations.tools import registry
from tests.commands import command
from tests.lost_turns import Lost
from tests.records import delta, running
from tests.reruns import conversation_with
from tests.turns import QUESTION, answer, conversation_of, record

in_process = pytest.mark.django_db(transaction=True)
START = 1_700_000_000_000


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class TimedOutput(io.StringIO):
    """A terminal that notes the time of each text."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock
        self.writes: list[tuple[int, str]] = []

    def write(self, text: str) -> int:
        self.writes.append((round((self.clock.now - 100) * 1000), text))
        return super().write(text)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(replaying, "time", clock)
    return clock


@pytest.fixture
def slow_conversation(user: User) -> Conversation:
    """A turn that ran for 90 s: three merged deltas, a minute of silence, a last delta."""
    conversation = conversation_of(user)
    turn = running(conversation)
    opening = {"type": "TEXT_MESSAGE_START", "messageId": "a", "role": "assistant"}
    rows: list[tuple[int, dict[str, Any], str]] = [
        (0, events.run_started(str(conversation.pk), str(turn.pk)), ""),
        *((0, event, "") for event in events.user_message("u", "Sing!")),
        (2000, events.step_started(1), ""),
        (2000, opening, ""),
        (2500, delta("La la la", "a"), "[[0, 2], [250, 3], [750, 3]]"),
        (63_250, delta(" lum.", "a"), ""),
        (63_250, {"type": "TEXT_MESSAGE_END", "messageId": "a"}, ""),
        (90_000, events.run_finished(str(conversation.pk), str(turn.pk), "cancelled", []), ""),
    ]
    for seq, (at, event, parts) in enumerate(rows, 1):
        data = json.dumps(event | {"timestamp": START + at, "metadata": {"seq": seq}})
        conversation.events.create(turn=turn, seq=seq, data=data, parts=parts)
    return conversation


def replay_output(clock: Clock, conversation: Conversation, *arguments: str) -> TimedOutput:
    out = TimedOutput(clock)
    call_command("replay", str(conversation.pk), *arguments, stdout=out, stderr=io.StringIO())
    return out


@in_process
@pytest.mark.parametrize(("speed", "times"), [("1", 1), ("4", 4), ("0.5", 0.5)])
def test_each_delta_comes_at_its_own_time(
    slow_conversation: Conversation, clock: Clock, speed: str, times: float
) -> None:
    out = replay_output(clock, slow_conversation, "--speed", speed)
    writes = [(at, text) for at, text in out.writes if text in {"La", " la", " lum.", "[stopped]\n"}]
    due = [(2500, "La"), (2750, " la"), (3250, " la"), (63_250, " lum."), (90_000, "[stopped]\n")]
    assert writes == [(round(at / times), text) for at, text in due]


@in_process
def test_waiting_is_skipped_to_a_second_and_marked(slow_conversation: Conversation, clock: Clock) -> None:
    out = replay_output(clock, slow_conversation, "--skip-waiting")
    writes = [(at, text) for at, text in out.writes if text in {"La", " lum.", "[stopped]\n"}]
    assert writes == [(1500, "La"), (3250, " lum."), (4250, "[stopped]\n")]
    assert "[25.8 s left out]" in out.getvalue()


@in_process
def test_at_once_it_prints_all_without_waiting(slow_conversation: Conversation, clock: Clock) -> None:
    out = replay_output(clock, slow_conversation, "--speed", "0")
    assert clock.now == 100.0
    assert out.getvalue() == "[2023-11-14 22:13:20 UTC]\n\n> Sing!\n\nLa la la lum.\n[stopped]\n"


@in_process
def test_a_wait_for_an_approval_is_marked(user: User) -> None:
    conversation = conversation_of(user)
    turn = running(conversation)
    names = str(conversation.pk), str(turn.pk)
    rows = [
        (0, events.run_started(*names)),
        (1000, {"type": "TOOL_CALL_START", "toolCallId": "t1", "toolCallName": "top_song"}),
        (1000, {"type": "TOOL_CALL_END", "toolCallId": "t1"}),
        (1000, events.run_finished(*names, "interrupt", [])),
        (61_000, events.run_started(names[0], f"{turn.pk}:2")),
        (62_000, events.tool_call_result("t1", "a song", status="success", duration_ms=5)),
        (62_000, events.run_finished(names[0], f"{turn.pk}:2", "success", [])),
    ]
    for seq, (at, event) in enumerate(rows, 1):
        numbered = event | {"timestamp": START + at, "metadata": event.get("metadata", {}) | {"seq": seq}}
        conversation.events.create(turn=turn, seq=seq, data=json.dumps(numbered))
    _, out, _ = command("replay", str(conversation.pk), "--speed", "0")
    assert out.splitlines() == [
        "[2023-11-14 22:13:20 UTC]",
        "[waiting for an approval]",
        "[2023-11-14 22:14:21 UTC]",
        "[top_song {} -> success, 5 ms: a song]",
    ]


@in_process
@pytest.mark.usefixtures("gateway")
def test_it_calls_neither_the_gateway_nor_a_tool(user: User, settings: Settings) -> None:
    conversation = conversation_with(user, QUESTION, "show reasoning", "fail refused")
    before = conversation.tool_calls.count(), conversation.turns.count()
    settings.GATEWAY_URL = "http://127.0.0.1:9"
    with registry.override():
        code, out, err = command("replay", str(conversation.pk), "--speed", "0")
    assert (code, err) == (0, "")
    assert f"> {QUESTION}" in out
    assert '[top_song {"sign": "WZPZ"} -> success' in out.replace('"sign":"', '"sign": "')
    assert "[reasoning]\n" in out
    assert "[gateway_refused: " in out
    printed = "".join(out.split())
    assert all("".join(text.split()) in printed for text in answer(record(conversation)).split("."))
    assert (conversation.tool_calls.count(), conversation.turns.count()) == before


@in_process
def test_a_running_turn_is_played_as_far_as_it_goes(user: User) -> None:
    lost = Lost(conversation_of(user))
    lost.begins_round()
    lost.says("half of an ans")
    _, out, _ = command("replay", str(lost.turn.conversation_id), "--speed", "0")
    assert out.endswith("half of an ans\n")


@in_process
@pytest.mark.usefixtures("gateway")
def test_an_interrupted_attempt_is_marked(user: User) -> None:
    lost = Lost(conversation_of(user))
    lost.begins_round()
    lost.says("The most pop")
    WORKER.sweep()
    assert engine.WORKER.wait(10)
    _, out, _ = command("replay", str(lost.turn.conversation_id), "--speed", "0")
    broken, _, whole = out.partition("[interrupted; the same round begins again]\n")
    assert broken.endswith("The most pop\n")
    assert "[top_song" in whole


@in_process
@pytest.mark.usefixtures("gateway")
def test_a_turns_moments_are_its_own(user: User) -> None:
    conversation = conversation_with(user, "help", "show reasoning")
    played = list(moments(conversation))
    assert [
        moment.event["metadata"]["seq"] for moment in played if moment.event["type"] == "RUN_STARTED"
    ] == [Turn.objects.get(number=number).recording.first_seq for number in (1, 2)]
    assert "".join(moment.event.get("delta", "") for moment in played) == "".join(
        event.get("delta", "") for event in record(conversation)
    )


@in_process
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["7"], "There is no conversation 7."),
        (["00000000-0000-0000-0000-000000000000"], "There is no conversation 0000"),
        (["7", "--speed", "fast"], "fast is no speed"),
        (["7", "--speed", "-1"], "-1 is no speed"),
        (["7", "--speed", "inf"], "inf is no speed"),
    ],
)
def test_what_cannot_be_played_is_said(arguments: list[str], sentence: str) -> None:
    code, out, err = command("replay", *arguments)
    assert (code, out) == (1, "")
    assert sentence in err


@in_process
def test_ctrl_c_ends_it_without_a_word(
    slow_conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Pressed(Clock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if self.now > 102.6:
                raise KeyboardInterrupt

    monkeypatch.setattr(replaying, "time", Pressed())
    code, out, err = command("replay", str(slow_conversation.pk))
    assert (code, err) == (0, "")
    assert out.endswith("\nLa\n")
