"""A record in the terminal goes on where it was interrupted and prints nothing that a terminal obeys."""

import io
import signal

import pytest
from django.contrib.auth.models import User
from django.core.management.base import OutputWrapper

from conversations.management.following import TerminalFollower
from conversations.management.terminal import Printer, RecordingPrinter
from conversations.protocol.agui import events
from tests.records import delta, open_record, opening, running
from tests.turns import conversation_of

pytestmark = pytest.mark.django_db(transaction=True)


class Interrupted(io.StringIO):
    """A terminal at which Ctrl-C is pressed when the text has come."""

    def write(self, text: str) -> int:
        for _ in range(text.count("half")):
            signal.raise_signal(signal.SIGINT)
        return super().write(text)


@pytest.mark.parametrize("ending", ["RUN_ERROR", "RUN_FINISHED"])
def test_ctrl_c_asks_for_a_stop_and_breaks_nothing_off_until_the_run_has_ended(
    user: User, ending: str
) -> None:
    conversation, out = conversation_of(user), Interrupted()
    turn = running(conversation)
    start = {"type": "TEXT_MESSAGE_START", "messageId": "a", "role": "assistant"}
    end = events.run_error("It failed.", "internal")
    if ending == "RUN_FINISHED":
        end = events.run_finished(str(conversation.pk), str(turn.pk), "cancelled", [])
    open_record(turn).commit(
        *opening(conversation, turn),
        start,
        delta("half", "a"),
        events.step_finished(1, {}),
        delta(" and whole", "a"),
        end,
    )
    error = TerminalFollower(conversation.pk, 0).follow(Printer(OutputWrapper(out)), turn)
    assert (error, out.getvalue()) == (end.get("message"), "half and whole")
    turn.refresh_from_db()
    assert turn.stop_requested_at


def test_a_third_ctrl_c_is_meant_for_the_program(user: User) -> None:
    conversation, out = conversation_of(user), Interrupted()
    turn = running(conversation)
    start = {"type": "TEXT_MESSAGE_START", "messageId": "a", "role": "assistant"}
    open_record(turn).commit(*opening(conversation, turn), start, delta("half half half", "a"))
    with pytest.raises(KeyboardInterrupt):
        TerminalFollower(conversation.pk, 0).follow(Printer(OutputWrapper(out)), turn)


THINKING = ["Hi.\n\n<thin", "king>Hm, ", "a < b.</thi", "nking>\n\nIt is ", "3 <", " 4.\n\n<thi"]


@pytest.mark.parametrize(
    ("printer", "printed"),
    [
        (Printer, "Hi.\n\nIt is 3 < 4.\n\n<thi"),
        (RecordingPrinter, "\nHi.\n\n[reasoning]\nHm, a < b.\n\nIt is 3 < 4.\n\n<thi\n"),
    ],
)
def test_thoughts_in_a_text_are_left_out_wherever_they_are_cut_and_reasoning_in_a_recording(
    printer: type[Printer], printed: str
) -> None:
    out = io.StringIO()
    terminal = printer(OutputWrapper(out))
    terminal.show({"type": "TEXT_MESSAGE_START", "messageId": "a", "role": "assistant"})
    for text in THINKING:
        terminal.show(delta(text, "a"))
    terminal.show({"type": "TEXT_MESSAGE_END", "messageId": "a"})
    assert out.getvalue() == printed


def test_no_text_moves_the_cursor_or_sets_the_title(user: User) -> None:
    conversation, out = conversation_of(user), io.StringIO()
    turn = running(conversation)
    start = {"type": "TEXT_MESSAGE_START", "messageId": "a", "role": "assistant"}
    end = events.run_finished(str(conversation.pk), str(turn.pk), "success", [])
    text = delta("\x1b]0;title\x07 \x9b2J\tSeñora\nBlue", "a")
    open_record(turn).commit(*opening(conversation, turn), start, text, end)
    TerminalFollower(conversation.pk, 0).follow(Printer(OutputWrapper(out)), turn)
    assert out.getvalue() == "\ufffd]0;title\ufffd \ufffd2J\tSeñora\nBlue"


def test_a_recording_names_the_files_of_a_message() -> None:
    out = io.StringIO()
    terminal = RecordingPrinter(OutputWrapper(out))
    files = [{"name": "turkey\x1b[2J.png"}, {"name": "notes.txt"}]
    start = {"type": "TEXT_MESSAGE_START", "messageId": "a", "role": "user"}
    terminal.show(start | {"metadata": {"attachments": files}})
    terminal.show(delta("Read this", "a"))
    terminal.show({"type": "TEXT_MESSAGE_END", "messageId": "a"})
    assert out.getvalue() == "\n[attached: turkey\ufffd[2J.png]\n[attached: notes.txt]\n> Read this\n"
