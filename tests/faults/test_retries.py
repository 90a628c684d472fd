"""Attempts at a round: announced, as late as the gateway asks for, none after text or a stop."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise

import pytest
from pytest_django.fixtures import Settings
from tenacity import wait_fixed

from tests.conditions import until
from tests.faults.scene import HELLO, PART, Scene, retries
from tests.gateway.wire import Answer, Request
from tests.turns import types

pytestmark = pytest.mark.django_db(transaction=True)
BUSY = Answer.error(503, {"message": "busy"})
WHOLE = Answer.stream(*HELLO)


def retry_after(how_long: str) -> Answer:
    return Answer.error(429, {"message": "slow down"}, {"Retry-After": how_long})


class Times:
    """The moments at which requests come."""

    def __init__(self) -> None:
        self.at: list[float] = []

    def answering(self, answer: Answer) -> Callable[[Request], Answer]:
        def noted(_: Request) -> Answer:
            self.at.append(time.monotonic())
            return answer

        return noted

    @property
    def gaps(self) -> list[float]:
        return [after - before for before, after in pairwise(self.at)]


def test_an_attempt_that_works_makes_the_turn_a_good_one(scene: Scene, settings: Settings) -> None:
    settings.GATEWAY_RETRIES = 3
    turn = scene.ask(BUSY, BUSY, WHOLE)
    scene.check_completed(turn, "Hello world")
    assert scene.calls() == 3
    assert retries(scene.events()) == [
        {"attempt": 2, "of": 3, "seconds": 0.0, "code": "gateway_failed"},
        {"attempt": 3, "of": 3, "seconds": 0.0, "code": "gateway_failed"},
    ]
    order = types(scene.events())
    assert (
        order.index("STEP_STARTED")
        < len(order) - 1 - order[::-1].index("CUSTOM")
        < order.index("STEP_FINISHED")
    )
    assert turn.rounds.get().tries == 3


def test_each_attempt_sends_the_same_bytes(scene: Scene) -> None:
    scene.ask(BUSY, WHOLE)
    first, second = scene.server.requests
    assert first.body == second.body


def test_one_attempt_is_allowed_where_the_setting_says_so(scene: Scene, settings: Settings) -> None:
    settings.GATEWAY_RETRIES = 1
    scene.check_failed(scene.ask(BUSY), "gateway_failed")
    assert (scene.calls(), retries(scene.events())) == (1, [])


def test_the_wait_is_as_long_as_it_was_announced_to_be(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conversations.engine.rounds.WAIT", wait_fixed(0.3))
    times = Times()
    scene.ask(times.answering(BUSY), times.answering(WHOLE))
    assert [retry["seconds"] for retry in retries(scene.events())] == [0.3]
    assert times.gaps[0] >= 0.3


def test_a_wait_in_seconds_that_the_gateway_asks_for_is_heeded(scene: Scene) -> None:
    times = Times()
    turn = scene.ask(times.answering(retry_after("1")), times.answering(WHOLE))
    scene.check_completed(turn, "Hello world")
    assert [retry["seconds"] for retry in retries(scene.events())] == [1.0]
    assert times.gaps[0] >= 1


def test_a_wait_until_a_date_that_the_gateway_asks_for_is_heeded(scene: Scene) -> None:
    due = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
    scene.check_completed(scene.ask(retry_after(format_datetime(due, usegmt=True)), WHOLE), "Hello world")
    assert datetime.now(UTC) >= due - timedelta(seconds=0.1)  # the event has tenths of seconds
    assert 0 <= retries(scene.events())[0]["seconds"] <= 2


def test_a_stop_ends_the_wait_for_the_next_attempt(scene: Scene) -> None:
    turn = scene.begin(retry_after("60"))
    until(lambda: retries(scene.events()))
    scene.stop()
    scene.check_stopped(turn, "")
    assert scene.calls() == 1
    scene.check_alive()


def test_no_attempt_follows_once_text_was_shown(scene: Scene) -> None:
    turn = scene.ask(Answer.stream(HELLO[0]), Answer.stream(*PART), WHOLE)
    scene.check_failed(turn, "stream_cut", "Hello world")
    assert scene.calls() == 2
    scene.check_alive()
