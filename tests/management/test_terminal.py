"""A record in the terminal goes on where it was interrupted and prints nothing that a terminal obeys."""

import io

import pytest
from django.contrib.auth.models import User
from django.core.management.base import OutputWrapper

from conversations.management.terminal import LivePrinter, Printer, RecordingPrinter
from conversations.protocol.agui import events
from tests.asking import conversation_of
from tests.journaling import delta, open_record, opening, running

pytestmark = pytest.mark.django_db(transaction=True)


class Interrupted(io.StringIO):
    """A terminal at which Ctrl-C is pressed when the text has come."""

    pressed = False

    def write(self, text: str) -> int:
        if "half" in text and not self.pressed:
            self.pressed = True
            raise KeyboardInterrupt
        return super().write(text)


@pytest.mark.parametrize("ending", ["RUN_ERROR", "RUN_FINISHED"])
def test_a_terminal_goes_on_after_ctrl_c_until_the_run_has_ended(user: User, ending: str) -> None:
    conversation, out = conversation_of(user), Interrupted()
    turn = running(conversation)
    terminal, run = LivePrinter(conversation.pk, 0, OutputWrapper(out)), str(turn.pk)
    start = {"type": "TEXT_MESSAGE_START", "messageId": "a", "role": "assistant"}
    end = events.run_error("It failed.", "internal")
    if ending == "RUN_FINISHED":
        end = events.run_finished(str(conversation.pk), run, "cancelled", [])
    open_record(turn).commit(
        *opening(conversation, turn),
        start,
        delta("half", "a"),
        events.step_finished(1, {}),
        delta("whole", "a"),
        end,
    )
    with pytest.raises(KeyboardInterrupt):
        terminal.follow(run)
    assert terminal.follow(run) == end.get("message")
    assert out.getvalue() == "whole"


THINKING = ["Hi.\n\n<thin", "king>Hm, ", "a < b.</thi", "nking>\n\nIt is ", "3 <", " 4.\n\n<thi"]


@pytest.mark.parametrize(
    ("printer", "printed"),
    [(Printer, "Hi.\n\nIt is 3 < 4.\n\n<thi"), (RecordingPrinter, "\n" + "".join(THINKING) + "\n")],
)
def test_thoughts_in_a_text_are_left_out_wherever_they_are_cut_but_not_of_a_recording(
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
    LivePrinter(conversation.pk, 0, OutputWrapper(out)).follow(str(turn.pk))
    assert out.getvalue() == "\ufffd]0;title\ufffd \ufffd2J\tSeñora\nBlue"
