"""`manage.py fixture`, `rerun --against`, and a fixture as a test, without a gateway and tools."""

import json
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from conversations import engine
from conversations.engine import WORKER
from conversations.errors import Refused
from conversations.gateway.frames import encode
from conversations.models import Conversation, ToolCall
from conversations.playback import moments
from conversations.rerun import fixtures
from conversations.rerun.rerunning import against
from conversations.rerun.testing import assert_same
from conversations.tools import registry, tool
from tests.commands import command
from tests.faults.scene import asking_for
from tests.gateway.wire import Answer, End, WireServer, answer_frames
from tests.lost_turns import Lost
from tests.reruns import conversation_with, fixture_of, tool_frames
from tests.turns import QUESTION, answer, ask, conversation_of, record

pytestmark = pytest.mark.django_db(transaction=True)
TOP_SONG = Path(__file__).with_name("fixtures") / "top_song.jsonl"
PHRASES = [
    QUESTION,
    "show parallel calls",
    "show broken tool input",
    "show reused id",
    "show a server tool",
    "show reasoning",
    "show redacted reasoning",
    "show unsigned reasoning",
    "show citations",
    "show blank text",
    "show nothing",
    "show a picture",
    "show no usage",
    "show stop reason max_tokens",
    "fail refused",
    "fail cut",
    "fail stream",
    f"fail overflow later: {QUESTION}",
]


@pytest.fixture
def no_gateway(settings: Settings) -> None:
    settings.GATEWAY_URL, settings.USER_TURNS_PER_MINUTE = "http://127.0.0.1:9", 0


def changed(path: Path, kind: str, change: Callable[[dict[str, Any]], None]) -> Path:
    """The fixture with its first line of a kind changed."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    change(next(line for line in lines if line["kind"] == kind))
    other = path.with_name("changed.jsonl")
    other.write_text("\n".join(map(json.dumps, lines)))
    return other


@pytest.mark.usefixtures("no_gateway")
def test_the_top_song_is_told() -> None:
    assert_same(TOP_SONG)


@pytest.mark.usefixtures("gateway")
def test_a_fixture_of_all_that_models_do_answers_itself(
    user: User, settings: Settings, tmp_path: Path
) -> None:
    settings.GATEWAY_RETRIES, settings.USER_TURNS_PER_MINUTE = 1, 0
    file = fixture_of(conversation_with(user, *PHRASES), tmp_path)
    settings.GATEWAY_URL = "http://127.0.0.1:9"
    before = Conversation.objects.count(), ToolCall.objects.count(), User.objects.count()
    code, out, _ = command("rerun", "--against", str(file))
    assert code == 0, out
    assert (Conversation.objects.count(), ToolCall.objects.count(), User.objects.count()) == before


def test_calls_that_were_cut_or_damaged_are_so_again(user: User, settings: Settings, tmp_path: Path) -> None:
    conversation = conversation_of(user)
    whole = tool_frames("one", "top_song", '{"sign": "WZPZ"}')
    cut = asking_for(("two", "top_song", '{"sign'), stop="max_tokens")
    lost = encode("contentBlockDelta", b"{broken")
    with WireServer([Answer.stream(*whole[:3], lost, *whole[3:]), Answer.stream(*cut)]) as server:
        settings.GATEWAY_URL = server.url
        ask(conversation, "Go on.")
    errors = ToolCall.objects.order_by("round").values_list("error", flat=True)
    assert list(errors) == ["damaged", "max_tokens", "max_tokens"]
    settings.GATEWAY_URL = "http://127.0.0.1:9"
    assert_same(fixture_of(conversation, tmp_path))


@pytest.mark.usefixtures("gateway")
def test_the_rebuilt_streams_come_in_the_recorded_pieces(user: User, tmp_path: Path) -> None:
    conversation = conversation_with(user, QUESTION)
    (first,) = fixtures.read(fixture_of(conversation, tmp_path))
    deltas = [moment.event for moment in moments(conversation) if "delta" in moment.event]
    texts = [event["delta"] for event in deltas if event["type"] == "TEXT_MESSAGE_CONTENT"]
    streamed = [
        event.payload["delta"]["text"]
        for event in first.rounds[0].events
        if "text" in event.payload.get("delta", {})
    ]
    assert streamed
    assert streamed == texts[1 : len(streamed) + 1]
    times = [event.at for event in first.rounds[0].events]
    assert times == sorted(times)


@pytest.mark.usefixtures("no_gateway")
@pytest.mark.parametrize(
    ("kind", "change", "difference"),
    [
        ("base", lambda line: line["body"].update(system=[{"text": "Hm."}]), "round 1: system"),
        ("round", lambda line: line["messages"][0]["content"][0].update(text="x"), "messages[0].content[0].text"),
        ("round", lambda line: line.update(model="x"), "round 1: model"),
        ("round", lambda line: line.update(ending="stream_cut"), "status: completed -> failed"),
        ("event", lambda line: line.update(name="messageStop", payload={"stopReason": "x"}), "was not asked for"),
        ("call", lambda line: line.update(result=[{"text": "Silence."}]), "toolResult"),
        ("call", lambda line: line.update(input={"sign": "WKRP"}), "not in the record: top_song"),
        ("turn", lambda line: line["said"].update(text="Silence."), "[-Silence.-]"),
        ("turn", lambda line: line["said"].update(calls=[]), '+ top_song {"sign": "WZPZ"}'),
    ],
)  # fmt: skip
def test_a_difference_is_told(
    tmp_path: Path, kind: str, change: Callable[[dict[str, Any]], None], difference: str
) -> None:
    path = tmp_path / "top_song.jsonl"
    path.write_text(TOP_SONG.read_text())
    with pytest.raises(AssertionError) as raised:
        assert_same(changed(path, kind, change))
    assert difference in str(raised.value)
    assert not Conversation.objects.exists()


@pytest.mark.usefixtures("no_gateway")
def test_a_round_more_than_the_file_has_is_told(tmp_path: Path) -> None:
    lines = TOP_SONG.read_text().splitlines()
    last = max(at for at, line in enumerate(lines) if json.loads(line)["kind"] == "round")
    path = tmp_path / "cut.jsonl"
    path.write_text("\n".join(lines[:last]))
    with pytest.raises(AssertionError, match="that the file does not have"):
        assert_same(path)


@pytest.mark.usefixtures("no_gateway")
def test_a_changed_tool_is_told() -> None:
    with registry.override(), pytest.raises(AssertionError, match="toolConfig"):
        assert_same(TOP_SONG)


@pytest.mark.usefixtures("no_gateway")
def test_the_command_tells_a_difference_and_leaves_nothing_behind(user: User, tmp_path: Path) -> None:
    path = tmp_path / "top_song.jsonl"
    path.write_text(TOP_SONG.read_text())
    code, out, _ = command(
        "rerun", "--against", str(changed(path, "base", lambda line: line["body"].update(system=[{"text": "Hm."}])))
    )  # fmt: skip
    assert code == 1
    assert "differs in requests" in out
    assert not Conversation.objects.exists()


def test_stopped_turns_play_as_they_were(user: User, settings: Settings, tmp_path: Path) -> None:
    entered, conversation = threading.Event(), conversation_of(user)

    def stop_when(text: str, begun: Callable[[], bool]) -> None:
        engine.start(conversation.pk, str(uuid.uuid4()), text)
        while not begun():
            time.sleep(0.01)
        engine.stop(conversation.pk)
        assert engine.WORKER.wait(10)

    with registry.override():

        @tool
        def hold() -> str:
            """Hold the line."""
            entered.set()
            threading.Event().wait(2)
            return "held"

        with WireServer([Answer.stream(*tool_frames("use-1", "hold", "{}"))]) as server:
            settings.GATEWAY_URL = server.url
            stop_when("Hold.", entered.is_set)
            server.play(Answer.stream(*answer_frames("Hello ", "world")[:3], end=End.STALL, terminated=False))
            stop_when("Hello?", lambda: "Hello world" in answer(record(conversation)))
            server.play(Answer.stream(*answer_frames("Done.")))
            ask(conversation, "Well?")
        settings.GATEWAY_URL = "http://127.0.0.1:9"
        assert [turn.status for turn in conversation.turns.all()] == ["stopped", "stopped", "completed"]
        assert_same(fixture_of(conversation, tmp_path))


def test_a_turn_that_was_lost_each_time_plays_as_it_was(user: User, no_gateway: None, tmp_path: Path) -> None:
    lost = Lost(conversation_of(user), attempts=3)
    lost.begins_round()
    lost.says("The most pop")
    WORKER.sweep()
    assert engine.WORKER.wait(10)
    rerun = against(fixtures.read(fixture_of(lost.turn.conversation, tmp_path)), user)
    (pair,) = rerun.run()
    assert (pair.again.status, pair.again.text) == ("interrupted", "The most pop")
    assert pair.differs == ["requests"]  # its round was stored without a request


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("{}", 1),
        ('{"kind": "turn"}', 1),
        ('{"kind": "fixture", "version": 2}', 1),
        ('{"kind": "base", "sha256": "a", "body": {}}', 1),
        ('{"kind": "fixture"}\n{"kind": "fixture"}', 2),
        ('{"kind": "fixture"}\n{"kind": "event", "at": 0, "name": "a", "payload": {}}', 2),
        ('{"kind": "fixture"}\nnot JSON', 2),
        ('{"kind": "fixture"}\n{"kind": "base", "sha256": "a", "body": {}, "more": 1}', 2),
    ],
)
def test_a_damaged_file_is_refused_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    path = tmp_path / "damaged.jsonl"
    path.write_text(text)
    with pytest.raises(Refused, match=f"line {line}: this is no line of a fixture"):
        fixtures.read(path)


def test_what_cannot_be_a_fixture_is_said(user: User, tmp_path: Path) -> None:
    lost = Lost(conversation_of(user))
    for arguments, sentence in (
        (["fixture", "7"], "There is no conversation 7."),
        (["fixture", str(conversation_of(user).pk)], "there is none yet"),
        (["fixture", str(lost.turn.conversation_id)], "still under way"),
        (["rerun", "--against", str(tmp_path / "none.jsonl")], "cannot be read"),
    ):
        code, out, err = command(*arguments)
        assert (code, out) == (1, "")
        assert sentence in err


@pytest.mark.usefixtures("gateway")
def test_a_fixture_goes_to_standard_output_and_is_never_half_written(user: User, tmp_path: Path) -> None:
    conversation = conversation_with(user, "help")
    _, out, _ = command("fixture", str(conversation.pk))
    assert out == fixture_of(conversation, tmp_path).read_text()
    code, _, err = command("fixture", str(conversation.pk), "-o", str(tmp_path / "no" / "such" / "folder"))
    assert (code, "cannot be written" in err) == (1, True)
