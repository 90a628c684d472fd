"""A gateway that is faster than the database: reading pauses, memory is bounded, nothing is lost."""

import threading
from collections.abc import Iterator, Sequence

import pytest
from ag_ui_validate.pytest_plugin import assert_valid_agui

from conversations import engine
from conversations.engine import WORKER
from conversations.engine.rounds import Streaming
from conversations.journal import writer
from conversations.models import Turn
from conversations.protocol.converse.blocks import Delta
from tests.conditions import until
from tests.faults.scene import Scene, stored_text
from tests.gateway.wire import EVENT_STREAM, Answer, Part, Request, answer_frames, chunks, head
from tests.records import StuckWriter, running
from tests.turns import answer, conversation_of

pytestmark = pytest.mark.django_db(transaction=True)
ROOM = 64 * 1024
PIECE = 16 * 1024
MANY = 300
UNREAD = 50
ONE_READ = 256 * 1024
"""Pieces of a flood, those that fit into the buffers while nobody reads, and bytes of one read."""


class Flood:
    """An answer of very many numbered pieces, which counts those that went out.

    It waits after the first until the gate opens.
    """

    def __init__(self) -> None:
        self.sent = 0
        self.gate = threading.Event()
        self.pieces = [f"{number:<{PIECE}}" for number in range(MANY)]

    def __call__(self, request: Request) -> Answer:
        return Answer(self)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[Part]:
        opening, *_, stop, end, usage = answer_frames("")
        yield head(200, {**EVENT_STREAM, "Transfer-Encoding": "chunked"}) + chunks(opening)
        for piece in self.pieces:
            yield chunks(answer_frames(piece)[1])
            self.sent += 1
            yield self.gate if self.sent == 1 else b""
        yield chunks(stop, end, usage) + b"0\r\n\r\n"


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The pieces that have been read, as they are handed to the journal."""
    texts, show = [], Streaming._show

    def note(self: Streaming, deltas: Sequence[Delta], began: float) -> None:
        texts.extend(delta.text for delta in deltas if delta.text)
        show(self, deltas, began)

    monkeypatch.setattr(Streaming, "_show", note)
    return texts


def flooded(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> tuple[Flood, Turn, StuckWriter]:
    """A flood of text, the turn that reads it, and the writer whose pause has let the journal fill."""
    monkeypatch.setattr(writer, "ROOM", ROOM)
    flood, other = Flood(), running(conversation_of(scene.conversation.owner))
    turn = scene.begin(flood)
    until(lambda: answer(scene.events()) == flood.pieces[0])
    pause = StuckWriter(WORKER.journal.open(other, 0))
    flood.gate.set()
    until(lambda: WORKER.journal.is_full)
    return flood, turn, pause


def test_reading_pauses_while_the_journal_is_full_and_nothing_is_lost(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, pieces: list[str]
) -> None:
    flood, turn, pause = flooded(scene, monkeypatch)
    until(lambda: flood.sent > len(pieces) + UNREAD)
    assert WORKER.journal.is_full
    assert len(pieces) * PIECE <= ROOM + ONE_READ + PIECE
    pause.release()
    assert WORKER.wait(60)
    turn.refresh_from_db()
    events = scene.events()
    assert turn.status == "completed"
    assert answer(events) == stored_text(turn) == "".join(flood.pieces)
    assert [event["metadata"]["seq"] for event in events] == list(range(1, len(events) + 1))
    assert_valid_agui(events)
    assert not WORKER.journal.is_full


def test_a_stop_is_heeded_while_reading_pauses(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, pieces: list[str]
) -> None:
    _, turn, pause = flooded(scene, monkeypatch)
    assert engine.stop_here(scene.conversation.pk)
    assert scene.server.requests[-1].hung_up.wait(10)
    pause.release()
    assert WORKER.wait(20)
    scene.check_stopped(turn, answer(scene.events(turn)))
    assert len(pieces) < MANY
    scene.check_alive()
