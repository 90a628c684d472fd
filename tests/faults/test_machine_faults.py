"""A clock that jumps, a lost channel layer, no more threads: the turn ends as it does otherwise."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django.fixtures import Settings

from conversations import engine
from conversations.engine import WORKER
from conversations.journal.doorbell import has_layer, run_doorbell
from conversations.models import Turn
from conversations.threads import Threads
from tests.conditions import until
from tests.faults.scene import HEALTHY, HELLO, PART, Scene
from tests.gateway.wire import Answer, End
from tests.sockets.pages import page_of
from tests.turns import answer

pytestmark = pytest.mark.django_db(transaction=True)

JUMPS = [timedelta(hours=1), timedelta(hours=-1)]


@pytest.fixture
def jump(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Puts the wall clock on or back."""
    now = timezone.now

    def put(by: timedelta) -> None:
        def jumped() -> datetime:
            return now() + by

        monkeypatch.setattr("django.utils.timezone.now", jumped)

    return put


@pytest.mark.parametrize("by", JUMPS, ids=["on", "back"])
def test_a_clock_that_jumps_in_mid_answer_changes_nothing(
    scene: Scene, jump: Callable[[timedelta], None], by: timedelta
) -> None:
    gate = threading.Event()
    turn = scene.begin(Answer.stream(*PART, gate, *HELLO[3:]))
    until(lambda: answer(scene.events()) == "Hello world")
    jump(by)
    WORKER.sweep()
    gate.set()
    assert engine.WORKER.wait(20)
    turn.refresh_from_db()
    scene.check_completed(turn, "Hello world")
    assert turn.attempts == 1
    scene.check_alive()


@pytest.mark.parametrize("by", JUMPS, ids=["on", "back"])
def test_a_stop_after_a_jump_of_the_clock_ends_the_turn(
    scene: Scene, jump: Callable[[timedelta], None], by: timedelta
) -> None:
    turn = scene.begin(Answer.stream(*PART, terminated=False, end=End.STALL))
    until(lambda: answer(scene.events()) == "Hello world")
    jump(by)
    engine.stop(scene.conversation.pk)
    assert engine.WORKER.wait(5)
    scene.check_stopped(turn, "Hello world")
    scene.check_alive()


async def test_a_channel_layer_that_is_gone_keeps_nobody_from_his_answer(
    scene: Scene, user: User, settings: Settings
) -> None:
    gone = {"hosts": ["redis://127.0.0.1:1"]}
    settings.CHANNEL_LAYERS = {
        "default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": gone}
    }
    assert has_layer()
    bells = asyncio.create_task(run_doorbell(engine.current_notices))
    scene.server.play(HEALTHY)
    async with page_of(user, scene.conversation) as page:
        for _ in range(2):
            await page.ask("Hello?")
            assert (await page.until_end())[-1]["type"] == "RUN_FINISHED"
    assert not bells.done()
    bells.cancel()
    with suppress(asyncio.CancelledError):
        await bells
    await get_channel_layer().close_pools()  # type: ignore[union-attr]
    await sync_to_async(scene.check_alive)()


def test_a_turn_for_which_there_is_no_thread_is_taken_up_when_there_is_one(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = threading.Thread.start

    def no_more(thread: threading.Thread) -> None:
        if thread.name.startswith("engine_"):
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", no_more)
    monkeypatch.setattr(engine.WORKER, "_threads", Threads("engine", 1))
    turn = scene.begin(HEALTHY)
    assert engine.WORKER.wait(5)
    monkeypatch.setattr(threading.Thread, "start", start)
    Turn.objects.update(lease_until=timezone.now() - timedelta(minutes=1))
    WORKER.sweep()
    assert engine.WORKER.wait(20)
    turn.refresh_from_db()
    scene.check_completed(turn, "All is well.")
    scene.check_alive()
