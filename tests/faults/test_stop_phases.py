"""Stop in every phase: the turn ends at once, its text stays, the gateway sees the connection go."""

import threading

import pytest

from conversations.models import ToolCall, Turn
from conversations.tools import registry, tool
from tests.conditions import until
from tests.faults.scene import HELLO, PART, SOON, Scene, asking_for
from tests.gateway.wire import Answer, End, Part, Request, head
from tests.turns import answer

pytestmark = pytest.mark.django_db(transaction=True)


def hung_up(scene: Scene) -> bool:
    return scene.server.requests[-1].hung_up.wait(SOON)


def test_a_stop_is_heeded_while_the_headers_are_awaited(scene: Scene) -> None:
    turn = scene.begin(Answer.silence())
    scene.server.wait()
    scene.stop()
    assert hung_up(scene)
    scene.check_stopped(turn, "")
    scene.check_alive()


def test_a_stop_is_heeded_in_an_errors_body_that_does_not_come(scene: Scene) -> None:
    headers_sent = threading.Event()

    def refuse(_: Request) -> Answer:
        headers_sent.set()
        return Answer((head(400, {"Content-Length": "999"}),), End.STALL)

    turn = scene.begin(refuse)
    assert headers_sent.wait(SOON)
    scene.stop()
    assert hung_up(scene)
    scene.check_stopped(turn, "")
    scene.check_alive()


SILENT = {
    "before any text": ((HELLO[0],), ""),
    "after text": (tuple(PART), "Hello world"),
    "in a tool's input": (tuple(asking_for(("call-1", "top_song", '{"sign'), before="So. ")[:5]), "So. "),
}


@pytest.mark.parametrize(("frames", "text"), SILENT.values(), ids=SILENT.keys())
def test_a_stop_is_heeded_in_a_silent_stream(scene: Scene, frames: tuple[Part, ...], text: str) -> None:
    turn = scene.begin(Answer.stream(*frames, terminated=False, end=End.STALL))
    scene.server.wait()
    until(lambda: answer(scene.events()) == text)
    scene.stop()
    assert hung_up(scene)
    scene.check_stopped(turn, text)
    scene.check_alive()


def test_a_stop_is_heeded_while_a_sync_tool_runs_whose_late_result_is_discarded(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    begun, release = threading.Event(), threading.Event()
    with registry.override():

        @tool
        def slow() -> str:
            """Waits."""
            begun.set()
            release.wait(SOON)
            return "too late"

        turn = scene.begin(Answer.stream(*asking_for(("call-1", "slow", "{}"))))
        assert begun.wait(SOON)
        scene.stop()
        scene.check_stopped(turn, "")
        before = record_of(turn)
        release.set()
        until(lambda: "ended after it was given up" in caplog.text)
    assert "too late" not in caplog.text
    assert record_of(turn) == before
    assert before[0] == ("error", "stopped")
    scene.check_alive()


def record_of(turn: Turn) -> tuple[object, ...]:
    call = ToolCall.objects.get(turn=turn)
    return (call.status, call.error), call.result


def test_a_stop_is_heeded_while_an_async_tool_runs_which_is_cancelled(scene: Scene) -> None:
    begun, cancelled = threading.Event(), threading.Event()
    with registry.override():

        @tool
        async def slow() -> None:
            """Waits."""
            import asyncio

            begun.set()
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                cancelled.set()
                raise

        turn = scene.begin(Answer.stream(*asking_for(("call-1", "slow", "{}"))))
        assert begun.wait(SOON)
        scene.stop()
        assert cancelled.wait(SOON)
        scene.check_stopped(turn, "")
    scene.check_alive()


def test_a_flood_of_text_is_stopped_in_its_middle(scene: Scene) -> None:
    gate = threading.Event()
    turn = scene.begin(Answer.stream(*PART, *PART[1:] * 2000, gate, *HELLO[3:]))
    until(lambda: answer(scene.events()))
    scene.stop()
    gate.set()
    scene.check_stopped(turn, answer(scene.events(turn)))
    assert turn.rounds.get().stop_reason == ""
    scene.check_alive()
